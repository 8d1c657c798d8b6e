//! What is taken, and what is known of it then.

use std::path::PathBuf;

use std::sync::Arc;

use catalog::MediaLimits;
use domain::facts::{MediaFacts, Role};
use intake::{IntakeError, PoolLimits};
use serde_json::json;
use testkit::Reply;

use crate::clips::{X264, clip, fast_clip, good, made, padded, picture, sample, still, turned};
use crate::support::{FOLDER, World};

#[tokio::test]
async fn all_inputs_of_a_request_are_kept_and_measured() {
    let world = World::new();
    let film = sample("bigbuckbunny_720p25_5s.mp4");
    let inputs = world.media(json!({
        "video_url": world.serve("/v.mp4", Reply::ok(film.clone()).ranges()),
        "image_urls": [world.serve("/i", Reply::ok(sample("starry_night.jpg")))],
        "elements": [{
            "frontal_image_url": world.serve("/f", Reply::ok(sample("apple.jpg"))),
            "reference_image_urls": [world.serve("/r", Reply::ok(still("png", "64x64")))],
        }],
    }));
    let taken = world.take(&inputs).await.unwrap();
    let facts = &taken.facts;
    assert_eq!(facts.0.len(), 4);
    let video = facts.video(1).unwrap();
    assert_eq!((video.width, video.height, video.codec.as_str()), (1280, 720, "h264"));
    assert!((video.fps - 25.0).abs() < 0.01 && (video.duration_secs - 5.0).abs() < 0.3);
    let of_video = facts.find(Role::Video { n: 1 }).unwrap();
    assert_eq!(of_video.bytes, film.len() as u64);
    assert_eq!(
        std::fs::read(world.artifacts.local_path(&of_video.artifact).unwrap()).unwrap(),
        film
    );
    for input in &facts.0 {
        assert!(input.artifact.starts_with(FOLDER) && input.sha256.len() == 64, "{input:?}");
    }
    let MediaFacts::Image(view) = &facts.find(Role::ElementView { n: 1, view: 1 }).unwrap().media
    else {
        panic!("a view is a picture");
    };
    assert_eq!((view.width, view.height, view.format.as_str()), (64, 64, "png"));
    assert_eq!(
        facts.0.iter().map(|f| f.pointer.as_str()).collect::<Vec<_>>(),
        inputs.iter().map(|i| i.pointer.as_str()).collect::<Vec<_>>()
    );
    assert_eq!(world.files().len(), 4);
}

#[tokio::test]
async fn the_type_is_told_by_the_bytes_not_by_the_host() {
    let world = World::new();
    let inputs = world.media(json!({
        "video_url": world.serve("/a.jpg", Reply::ok(good()).content_type("image/jpeg")),
        "image_urls": [world.serve("/b.mp4", Reply::ok(still("webp", "80x60")).content_type("text/html"))],
    }));
    let taken = world.take(&inputs).await.unwrap();
    assert!(matches!(&taken.facts.0[1].media, MediaFacts::Image(f) if f.format == "webp"));
}

#[tokio::test]
async fn containers_and_codecs_of_the_list_are_taken() {
    let world = World::new();
    let shot = picture("1280x720", "24", "3");
    let tone = "-f lavfi -i sine=frequency=440:duration=3";
    for (name, extension, args) in [
        ("mov", "mov", format!("{shot} {X264}")),
        ("fragmented", "mp4", format!("{shot} {X264} -movflags +frag_keyframe+empty_moov")),
        ("mpeg4", "mp4", format!("{shot} -c:v mpeg4")),
        ("prores", "mov", format!("{shot} -c:v prores_ks -profile:v 0")),
        ("sound", "mp4", format!("{shot} {tone} {X264} -c:a aac")),
        ("pcm", "mov", format!("{shot} {tone} {X264} -c:a pcm_s16le")),
    ] {
        let url = world.serve("/v", Reply::ok(made(extension, &args)).ranges());
        let taken = world.take(&world.media(json!({"video_url": url}))).await;
        let taken = taken.unwrap_or_else(|e| panic!("{name}: {e}"));
        let video = taken.facts.video(1).unwrap();
        assert!((video.duration_secs - 3.0).abs() < 0.1, "{name}: {video:?}");
        assert_eq!(video.has_audio, matches!(name, "sound" | "pcm"), "{name}");
    }
}

#[tokio::test]
async fn sizes_are_those_of_the_upright_picture() {
    let world = World::new();
    let turned = turned(&fast_clip("1280x720", "24", "3"));
    let squeezed =
        made("mp4", &format!("{} -vf setsar=3/4 {X264}", picture("1280x720", "24", "3")));
    for (clip, size) in [(turned, (720, 1280)), (squeezed, (960, 720))] {
        let url = world.serve("/v", Reply::ok(clip));
        let taken = world.take(&world.media(json!({"video_url": url}))).await.unwrap();
        let video = taken.facts.video(1).unwrap();
        assert_eq!((video.width, video.height), size);
    }
}

#[tokio::test]
async fn a_file_with_its_header_at_the_end_is_taken_whole() {
    let world = World::new();
    let film = clip("1280x720", "24", "3");
    for reply in [
        Reply::ok(film.clone()),
        Reply::ok(film.clone()).ranges(),
        Reply::ok(film.clone()).chunked(),
    ] {
        let url = world.serve("/v", reply);
        let taken = world.take(&world.media(json!({"video_url": url}))).await.unwrap();
        assert_eq!(taken.facts.0[0].bytes, film.len() as u64);
    }
}

#[tokio::test]
async fn a_recommendation_that_is_missed_is_a_warning() {
    let world = World::new();
    let mut inputs = world.media(json!({"video_url": world.serve("/v", Reply::ok(good()))}));
    for (recommended, warnings) in [(good().len() as u64, 0), (good().len() as u64 - 1, 1)] {
        let limits = Arc::make_mut(&mut inputs[0].limits);
        let MediaLimits::Video(limits) = limits else { panic!("a video") };
        limits.recommended_bytes = Some(recommended);
        let taken = world.take(&inputs).await.unwrap();
        assert_eq!(taken.warnings.len(), warnings);
        assert!(taken.warnings.iter().all(|text| text.starts_with("video_url: ")));
    }
}

#[tokio::test]
async fn a_host_that_recovers_costs_nothing() {
    let world = World::new();
    let url = world.host.url("/v");
    world.host.script("/v", [Reply::status(503), Reply::status(500), Reply::ok(good())]);
    world.take(&world.media(json!({"video_url": url}))).await.unwrap();
}

#[tokio::test]
async fn many_inputs_of_one_host_go_through_a_narrow_pool() {
    let world = World::with(PoolLimits {
        fetches: 1,
        fetches_per_host: 1,
        disk_bytes: 1 << 20,
        measures: 1,
    });
    let picture = still("png", "64x64");
    let urls: Vec<String> =
        (0..4).map(|n| world.serve(&format!("/{n}"), Reply::ok(picture.clone()))).collect();
    let video = world.serve("/v", Reply::ok(good()));
    let inputs = world.media(json!({"video_url": video, "image_urls": urls}));
    assert_eq!(world.take(&inputs).await.unwrap().facts.0.len(), 5);
}

#[tokio::test]
async fn cancelling_ends_a_fetch_and_leaves_nothing() {
    let world = World::new();
    let film = fast_clip("1280x720", "24", "3");
    let inputs = world.media(json!({
        "video_url": world.serve("/v", Reply::ok(film.clone()).stall_after(film.len() - 1)),
        "image_urls": [world.serve("/i", Reply::ok(still("png", "64x64")))],
    }));
    let stop = async {
        world.host.arrived(2).await;
        world.cancel.cancel();
    };
    let (outcome, ()) = tokio::join!(world.take(&inputs), stop);
    assert!(matches!(outcome, Err(IntakeError::Cancelled)), "{outcome:?}");
    world.nothing_left();
}

#[tokio::test]
async fn cancelling_while_a_file_is_being_synced_leaves_nothing() {
    let film = padded(&good(), 8 << 20);
    for _ in 0..8 {
        let world = World::new();
        let inputs = world.media(json!({"video_url": world.serve("/v", Reply::ok(film.clone()))}));
        let stop = async {
            let written =
                |path: &PathBuf| path.metadata().is_ok_and(|m| m.len() == film.len() as u64);
            while !world.files().iter().any(written) {
                tokio::task::yield_now().await;
            }
            world.cancel.cancel();
        };
        let (outcome, ()) = tokio::join!(world.take(&inputs), stop);
        assert!(matches!(outcome, Err(IntakeError::Cancelled)), "{outcome:?}");
        world.nothing_left();
    }
}
