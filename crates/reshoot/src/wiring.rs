//! Puts the parts together: the only place that names a concrete store or engine.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use artifacts::Artifacts;
use catalog::Catalog;
use egress::{Client, Exempt, Options};
use engine::Engine;
use intake::{Intake, PoolLimits};
use media::{JailConfig, Toolchain};
use roto::Roto;
use store_sqlite::{OpenError, OpenMode, SqliteStore};
use worker::{Launcher, STALL};

use crate::config::Installation;
use crate::exit::{CONFIG, Coded, TEMP_FAIL, USAGE};
use crate::machine::{KernelRng, SystemClock};

/// The engine of models that name none.
pub(crate) const DEFAULT_ENGINE: &str = "roto";

/// How much intake does at a time.
const POOL: PoolLimits =
    PoolLimits { fetches: 16, fetches_per_host: 6, disk_bytes: 4 << 30, measures: 2 };

/// Engines, by name.
pub(crate) type Engines = BTreeMap<&'static str, Arc<dyn Engine>>;

/// The catalogue as the operator wants it.
pub(crate) fn catalog(installation: &Installation) -> anyhow::Result<Catalog> {
    let wrong = |e: catalog::CatalogError| anyhow::Error::new(Coded::new(CONFIG, e.to_string()));
    let mut catalog = Catalog::builtin().map_err(wrong)?;
    if let Some(dir) = &installation.models_dir {
        catalog = catalog.with(Catalog::load(dir).map_err(wrong)?);
    }
    catalog.with_overrides(&installation.models).map_err(wrong)
}

/// Opens the database of an installation.
pub(crate) fn store(installation: &Installation, mode: OpenMode) -> anyhow::Result<SqliteStore> {
    SqliteStore::open(&installation.data, mode).map_err(|error| {
        let code = match error {
            OpenError::InUse { .. } | OpenError::OlderInUse { .. } => TEMP_FAIL,
            _ => CONFIG,
        };
        anyhow::Error::new(Coded::new(code, error.to_string()))
    })
}

/// Opens the files of an installation.
pub(crate) fn artifacts(data: &Path) -> anyhow::Result<Artifacts> {
    Artifacts::local(&data.join("files")).context("the data folder cannot be used")
}

/// This very program, for the children that it starts.
fn this_program() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("this program does not know where it is")
}

/// ffmpeg behind `reshoot jail`.
pub(crate) fn toolchain(require_sandbox: bool) -> anyhow::Result<Toolchain> {
    Ok(Toolchain::find(JailConfig {
        program: this_program()?,
        leading_args: vec![OsString::from("jail")],
        required: require_sandbox,
    }))
}

/// All engines of this build.
pub(crate) fn engines(require_sandbox: bool) -> anyhow::Result<Engines> {
    let roto: Arc<dyn Engine> =
        Arc::new(Roto::new(toolchain(require_sandbox)?, Arc::new(SystemClock)));
    Ok(BTreeMap::from([(roto.name(), roto)]))
}

/// One of them.
pub(crate) fn engine(engines: &Engines, name: &str) -> anyhow::Result<Arc<dyn Engine>> {
    engines.get(name).map(Arc::clone).ok_or_else(|| {
        let names = engines.keys().copied().collect::<Vec<_>>().join("`, `");
        Coded::new(USAGE, format!("this build has no engine `{name}`; it has `{names}`")).into()
    })
}

/// How engine children are started.
pub(crate) fn launcher(require_sandbox: bool) -> anyhow::Result<Launcher> {
    let mut args = vec![OsString::from("engine")];
    if require_sandbox {
        args.push("--require-sandbox".into());
    }
    Ok(Launcher { program: this_program()?, args, stall: STALL })
}

/// Hosts that the operator exempted for inputs.
pub(crate) fn exempt(installation: &Installation) -> anyhow::Result<Vec<Exempt>> {
    hosts("--allow-input-host", &installation.allow_input_host)
}

fn hosts(flag: &str, texts: &[String]) -> anyhow::Result<Vec<Exempt>> {
    let parse = |text: &String| {
        text.parse().map_err(|e| anyhow::Error::new(Coded::new(CONFIG, format!("{flag}: {e}"))))
    };
    texts.iter().map(parse).collect()
}

/// What posts to webhooks.
pub(crate) fn webhook_client(allowed: &[String]) -> anyhow::Result<Client> {
    let exempt = hosts("--allow-webhook-host", allowed)?;
    let options = Options { exempt, ..Options::default() };
    Client::new(options, Arc::new(SystemClock), Arc::new(KernelRng))
        .context("the HTTP client cannot be set up")
}

/// Fetching and checking.
pub(crate) fn intake(installation: &Installation, artifacts: Artifacts) -> anyhow::Result<Intake> {
    let options = Options { exempt: exempt(installation)?, ..Options::default() };
    let client = Client::new(options, Arc::new(SystemClock), Arc::new(KernelRng))
        .context("the HTTP client cannot be set up")?;
    Ok(Intake::new(client, artifacts, toolchain(installation.require_sandbox)?, POOL))
}
