//! A probe that never ends: cancelled and timed out.

use std::time::Duration;

use intake::IntakeError;
use serde_json::json;
use testkit::Reply;

use crate::clips::good;
use crate::support::World;

/// Waits for the probe's process, and gives its id.
async fn probing(world: &World) -> u32 {
    let file = world.apart.path().join("probing");
    loop {
        if let Ok(text) = std::fs::read_to_string(&file) {
            return text.trim().parse().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn runs(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

#[tokio::test]
async fn cancelling_ends_the_probe_and_leaves_nothing() {
    let world = World::that_probes_forever();
    let inputs = world.media(json!({"video_url": world.serve("/v", Reply::ok(good()))}));
    let stop = async {
        let process = probing(&world).await;
        assert!(runs(process));
        world.cancel.cancel();
        process
    };
    let (outcome, process) = tokio::join!(world.take(&inputs), stop);
    assert!(matches!(outcome, Err(IntakeError::Cancelled)), "{outcome:?}");
    assert!(!runs(process));
    world.nothing_left();
}

#[tokio::test]
async fn a_file_that_cannot_be_probed_in_time_is_refused_by_name() {
    let mut world = World::that_probes_forever();
    world.intake = world.intake.probing_within(Duration::from_millis(500));
    let video = world.serve("/v", Reply::ok(good()));
    let faults = world.faults(json!({"video_url": video})).await;
    assert_eq!(faults[0].kind, "video_load_error");
    let msg = &faults[0].msg;
    assert!(msg.starts_with("video_url: ") && msg.contains("within 0.5 s"), "{msg}");
    assert!(!runs(probing(&world).await));
}
