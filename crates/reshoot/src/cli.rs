//! The command line. Flag beats variable beats file; the file's keys are in `config`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use server::Cidr;

/// Self-hosted reference video-to-video behind the wire of RunComfy's Model API.
///
/// Independent of RunComfy and Kling. A prompt, one reference video and up to four images and
/// elements go in, a new 5 s or 10 s clip comes out. Exit codes: 0 done, 1 failed, 2 wrong usage,
/// 64-78 as in sysexits.h, 130 and 143 after Ctrl-C and SIGTERM.
#[derive(Debug, Parser)]
#[command(name = "reshoot", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the API, with workers in the same process
    Serve(ServeArgs),
    /// Make one clip from local files or URLs, without a server
    Run(RunArgs),
    /// Print the shot plan for a prompt and inputs; renders nothing
    Plan(PlanArgs),
    /// Print what intake sees in a file or URL, and which limits it breaks
    Probe(ProbeArgs),
    /// Create, list, rotate, limit and revoke API keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Print the catalogue, or one model's schema
    Models(ModelsArgs),
    /// Measure the engine's pictures
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Check ffmpeg, sandbox, database, files and engines, and say what to do about each fault
    Doctor(DoctorArgs),
    /// Confine and execute ffmpeg (started by this program only)
    #[command(hide = true, disable_help_flag = true)]
    Jail {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<std::ffi::OsString>,
    },
    /// Run one engine on the shot that comes on standard input (started by this program only)
    #[command(hide = true)]
    Engine {
        /// Refuse to run ffmpeg without all sandbox layers
        #[arg(long)]
        require_sandbox: bool,
        /// The engine's name
        name: String,
    },
}

/// Where an installation is.
#[derive(Debug, Args, Clone, Default)]
pub(crate) struct Place {
    /// Folder of database and files [default: ./reshoot-data]
    #[arg(long, env = "RESHOOT_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Configuration file [default: reshoot.toml in the working folder, if there is one]
    #[arg(long, env = "RESHOOT_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// How inputs are fetched and looked at.
#[derive(Debug, Args, Clone, Default)]
pub(crate) struct Intake {
    /// Exempt this host from the rules for outgoing calls (https, public address); repeatable
    #[arg(
        long,
        env = "RESHOOT_ALLOW_INPUT_HOST",
        value_name = "HOST[:PORT]",
        value_delimiter = ','
    )]
    pub allow_input_host: Vec<String>,
    /// Refuse to run ffmpeg where a layer of the sandbox is missing
    #[arg(long, env = "RESHOOT_REQUIRE_SANDBOX")]
    pub require_sandbox: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub intake: Intake,
    /// Address to listen on; port 0 picks a free one [default: 127.0.0.1:8080]
    #[arg(long, env = "RESHOOT_LISTEN", value_name = "ADDR:PORT")]
    pub listen: Option<SocketAddr>,
    /// Base of the URLs in replies [default: the request's Host]
    #[arg(long, env = "RESHOOT_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// Clips made at the same time; 0 serves the API only [default: 1]
    #[arg(long, env = "RESHOOT_WORKERS", value_name = "N")]
    pub workers: Option<u32>,
    /// Network whose Forwarded headers are believed; repeatable
    #[arg(long, env = "RESHOOT_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',')]
    pub trusted_proxy: Vec<Cidr>,
    /// Seconds that running clips get to finish after SIGTERM [default: 25]
    #[arg(long, env = "RESHOOT_DRAIN_SECS", value_name = "SECS")]
    pub drain_secs: Option<u64>,
    /// Refuse bodies with fields that the model does not have
    #[arg(long, env = "RESHOOT_STRICT_FIELDS")]
    pub strict_fields: bool,
    /// Exempt this host from the rules for webhooks (https, public address); repeatable
    #[arg(
        long,
        env = "RESHOOT_ALLOW_WEBHOOK_HOST",
        value_name = "HOST[:PORT]",
        value_delimiter = ','
    )]
    pub allow_webhook_host: Vec<String>,
    /// Answer /metrics without a key at this address, and nowhere else
    #[arg(long, env = "RESHOOT_METRICS_LISTEN", value_name = "ADDR:PORT")]
    pub metrics_listen: Option<SocketAddr>,
    /// Most requests that may wait; more are refused with 503 [default: no limit]
    #[arg(long, env = "RESHOOT_MAX_QUEUE", value_name = "N")]
    pub max_queue: Option<u64>,
    /// MiB of disk that stay free: below, work is refused with 503 [default: 1024]
    #[arg(long, env = "RESHOOT_DISK_RESERVE_MIB", value_name = "MIB")]
    pub disk_reserve_mib: Option<u64>,
    #[command(flatten)]
    pub retention: Retention,
}

/// How long things are kept; 0 keeps them for ever.
#[expect(clippy::struct_field_names, reason = "the names of the flags")]
#[derive(Debug, Args, Clone, Copy, Default)]
pub(crate) struct Retention {
    /// Days that records and outputs are kept after the end; 0 for ever [default: 30]
    #[arg(long, env = "RESHOOT_KEEP_RESULTS_DAYS", value_name = "DAYS")]
    pub keep_results_days: Option<u32>,
    /// Days that inputs are kept after the end; 0 as long as the record [default: 7]
    #[arg(long, env = "RESHOOT_KEEP_INPUTS_DAYS", value_name = "DAYS")]
    pub keep_inputs_days: Option<u32>,
    /// Days that uploads are kept; 0 for ever [default: 30]
    #[arg(long, env = "RESHOOT_KEEP_UPLOADS_DAYS", value_name = "DAYS")]
    pub keep_uploads_days: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub intake: Intake,
    #[command(flatten)]
    pub inputs: Inputs,
    /// Engine that makes the clip
    #[arg(long, env = "RESHOOT_ENGINE", default_value = "roto")]
    pub engine: String,
    /// Fixes every random choice [default: derived from the inputs]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Where the clip goes
    #[arg(short, long, value_name = "FILE", default_value = "clip.mp4")]
    pub output: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Render the samples, measure every picture metric, write table, plot and contact sheets
    Quality(QualityArgs),
}

#[derive(Debug, Args)]
pub(crate) struct QualityArgs {
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub intake: Intake,
    /// Folder of the sample media
    #[arg(long, value_name = "DIR", default_value = "samples")]
    pub samples: PathBuf,
    /// Where clips, sheets, table and plot go
    #[arg(long, value_name = "DIR", default_value = "target/bench/quality")]
    pub out: PathBuf,
    /// Only this case; repeatable [default: all]
    #[arg(long, value_name = "CASE")]
    pub only: Vec<String>,
    /// Shorter side of the clips in px, for a quick look [default: the model's]
    #[arg(long, value_name = "PX", value_parser = clap::value_parser!(u32).range(90..=1080))]
    pub side: Option<u32>,
    /// Model whose limits hold
    #[arg(long, default_value = "kling/kling-video-o1/video-to-video/reference")]
    pub model: String,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub intake: Intake,
    #[command(flatten)]
    pub inputs: Inputs,
    /// Engine whose `unmet` is shown
    #[arg(long, env = "RESHOOT_ENGINE", default_value = "roto")]
    pub engine: String,
}

/// The inputs of one clip.
#[derive(Debug, Args, Clone)]
pub(crate) struct Inputs {
    /// What to make; @Video1, @Image1, @Element1 name the inputs
    #[arg(long)]
    pub prompt: String,
    /// Reference video: a file or an https URL
    #[arg(long, value_name = "FILE_OR_URL")]
    pub video: Option<String>,
    /// Image for style or appearance; repeatable
    #[arg(long, value_name = "FILE_OR_URL")]
    pub image: Vec<String>,
    /// Element: its frontal image, then other views; repeatable
    #[arg(long, value_name = "FRONT[,OTHER...]")]
    pub element: Vec<String>,
    /// auto, 16:9, 9:16 or 1:1
    #[arg(long, value_name = "RATIO")]
    pub aspect_ratio: Option<String>,
    /// Length in seconds: 5 or 10
    #[arg(long, value_name = "SECS")]
    pub duration: Option<String>,
    /// Keep the reference's sound
    #[arg(long)]
    pub keep_audio: bool,
    /// Model whose limits hold
    #[arg(long, default_value = "kling/kling-video-o1/video-to-video/reference")]
    pub model: String,
}

#[derive(Debug, Args)]
pub(crate) struct ProbeArgs {
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub intake: Intake,
    /// File or https URL
    pub file_or_url: String,
    /// Model whose limits hold
    #[arg(long, default_value = "kling/kling-video-o1/video-to-video/reference")]
    pub model: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key and print it, once
    Create {
        /// What to call it
        name: String,
        /// An existing owner's id [default: a new owner]
        #[arg(long)]
        owner: Option<String>,
        /// user or admin
        #[arg(long, default_value = "user")]
        role: String,
        #[command(flatten)]
        place: Place,
    },
    /// List all keys, without their secrets
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Replace a key by a new one of the same owner, and print that, once
    Rotate {
        /// The key's id
        id: String,
        #[command(flatten)]
        place: Place,
    },
    /// Revoke a key: it is refused from the next call on
    Revoke {
        /// The key's id
        id: String,
        #[command(flatten)]
        place: Place,
    },
    /// Show or change the limits of a key or an owner; what is not given stays
    Limits {
        /// The id of a key or an owner
        id: String,
        #[command(flatten)]
        change: LimitChange,
        #[command(flatten)]
        place: Place,
    },
}

/// New limits; `none` lifts one.
#[derive(Debug, Args, Clone, Default)]
pub(crate) struct LimitChange {
    /// Most requests that wait at a time
    #[arg(long, value_name = "N|none")]
    pub max_queued: Option<String>,
    /// Most requests that run at a time
    #[arg(long, value_name = "N|none")]
    pub max_running: Option<String>,
    /// Most submits a minute
    #[arg(long, value_name = "N|none")]
    pub submits_per_minute: Option<String>,
    /// Most bytes of bodies and uploads a UTC day
    #[arg(long, value_name = "BYTES|none")]
    pub bytes_per_day: Option<String>,
    /// USD that may be spent in all
    #[arg(long, value_name = "USD|none")]
    pub budget_usd: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ModelsArgs {
    #[command(flatten)]
    pub place: Place,
    /// Model to print as a whole
    pub id: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub place: Place,
}
