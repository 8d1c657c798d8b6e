//! Refused after kilobytes: what the host counts is what was spent.

use serde_json::json;
use testkit::Reply;

use crate::clips::{clip, fast_clip, padded, still, trailed};
use crate::support::World;

const LARGE: usize = 32 << 20;
/// What a host can have sent while its client made up its mind: what was read, and the buffers in
/// between, which are kept small here.
const LITTLE: u64 = 256 << 10;

async fn refused(reply: Reply, kind: &str) -> World {
    let world = World::new();
    let url = world.serve("/v", reply);
    let faults = world.faults(json!({"video_url": url})).await;
    assert_eq!(faults[0].kind, kind, "{faults:?}");
    world
}

#[tokio::test]
async fn a_large_video_that_is_too_long_by_its_first_bytes() {
    let film = trailed(&fast_clip("720x720", "24", "12"), LARGE);
    let world = refused(Reply::ok(film), "video_duration_too_long").await;
    assert!(world.host.sent("/v") < LITTLE, "{} bytes", world.host.sent("/v"));
}

#[tokio::test]
async fn a_large_video_that_is_too_long_by_its_last_bytes() {
    let film = padded(&clip("720x720", "24", "12"), LARGE);
    let world = refused(Reply::ok(film).ranges(), "video_duration_too_long").await;
    assert!(world.host.sent("/v") < LITTLE, "{} bytes", world.host.sent("/v"));
    let ranges: Vec<_> = world
        .host
        .requests_of("/v")
        .iter()
        .map(|request| request.range().map(str::to_owned))
        .collect();
    assert!(
        matches!(&ranges[..], [None, Some(range)] if range.starts_with("bytes=")),
        "{ranges:?}"
    );
}

/// Cameras put boxes of their own around the samples.
#[tokio::test]
async fn a_large_video_whose_header_is_between_other_large_boxes() {
    let film = padded(&clip("720x720", "24", "12"), LARGE / 2);
    for film in [padded(&film, LARGE / 2), trailed(&film, LARGE / 2)] {
        let world = refused(Reply::ok(film).ranges(), "video_duration_too_long").await;
        assert!(world.host.sent("/v") < LITTLE, "{} bytes", world.host.sent("/v"));
    }
}

/// Some hosts serve one connection of a client at a time.
#[tokio::test]
async fn a_host_that_does_not_answer_a_second_request_costs_the_early_look_only() {
    let world = World::new();
    let film = padded(&clip("1280x720", "24", "3"), 1 << 20);
    let url = world.host.url("/v");
    world.host.script("/v", [Reply::ok(film).ranges(), Reply::hang()]);
    let mut inputs = world.media(json!({"video_url": url}));
    inputs[0].fetch_secs = 8;
    world.take(&inputs).await.unwrap();
    assert_eq!(world.host.requests_of("/v").len(), 2);
}

#[tokio::test]
async fn without_ranges_the_whole_file_has_to_come_first() {
    let film = padded(&clip("720x720", "24", "12"), LARGE);
    let world = refused(Reply::ok(film.clone()), "video_duration_too_long").await;
    assert_eq!(world.host.requests_of("/v").len(), 1);
    assert_eq!(world.host.sent("/v"), film.len() as u64);
}

#[tokio::test]
async fn a_large_video_of_the_wrong_size() {
    let film = trailed(&fast_clip("640x360", "24", "3"), LARGE);
    let world = refused(Reply::ok(film), "video_too_small").await;
    assert!(world.host.sent("/v") < LITTLE, "{} bytes", world.host.sent("/v"));
}

#[tokio::test]
async fn a_large_file_of_the_wrong_type() {
    let mut archive = b"PK\x03\x04".to_vec();
    archive.resize(LARGE, 0);
    let world = refused(Reply::ok(archive), "unsupported_video_format").await;
    assert!(world.host.sent("/v") < LITTLE, "{} bytes", world.host.sent("/v"));
}

#[tokio::test]
async fn a_large_picture_of_the_wrong_size() {
    let world = World::new();
    let mut picture = still("png", "200x200").to_vec();
    picture.resize(9 << 20, 0);
    let faults = world
        .faults(json!({
            "video_url": world.serve("/v", Reply::ok(crate::clips::good())),
            "elements": [{"frontal_image_url": world.serve("/f", Reply::ok(picture))}],
        }))
        .await;
    assert_eq!(faults[0].kind, "image_too_small");
    assert!(world.host.sent("/f") < LITTLE, "{} bytes", world.host.sent("/f"));
}
