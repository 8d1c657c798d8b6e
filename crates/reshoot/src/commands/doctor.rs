//! `reshoot doctor`: what is wrong with this installation, and what to do about it.

use std::process::ExitCode;

use store::Store;
use store_sqlite::OpenMode;

use crate::cli::{DoctorArgs, Intake};
use crate::commands::{print_line, runtime};
use crate::config::{self, Installation};
use crate::wiring;

/// One finding: what was looked at, and what is wrong and to be done.
struct Finding {
    what: String,
    fault: Option<String>,
    /// Whether work is possible all the same.
    tolerable: bool,
}

pub(crate) fn run(args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let installation = config::installation(&args.place, &Intake::default())?;
    let mut findings = programs(&installation)?;
    findings.push(Finding::of(
        "catalogue",
        wiring::catalog(&installation).map(|_| ()).map_err(|e| format!("{e:#}")),
    ));
    let runtime = runtime()?;
    findings.push(Finding::of("database", runtime.block_on(database(&installation))));
    findings.push(Finding::of("files", runtime.block_on(files(&installation))));
    for name in wiring::engines(installation.require_sandbox)?.keys() {
        findings.push(Finding::of(format!("engine {name}"), Ok(())));
    }
    let mut ill = false;
    for finding in findings {
        ill |= finding.fault.is_some() && !finding.tolerable;
        print_line(&finding.line())?;
    }
    Ok(if ill { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn programs(installation: &Installation) -> anyhow::Result<Vec<Finding>> {
    let check = wiring::toolchain(installation.require_sandbox)?.check();
    let mut findings = Vec::new();
    for (name, version) in [("ffmpeg", check.ffmpeg), ("ffprobe", check.ffprobe)] {
        let what = version.as_deref().unwrap_or(name).to_owned();
        findings.push(Finding::of(what, version.map(|_| ())));
    }
    for missing in check.missing {
        let fault =
            format!("this ffmpeg lacks the {missing}; install the distribution's full ffmpeg");
        findings.push(Finding::of(format!("ffmpeg {missing}"), Err(fault)));
    }
    let layer = |name: &str, in_force: bool, cure: &str| Finding {
        what: format!("sandbox: {name}"),
        fault: (!in_force).then(|| format!("not in force: {cure}")),
        tolerable: !installation.require_sandbox,
    };
    match check.jail {
        Err(fault) => findings.push(Finding::of("sandbox", Err(fault))),
        Ok(jail) => {
            let landlock = jail.landlock != "none";
            findings.push(layer("resource limits", jail.rlimits, "raise the hard limits"));
            findings.push(layer("seccomp", jail.seccomp, "the kernel needs CONFIG_SECCOMP_FILTER"));
            findings.push(layer("Landlock", landlock, "Linux 5.13 or later, with lsm=landlock"));
        }
    }
    Ok(findings)
}

async fn database(installation: &Installation) -> Result<(), String> {
    let store = wiring::store(installation, OpenMode::Beside).map_err(|e| format!("{e:#}"))?;
    store.check().await.map_err(|e| e.to_string())
}

async fn files(installation: &Installation) -> Result<(), String> {
    let artifacts = wiring::artifacts(&installation.data).map_err(|e| format!("{e:#}"))?;
    artifacts.check().await.map_err(|e| e.to_string())
}

// === impl Finding ===

impl Finding {
    fn of(what: impl Into<String>, outcome: Result<(), String>) -> Self {
        Self { what: what.into(), fault: outcome.err(), tolerable: false }
    }

    fn line(&self) -> String {
        match &self.fault {
            None => format!("ok    {}", self.what),
            Some(fault) if self.tolerable => format!("warn  {}: {fault}", self.what),
            Some(fault) => format!("FAULT {}: {fault}", self.what),
        }
    }
}
