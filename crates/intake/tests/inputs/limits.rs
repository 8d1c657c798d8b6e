//! Each limit from both sides, and each fault with its field.

use bytes::Bytes;
use serde_json::{Value, json};
use testkit::Reply;

use crate::clips::{X264, fast_clip, good, made, picture, still};
use crate::support::{World, told};

async fn verdict(clip: Bytes) -> Vec<String> {
    let world = World::new();
    let url = world.serve("/v", Reply::ok(clip).ranges());
    let inputs = world.media(json!({"video_url": url}));
    match world.take(&inputs).await {
        Ok(_) => Vec::new(),
        Err(intake::IntakeError::Faults(faults)) => {
            world.nothing_left();
            assert!(faults.iter().all(|f| f.msg.starts_with("video_url: ")), "{faults:?}");
            faults.into_iter().map(|fault| fault.kind).collect()
        }
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn length() {
    assert!(verdict(fast_clip("1280x720", "24", "3")).await.is_empty());
    assert_eq!(verdict(fast_clip("1280x720", "24", "2.9")).await, ["video_duration_too_short"]);
    assert!(verdict(fast_clip("720x720", "24", "10")).await.is_empty());
    assert_eq!(verdict(fast_clip("720x720", "24", "10.2")).await, ["video_duration_too_long"]);
}

#[tokio::test]
async fn sides() {
    assert!(verdict(fast_clip("720x2160", "24", "3")).await.is_empty());
    assert_eq!(verdict(fast_clip("718x1280", "24", "3")).await, ["video_too_small"]);
    assert_eq!(verdict(fast_clip("720x2162", "24", "3")).await, ["video_too_large"]);
}

#[tokio::test]
async fn frame_rate() {
    assert!(verdict(fast_clip("720x720", "24000/1001", "3.1")).await.is_empty());
    assert!(verdict(fast_clip("720x720", "60", "3")).await.is_empty());
    assert_eq!(verdict(fast_clip("720x720", "23", "3.1")).await, ["greater_than_equal"]);
    assert_eq!(verdict(fast_clip("720x720", "61", "3.1")).await, ["less_than_equal"]);
}

#[tokio::test]
async fn several_faults_of_one_video_are_all_told() {
    let found = verdict(fast_clip("640x360", "12", "2")).await;
    assert_eq!(found, ["video_duration_too_short", "video_too_small", "greater_than_equal"]);
}

#[tokio::test]
async fn codecs() {
    let shot = picture("1280x720", "24", "3");
    let tone = "-f lavfi -i sine=frequency=440:duration=3";
    let mjpeg = made("mov", &format!("{shot} -c:v mjpeg -pix_fmt yuvj420p"));
    assert_eq!(verdict(mjpeg).await, ["unsupported_video_format"]);
    let flac = made("mp4", &format!("{shot} {tone} {X264} -c:a flac -strict -2"));
    let found = verdict(flac).await;
    assert!(matches!(found[0].as_str(), "unsupported_audio_format" | "unsupported_video_format"));
}

#[tokio::test]
async fn bytes() {
    let world = World::new();
    let film = good();
    let url = world.serve("/v", Reply::ok(film.clone()));
    let mut inputs = world.media(json!({"video_url": url}));
    inputs[0].max_bytes = film.len() as u64;
    world.take(&inputs).await.unwrap();
    inputs[0].max_bytes -= 1;
    let world = World::new();
    for reply in [Reply::ok(film.clone()), Reply::ok(film).chunked()] {
        let url = world.serve("/v", reply);
        let mut small = world.media(json!({"video_url": url}));
        small[0].max_bytes = inputs[0].max_bytes;
        assert_eq!(world.faults_of(&small).await[0].kind, "file_too_large");
    }
}

#[tokio::test]
async fn announced_bytes_over_the_limit_are_refused_at_once() {
    let world = World::new();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", (200 << 20) + 1);
    let url = world.serve("/v", Reply::raw(head));
    let faults = world.faults(json!({"video_url": url})).await;
    assert_eq!(told(&faults)[0].0, "file_too_large");
    assert!(faults[0].msg.contains("200 MiB"), "{}", faults[0].msg);
}

async fn frontal(extension: &str, size: &str) -> Vec<(String, String)> {
    let world = World::new();
    let url = world.serve("/f", Reply::ok(still(extension, size)));
    let good_one = world.serve("/g", Reply::ok(still("png", "300x300")));
    let inputs = world.media(json!({
        "video_url": world.serve("/v", Reply::ok(good())),
        "elements": [{"frontal_image_url": good_one}, {"frontal_image_url": url}],
    }));
    match world.take(&inputs).await {
        Ok(_) => Vec::new(),
        Err(intake::IntakeError::Faults(faults)) => {
            world.nothing_left();
            faults.into_iter().map(|fault| (fault.kind, fault.msg)).collect()
        }
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn frontal_views() {
    assert!(frontal("png", "300x300").await.is_empty());
    assert!(frontal("jpg", "750x300").await.is_empty());
    assert!(frontal("webp", "400x1000").await.is_empty());
    let found = frontal("jpg", "212x640").await;
    let words = "elements[1].frontal_image_url: 212x640 px, at least 300x300 px is required";
    assert!(found.contains(&("image_too_small".to_owned(), words.to_owned())), "{found:?}");
    assert_eq!(frontal("png", "299x300").await.len(), 1);
    assert_eq!(frontal("png", "752x300").await[0].0, "less_than_equal");
    assert_eq!(frontal("png", "398x1000").await[0].0, "greater_than_equal");
}

#[tokio::test]
async fn every_fault_of_every_input_is_told_in_the_order_of_the_body() {
    let world = World::new();
    let inputs = json!({
        "video_url": world.serve("/v", Reply::ok(fast_clip("1280x720", "24", "2.9"))),
        "image_urls": [
            world.serve("/gone", Reply::status(404)),
            world.serve("/gif", Reply::ok(Bytes::from_static(b"GIF89a..............."))),
            world.serve("/fine", Reply::ok(still("png", "64x64"))),
        ],
        "elements": [{"frontal_image_url": world.serve("/f", Reply::ok(still("jpg", "200x200")))}],
    });
    let faults = world.faults(inputs).await;
    assert_eq!(
        faults.iter().map(|fault| (fault.loc.clone(), fault.kind.as_str())).collect::<Vec<_>>(),
        [
            (vec![json!("body"), json!("video_url")], "video_duration_too_short"),
            (vec![json!("body"), json!("image_urls"), json!(0)], "file_download_error"),
            (vec![json!("body"), json!("image_urls"), json!(1)], "unsupported_image_format"),
            (
                vec![json!("body"), json!("elements"), json!(0), json!("frontal_image_url")],
                "image_too_small"
            ),
        ]
    );
    assert_eq!(faults[1].ctx["status"], 404);
    assert!(faults[1].msg.starts_with("image_urls[0]: ") && faults[1].msg.contains("HTTP 404"));
    assert!(faults.iter().all(|fault| fault.input != Value::Null), "{faults:?}");
}

#[tokio::test]
async fn time_is_limited_and_named() {
    let world = World::new();
    let url = world.serve("/v", Reply::hang());
    let mut inputs = world.media(json!({"video_url": url}));
    inputs[0].fetch_secs = 1;
    let faults = world.faults_of(&inputs).await;
    assert_eq!(faults[0].kind, "file_download_error");
    assert!(faults[0].msg.contains("within 1 s"), "{}", faults[0].msg);
}

#[tokio::test]
async fn no_fault_shows_the_query_of_a_signed_url() {
    let world = World::new();
    for reply in [
        Reply::status(403),
        Reply::status(503),
        Reply::ok("no film"),
        Reply::ok(good()).cut_after(1000),
        Reply::redirect(302, "http://10.0.0.1/?sig=SECRET"),
        Reply::ok(fast_clip("1280x720", "24", "2.9")),
    ] {
        let url = format!("{}?X-Amz-Signature=SECRET", world.serve("/v", reply));
        let faults = world.faults(json!({"video_url": url})).await;
        let shown = serde_json::to_string(&faults).unwrap();
        assert!(!shown.contains("SECRET") && shown.contains("/v\""), "{shown}");
    }
}
