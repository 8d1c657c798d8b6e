//! `reshoot plan`: what would be made, and what not.

use std::process::ExitCode;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::cli::PlanArgs;
use crate::commands::local::Local;
use crate::commands::{print_json, unless_told};
use crate::config;
use crate::wiring;

pub(crate) fn run(args: &PlanArgs) -> anyhow::Result<ExitCode> {
    let installation = config::installation(&args.place, &args.intake)?;
    let engine = wiring::engine(&wiring::engines(installation.require_sandbox)?, &args.engine)?;
    let scratch = tempfile::tempdir()?;
    let cancel = CancellationToken::new();
    let taking = Local::take(&installation, &args.inputs, scratch.path(), &cancel);
    let local = unless_told(&cancel, taking)?;
    let plan = worker::shot::plan(&local.inputs, Some(&local.facts));
    let assessment = engine.assess(&plan, Some(&local.facts));
    let price = local.model()?.price(local.inputs.length_secs).usd();
    print_json(&json!({
        "engine": args.engine,
        "plan": plan,
        "assessment": assessment,
        "price_usd": price,
        "warnings": local.warnings,
    }))?;
    Ok(ExitCode::SUCCESS)
}
