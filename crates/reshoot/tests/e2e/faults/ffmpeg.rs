//! An ffmpeg that is missing, crashes or hangs, and comes back.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use testkit::MediaHost;

use super::{id_of, place, skip, still, submit};
use crate::support::disk::run;
use crate::support::process::Machine;
use crate::support::processes::until;
use crate::support::{ACME, root};
use crate::support::{Home, Server};

const PROGRAMS: [&str; 2] = ["ffmpeg", "ffprobe"];

/// What stands in for ffmpeg. In C, for a shell does not start in the sandbox.
const CRASHES: &str = "#include <signal.h>\nint main(void) { return raise(SIGSEGV); }\n";
const HANGS: &str = "#include <poll.h>\nint main(void) { for (;;) poll(0, 0, -1); }\n";

/// A folder of programs, whose contents change.
struct Programs {
    dir: TempDir,
}

// === impl Programs ===

impl Programs {
    fn new() -> Self {
        let programs = Self { dir: tempfile::tempdir().unwrap() };
        programs.mend();
        programs
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("bin")
    }

    /// The real ones.
    fn mend(&self) {
        self.put(|name| {
            let mut folders = std::env::split_paths(&std::env::var_os("PATH").unwrap())
                .map(|folder| folder.join(name))
                .filter(|path| path.is_file())
                .collect::<Vec<_>>();
            Some(folders.swap_remove(0))
        });
    }

    fn put(&self, program: impl Fn(&str) -> Option<PathBuf>) {
        std::fs::create_dir_all(self.folder()).unwrap();
        for name in PROGRAMS {
            let (link, fresh) = (self.folder().join(name), self.dir.path().join(name));
            match program(name) {
                // Renamed, so that there is always one or the other.
                Some(target) => {
                    symlink(target, &fresh).unwrap();
                    std::fs::rename(&fresh, &link).unwrap();
                }
                None => std::fs::remove_file(&link).unwrap(),
            }
        }
    }

    /// Compiles one.
    fn compile(&self, name: &str, code: &str) -> Result<PathBuf, String> {
        let (source, program) =
            (self.dir.path().join(format!("{name}.c")), self.dir.path().join(name));
        std::fs::write(&source, code).unwrap();
        run(Command::new("cc").arg("-o").arg(&program).arg(&source))?;
        Ok(program)
    }
}

/// The made-up model with little patience.
fn impatient_model(home: &Home) {
    let source = root().join("crates/catalog/tests/models").join(ACME);
    let models = home.config().with_file_name("models");
    let folder = models.join(ACME);
    std::fs::create_dir_all(&folder).unwrap();
    for name in ["manifest.toml", "input.schema.json", "output.schema.json"] {
        let text = std::fs::read_to_string(source.join(name)).unwrap();
        std::fs::write(folder.join(name), text.replace("intake_secs = 60", "intake_secs = 4"))
            .unwrap();
    }
    home.models(&models);
}

/// A request fails with a reason that names `word`, readiness is `ready`, and once ffmpeg is back
/// the next one succeeds.
fn fails_and_recovers(server: &Server, host: &MediaHost, programs: &Programs, word: &str) {
    let caller = server.caller();
    let id = id_of(&submit(&caller, &still(host)));
    let error = server.finished(&id)["error"].clone();
    assert_eq!(error["code"], "attempts_exhausted", "{error:#}");
    assert!(error["message"].as_str().unwrap().contains(word), "{error:#}");
    let record = server.record(&id);
    let events = record["events"].as_array().unwrap().iter();
    assert_eq!(events.filter(|event| event["kind"] == "set_back").count(), 2, "{record:#}");
    assert!(server.children().is_empty(), "{:?}", server.children());
    let ready = until("an end of readiness", || {
        let ready = caller.get("/readyz");
        (ready.status == 503).then(|| ready.json())
    });
    let checks = ready["checks"].as_array().unwrap();
    let ffmpeg = checks.iter().find(|check| check["name"] == "ffmpeg").unwrap();
    assert_eq!(ffmpeg["status"], "failing", "{ready:#}");

    programs.mend();
    server.succeeded(&id_of(&submit(&caller, &still(host))));
    until("readiness", || (caller.get("/readyz").status == 200).then_some(()));
    // Whoever looked whether it works left nothing behind.
    until("an end of all looks", || server.children().is_empty().then_some(()));
}

fn start(programs: &Programs) -> (MediaHost, Server) {
    let (host, home) = place();
    impatient_model(&home);
    let machine = Machine { programs: Some(programs.folder()), ..Machine::default() };
    (host, Server::start(home.on(machine)))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ffmpeg_that_is_gone_is_named_and_used_when_it_is_back() {
    let programs = Programs::new();
    let (host, server) = start(&programs);
    programs.put(|_| None);
    fails_and_recovers(&server, &host, &programs, "ff");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ffmpeg_that_was_never_there_is_found_when_it_comes() {
    let programs = Programs::new();
    programs.put(|_| None);
    let (host, server) = start(&programs);
    fails_and_recovers(&server, &host, &programs, "ff");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ffmpeg_that_crashes_is_tried_three_times() {
    broken("a crashing ffmpeg", CRASHES, "signal");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ffmpeg_that_hangs_is_ended_and_tried_three_times() {
    broken("a hanging ffmpeg", HANGS, "4 s");
}

fn broken(what: &str, code: &str, word: &str) {
    let programs = Programs::new();
    let program: Result<PathBuf, String> = programs.compile("broken", code);
    let Ok(program) = program.as_deref().map(Path::to_owned).map_err(|why| skip(what, why)) else {
        return;
    };
    let (host, server) = start(&programs);
    programs.put(|_| Some(program.clone()));
    fails_and_recovers(&server, &host, &programs, word);
}
