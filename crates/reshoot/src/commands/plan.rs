//! `reshoot plan`: what would be made, and what not.

use std::process::ExitCode;

use anyhow::anyhow;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::cli::PlanArgs;
use crate::commands::local::Local;
use crate::commands::{print_json, runtime};
use crate::config;
use crate::planning::Planner;
use crate::wiring;

pub(crate) fn run(args: &PlanArgs) -> anyhow::Result<ExitCode> {
    let installation = config::installation(&args.place, &args.intake)?;
    let scratch = tempfile::tempdir()?;
    let cancel = CancellationToken::new();
    let taking = Local::take(&installation, &args.inputs, scratch.path(), &cancel);
    let local = runtime()?.block_on(taking)?;
    let planner = Planner { engines: wiring::engines(installation.require_sandbox)? };
    let (plan, assessment) = planner.assess(&args.engine, &local.inputs, Some(&local.facts));
    let assessment =
        assessment.ok_or_else(|| anyhow!("this build has no engine `{}`", args.engine))?;
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
