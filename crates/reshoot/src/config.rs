//! Settings: flag beats variable beats file.
//!
//! Flags and variables come from [`crate::cli`]; this module reads `reshoot.toml` and merges.
//! Unknown keys in the file are errors: a misspelt limit must not be silently off.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use catalog::Overrides;
use serde::Deserialize;
use server::{Cidr, PublicUrl};

use crate::cli::{Intake, Place, Retention, ServeArgs};
use crate::exit::{CONFIG, Coded};

const DEFAULT_FILE: &str = "reshoot.toml";
const DEFAULT_DATA: &str = "./reshoot-data";
const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
const DEFAULT_WORKERS: u32 = 1;
const DEFAULT_DRAIN_SECS: u64 = 25;
const DEFAULT_DISK_RESERVE_MIB: u64 = 1024;
const DEFAULT_RESULTS_DAYS: u32 = 30;
const DEFAULT_INPUTS_DAYS: u32 = 7;
const DEFAULT_UPLOADS_DAYS: u32 = 30;

/// `reshoot.toml`. Keys are the flags' names with underscores.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub data: Option<PathBuf>,
    pub listen: Option<SocketAddr>,
    pub public_url: Option<String>,
    pub workers: Option<u32>,
    pub drain_secs: Option<u64>,
    #[serde(default)]
    pub trusted_proxy: Vec<String>,
    #[serde(default)]
    pub allow_input_host: Vec<String>,
    #[serde(default)]
    pub require_sandbox: bool,
    #[serde(default)]
    pub strict_fields: bool,
    #[serde(default)]
    pub allow_webhook_host: Vec<String>,
    pub metrics_listen: Option<SocketAddr>,
    pub max_queue: Option<u64>,
    pub disk_reserve_mib: Option<u64>,
    pub keep_results_days: Option<u32>,
    pub keep_inputs_days: Option<u32>,
    pub keep_uploads_days: Option<u32>,
    /// Folder of further model folders, or of replacements for the shipped one.
    pub models_dir: Option<PathBuf>,
    /// Settings for one model, by its id.
    #[serde(default)]
    pub models: BTreeMap<String, Overrides>,
}

/// Where an installation is, and what its file says.
#[derive(Debug)]
pub(crate) struct Installation {
    pub data: PathBuf,
    pub models_dir: Option<PathBuf>,
    pub models: BTreeMap<String, Overrides>,
    pub allow_input_host: Vec<String>,
    pub require_sandbox: bool,
}

/// Everything that `serve` needs to know.
#[derive(Debug)]
pub(crate) struct Serve {
    pub installation: Installation,
    pub listen: SocketAddr,
    pub public_url: Option<PublicUrl>,
    pub workers: u32,
    pub drain_secs: u64,
    pub trusted_proxy: Vec<Cidr>,
    pub strict_fields: bool,
    pub allow_webhook_host: Vec<String>,
    pub metrics_listen: Option<SocketAddr>,
    pub max_queue: Option<u64>,
    pub disk_reserve_bytes: u64,
    pub kept: Kept,
}

/// How long things are kept; for ever where there is no time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept {
    pub results: Option<Duration>,
    pub inputs: Option<Duration>,
    pub uploads: Option<Duration>,
}

// === impl File ===

impl File {
    /// Reads the named file, or the default one if it is there.
    pub(crate) fn read(place: &Place) -> anyhow::Result<Self> {
        let path = match &place.config {
            Some(path) => path.as_path(),
            None if Path::new(DEFAULT_FILE).exists() => Path::new(DEFAULT_FILE),
            None => return Ok(Self::default()),
        };
        let text = std::fs::read_to_string(path).with_context(|| {
            Coded::new(CONFIG, format!("the configuration `{}` cannot be read", path.display()))
        })?;
        toml::from_str(&text).map_err(|e| {
            let place = e.span().map_or_else(String::new, |span| {
                let line = text.get(..span.start).map_or(1, |head| head.matches('\n').count() + 1);
                format!(" line {line}")
            });
            let message = format!("`{}`{place}: {}", path.display(), e.message());
            anyhow::Error::new(Coded::new(CONFIG, message))
        })
    }
}

/// Settings of the commands that work on an installation.
pub(crate) fn installation(place: &Place, intake: &Intake) -> anyhow::Result<Installation> {
    let file = File::read(place)?;
    Ok(merge(place, intake, file).0)
}

/// Settings of `serve`.
pub(crate) fn serve(args: &ServeArgs) -> anyhow::Result<Serve> {
    let (installation, file) = merge(&args.place, &args.intake, File::read(&args.place)?);
    let mut trusted_proxy = args.trusted_proxy.clone();
    if trusted_proxy.is_empty() {
        for text in &file.trusted_proxy {
            let network = text.parse().map_err(|e| {
                Coded::new(CONFIG, format!("trusted_proxy in the configuration: {e}"))
            })?;
            trusted_proxy.push(network);
        }
    }
    let kept = kept(&args.retention, &file);
    let public_url = args.public_url.clone().or(file.public_url);
    let mut allow_webhook_host = args.allow_webhook_host.clone();
    if allow_webhook_host.is_empty() {
        allow_webhook_host.clone_from(&file.allow_webhook_host);
    }
    let reserve = args.disk_reserve_mib.or(file.disk_reserve_mib);
    Ok(Serve {
        installation,
        listen: args.listen.or(file.listen).unwrap_or(DEFAULT_LISTEN),
        public_url: public_url
            .map(|url| url.parse().map_err(|e| Coded::new(CONFIG, format!("public_url: {e}"))))
            .transpose()?,
        workers: args.workers.or(file.workers).unwrap_or(DEFAULT_WORKERS),
        drain_secs: args.drain_secs.or(file.drain_secs).unwrap_or(DEFAULT_DRAIN_SECS),
        trusted_proxy,
        strict_fields: args.strict_fields || file.strict_fields,
        allow_webhook_host,
        metrics_listen: args.metrics_listen.or(file.metrics_listen),
        max_queue: args.max_queue.or(file.max_queue),
        disk_reserve_bytes: reserve.unwrap_or(DEFAULT_DISK_RESERVE_MIB).saturating_mul(1 << 20),
        kept,
    })
}

fn kept(args: &Retention, file: &File) -> Kept {
    let days = |flag: Option<u32>, key: Option<u32>, default| {
        let days = u64::from(flag.or(key).unwrap_or(default));
        (days > 0).then(|| Duration::from_secs(days * 86_400))
    };
    Kept {
        results: days(args.keep_results_days, file.keep_results_days, DEFAULT_RESULTS_DAYS),
        inputs: days(args.keep_inputs_days, file.keep_inputs_days, DEFAULT_INPUTS_DAYS),
        uploads: days(args.keep_uploads_days, file.keep_uploads_days, DEFAULT_UPLOADS_DAYS),
    }
}

fn merge(place: &Place, intake: &Intake, mut file: File) -> (Installation, File) {
    let hosts = std::mem::take(&mut file.allow_input_host);
    let installation = Installation {
        data: place.data.clone().or(file.data.take()).unwrap_or_else(|| DEFAULT_DATA.into()),
        models_dir: file.models_dir.take(),
        models: std::mem::take(&mut file.models),
        allow_input_host: if intake.allow_input_host.is_empty() {
            hosts
        } else {
            intake.allow_input_host.clone()
        },
        require_sandbox: intake.require_sandbox || file.require_sandbox,
    };
    (installation, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, Place) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("reshoot.toml");
        std::fs::write(&path, text).unwrap();
        (dir, Place { data: None, config: Some(path) })
    }

    fn args(place: Place) -> ServeArgs {
        ServeArgs {
            place,
            intake: Intake::default(),
            listen: None,
            public_url: None,
            workers: None,
            trusted_proxy: Vec::new(),
            drain_secs: None,
            strict_fields: false,
            allow_webhook_host: Vec::new(),
            metrics_listen: None,
            max_queue: None,
            disk_reserve_mib: None,
            retention: Retention::default(),
        }
    }

    #[test]
    fn a_flag_beats_the_file_and_the_file_beats_the_default() {
        let (_dir, place) = file("listen = '127.0.0.1:9'\nworkers = 3\ndata = '/srv/r'\n");
        let mut args = args(place);
        args.workers = Some(0);
        let serve = serve(&args).unwrap();
        assert_eq!(serve.listen.port(), 9);
        assert_eq!(serve.workers, 0);
        assert_eq!(serve.drain_secs, DEFAULT_DRAIN_SECS);
        assert_eq!(serve.installation.data, Path::new("/srv/r"));
    }

    #[test]
    fn zero_days_are_for_ever_and_the_rest_has_defaults() {
        let (_dir, place) = file("keep_results_days = 0\nkeep_inputs_days = 2\n");
        let mut args = args(place);
        args.retention.keep_inputs_days = Some(1);
        let kept = serve(&args).unwrap().kept;
        let day = Duration::from_hours(24);
        assert_eq!((kept.results, kept.inputs, kept.uploads), (None, Some(day), Some(30 * day)));
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_it_and_its_line() {
        let (_dir, place) = file("workers = 2\nworkres = 3\n");
        let error = format!("{:#}", serve(&args(place)).unwrap_err());
        assert!(error.contains("workres") && error.contains("line 2"), "{error}");
    }

    #[test]
    fn a_public_url_is_checked_and_loses_its_last_slash() {
        let (_dir, place) = file("public_url = 'https://clips.example.com/'\n");
        let url = serve(&args(place)).unwrap().public_url.unwrap();
        assert_eq!(url.as_str(), "https://clips.example.com");
        let (_dir, place) = file("public_url = 'clips.example.com'\n");
        assert!(serve(&args(place)).is_err());
    }
}
