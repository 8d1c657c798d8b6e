//! The worker as a whole, and what the tests of several modules need.

mod chaos;
mod steps;
pub(crate) mod world;

use std::io::Write;
use std::sync::Mutex;

use domain::State;
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Level};

use self::world::World;
use super::*;

/// What this thread logs while it lives.
pub(crate) struct Log {
    lines: Lines,
    _guard: DefaultGuard,
    /// While there is one subscriber alone, `tracing` asks whichever thread comes to a line first
    /// whether anybody wants it, and keeps the answer for all; the threads of other tests say no.
    _second: Dispatch,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn new() -> Self {
        let lines = Lines::default();
        let written = lines.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_max_level(Level::TRACE);
        let subscriber = subscriber.with_writer(move || written.clone()).finish();
        let guard = tracing::subscriber::set_default(subscriber);
        Self { lines, _guard: guard, _second: Dispatch::new(tracing_subscriber::registry()) }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.lines.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn each_line_of_a_stage_says_whose_it_is() {
    let (log, world) = (Log::new(), World::new());
    let id = world.submit(world.request()).await;
    let settings = Settings { runs: 1, intakes: 1, drain: Duration::ZERO };
    let worker = Worker::new(world.parts(Launcher::shell("false")), settings);
    let stop = CancellationToken::new();
    let end = async {
        // Its video is not there.
        world.reaches(&id, State::Failed).await;
        stop.cancel();
    };
    tokio::join!(worker.run(stop.clone()), end);
    let log = log.text();
    let line = log.lines().find(|line| line.contains("input_invalid")).unwrap();
    assert!(line.contains(&format!("intake{{request={id} epoch=1}}")), "{line}");
}
