//! Files that this server has already.

use bytes::Bytes;
use catalog::{KEPT_SCHEME, Source};
use domain::{OwnerId, Timestamp};
use intake::IntakeError;
use serde_json::json;
use testkit::{Reply, SeededRng};

use crate::clips::{good, still};
use crate::support::{OwnUrls, World, told};

const UPLOAD: &str = "https://clips.example/files/token/v.mp4";

#[tokio::test]
async fn own_urls_are_read_from_the_store_and_never_fetched() {
    let world = World::new();
    world.artifacts.put("uploads/token/v.mp4", good()).await.unwrap();
    let own = OwnUrls::default();
    own.0.lock().unwrap().push((world.owner.clone(), UPLOAD.into(), "uploads/token/v.mp4".into()));
    let inputs = world.media(json!({"video_url": UPLOAD}));
    let taken = world.take_knowing(&inputs, &own).await.unwrap();
    let file = &taken.facts.0[0];
    assert_eq!((file.artifact.as_str(), file.bytes), ("uploads/token/v.mp4", good().len() as u64));
    assert!(world.host.requests().is_empty());
}

#[tokio::test]
async fn another_owners_file_and_one_that_is_gone_are_the_same_to_the_sender() {
    let world = World::new();
    let stranger = OwnerId::new(Timestamp(1), &SeededRng::new(9));
    let own = OwnUrls::default();
    let inputs = world.media(json!({"video_url": UPLOAD}));
    let mut messages = Vec::new();
    for owner in [stranger, world.owner.clone()] {
        *own.0.lock().unwrap() = vec![(owner, UPLOAD.into(), "uploads/token/v.mp4".into())];
        match world.take_knowing(&inputs, &own).await {
            Err(IntakeError::Faults(faults)) => messages.push(faults),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(messages[0], messages[1]);
    assert_eq!(messages[0][0].kind, "file_download_error");
}

#[tokio::test]
async fn kept_data_is_measured_and_stays_when_another_input_fails() {
    let world = World::new();
    world.artifacts.put("inputs/req_1/data/0", still("png", "64x48")).await.unwrap();
    let mut inputs = world.media(json!({
        "video_url": world.serve("/v", Reply::ok(good())),
        "image_urls": ["https://placeholder.example/i.png"],
    }));
    inputs[1].source = Source::Kept("inputs/req_1/data/0".to_owned());
    let taken = world.take(&inputs).await.unwrap();
    assert_eq!(taken.facts.0[1].artifact, "inputs/req_1/data/0");
    world.serve("/v", Reply::status(404));
    assert!(matches!(world.take(&inputs).await, Err(IntakeError::Faults(_))));
    assert_eq!(world.files().len(), 1, "{KEPT_SCHEME} bytes belong to the request");
}

#[tokio::test]
async fn kept_bytes_are_held_to_the_same_limits() {
    let world = World::new();
    let mut inputs = world.media(json!({"video_url": "https://placeholder.example/v.mp4"}));
    inputs[0].source = Source::Kept("inputs/req_1/data/0".to_owned());
    for (bytes, kind) in [
        (still("png", "64x48"), "unsupported_video_format"),
        (Bytes::new(), "unsupported_video_format"),
    ] {
        world.artifacts.put("inputs/req_1/data/0", bytes).await.unwrap();
        let Err(IntakeError::Faults(faults)) = world.take(&inputs).await else { panic!("{kind}") };
        assert_eq!(told(&faults)[0].0, kind);
    }
    inputs[0].max_bytes = good().len() as u64 - 1;
    world.artifacts.put("inputs/req_1/data/0", good()).await.unwrap();
    let Err(IntakeError::Faults(faults)) = world.take(&inputs).await else { panic!("too large") };
    assert_eq!(faults[0].kind, "file_too_large");
}

#[tokio::test]
async fn kept_bytes_that_are_lost_are_no_fault_of_the_sender() {
    let world = World::new();
    let mut inputs = world.media(json!({"video_url": "https://placeholder.example/v.mp4"}));
    inputs[0].source = Source::Kept("inputs/req_1/data/0".to_owned());
    let outcome = world.take(&inputs).await;
    assert!(matches!(outcome, Err(IntakeError::Infrastructure(_))), "{outcome:?}");
}
