//! `reshoot models`: the catalogue.

use std::process::ExitCode;

use serde_json::json;

use crate::cli::{Intake, ModelsArgs};
use crate::commands::{print_json, print_line};
use crate::config;
use crate::exit::{Coded, NO_INPUT};
use crate::wiring;

pub(crate) fn run(args: &ModelsArgs) -> anyhow::Result<ExitCode> {
    let installation = config::installation(&args.place, &Intake::default())?;
    let catalog = wiring::catalog(&installation)?;
    let Some(id) = &args.id else {
        for model in catalog.models() {
            let price = format!("{} USD/{}", model.base_price_usd(), model.price_unit().as_str());
            print_line(&format!("{}  {}  {price}", model.id(), model.categories().join(",")))?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    let model = catalog.get(id).ok_or_else(|| {
        Coded::new(NO_INPUT, format!("there is no model `{id}`; `reshoot models` lists them"))
    })?;
    print_json(&json!({
        "model_id": model.id(),
        "display_name": model.display_name(),
        "description": model.description(),
        "categories": model.categories(),
        "base_price_usd": model.base_price_usd(),
        "price_unit": model.price_unit().as_str(),
        "required_inputs": model.required_inputs(),
        "input_schema": model.input_schema(),
        "output_schema": model.output_schema(),
    }))?;
    Ok(ExitCode::SUCCESS)
}
