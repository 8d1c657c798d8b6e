//! The worker as a whole, and what the tests of several modules need.

pub(crate) mod world;

use std::io::Write;
use std::sync::Mutex;

use domain::State;

use self::world::World;
use super::*;

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn each_line_of_a_stage_says_whose_it_is() {
    let (log, world) = (Log::default(), World::new());
    let written = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false);
    let subscriber = subscriber.with_writer(move || written.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
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
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let line = log.lines().find(|line| line.contains("failed")).unwrap();
    let whose = format!("intake{{request={id} epoch=1}}");
    assert!(line.contains(&whose) && line.contains("input_invalid"), "{line}");
}
