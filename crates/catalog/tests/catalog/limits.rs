//! Each limit on measured media, both sides of it.

use catalog::MediaInput;
use domain::Fault;
use domain::facts::{ImageFacts, MediaFacts, VideoFacts};
use serde_json::json;

use crate::{check, kling, with};

const MIB: u64 = 1024 * 1024;

fn inputs() -> Vec<MediaInput> {
    let mut body = with("image_urls", json!(["https://e.com/i.png"]));
    body["elements"] = json!([
        {"frontal_image_url": "https://e.com/a.png"},
        {"frontal_image_url": "https://e.com/f.png", "reference_image_urls": ["https://e.com/v.png"]},
    ]);
    check(&kling(), &body).unwrap().inputs.media
}

fn input(pointer: &str) -> MediaInput {
    inputs().into_iter().find(|input| input.pointer == pointer).unwrap()
}

fn video() -> VideoFacts {
    VideoFacts {
        width: 1280,
        height: 720,
        duration_secs: 5.0,
        fps: 24.0,
        codec: "h264".to_owned(),
        has_audio: true,
        variable_rate: false,
        hdr: false,
    }
}

fn of_video(facts: VideoFacts, bytes: u64) -> Vec<Fault> {
    kling().check(&input("/video_url"), &MediaFacts::Video(facts), bytes)
}

fn of_image(pointer: &str, width: u32, height: u32, format: &str, bytes: u64) -> Vec<Fault> {
    let facts = ImageFacts { width, height, format: format.to_owned(), has_alpha: false };
    kling().check(&input(pointer), &MediaFacts::Image(facts), bytes)
}

/// Faults as `type: message`.
fn told(faults: &[Fault]) -> Vec<String> {
    faults.iter().map(|fault| format!("{}: {}", fault.kind, fault.msg)).collect()
}

#[test]
fn video_duration_is_3_to_10_05_s() {
    for secs in [3.0, 5.0, 10.05] {
        assert_eq!(of_video(VideoFacts { duration_secs: secs, ..video() }, MIB), []);
    }
    let short = of_video(VideoFacts { duration_secs: 2.96, ..video() }, MIB);
    assert_eq!(
        told(&short),
        ["video_duration_too_short: video_url: 2.96 s duration, 3 to 10.05 s is required"]
    );
    let long = of_video(VideoFacts { duration_secs: 10.06, ..video() }, MIB);
    assert_eq!(
        told(&long),
        ["video_duration_too_long: video_url: 10.06 s duration, 3 to 10.05 s is required"]
    );
    assert_eq!(long[0].ctx["max_duration"], 10.05);
    assert_eq!(long[0].ctx["provided_duration"], 10.06);
    assert_eq!(of_video(VideoFacts { duration_secs: f64::NAN, ..video() }, MIB).len(), 1);
}

#[test]
fn video_duration_can_be_told_from_a_header() {
    let input = input("/video_url");
    assert_eq!(input.check_duration(10.05), None);
    assert_eq!(input.check_duration(36_000.0).unwrap().kind, "video_duration_too_long");
}

#[test]
fn video_sides_are_720_to_2160_px() {
    for (width, height) in [(720, 720), (2160, 2160), (720, 2160), (2160, 720)] {
        assert_eq!(of_video(VideoFacts { width, height, ..video() }, MIB), []);
    }
    let small = of_video(VideoFacts { width: 1280, height: 719, ..video() }, MIB);
    assert_eq!(
        told(&small),
        ["video_too_small: video_url: 1280x719 px, at least 720x720 px is required"]
    );
    let large = of_video(VideoFacts { width: 2161, height: 1080, ..video() }, MIB);
    assert_eq!(
        told(&large),
        ["video_too_large: video_url: 2161x1080 px, at most 2160x2160 px is allowed"]
    );
    let both = of_video(VideoFacts { width: 3840, height: 600, ..video() }, MIB);
    assert_eq!(both.len(), 2);
}

#[test]
fn video_rate_is_24_to_60_fps_with_a_little_slack() {
    for fps in [23.9, 23.976, 24.0, 59.94, 60.0, 60.5] {
        assert_eq!(of_video(VideoFacts { fps, ..video() }, MIB), [], "{fps}");
    }
    let slow = of_video(VideoFacts { fps: 23.89, ..video() }, MIB);
    assert_eq!(told(&slow), ["greater_than_equal: video_url: 23.89 fps, 24 to 60 fps is required"]);
    let fast = of_video(VideoFacts { fps: 60.51, ..video() }, MIB);
    assert_eq!(told(&fast), ["less_than_equal: video_url: 60.51 fps, 24 to 60 fps is required"]);
    assert_eq!(fast[0].ctx["property"], "fps");
}

#[test]
fn video_codecs_are_the_listed_ones() {
    for codec in ["h264", "hevc", "av1", "vp9", "mpeg4", "prores"] {
        assert_eq!(of_video(VideoFacts { codec: codec.to_owned(), ..video() }, MIB), []);
    }
    let found = of_video(VideoFacts { codec: "mjpeg".to_owned(), ..video() }, MIB);
    assert_eq!(
        told(&found),
        [
            "unsupported_video_format: video_url: video codec `mjpeg`, one of `h264`, `hevc`, `av1`, \
          `vp9`, `mpeg4`, `prores` is required"
        ]
    );
}

#[test]
fn containers_and_sound_codecs_are_the_listed_ones() {
    let video = input("/video_url");
    for format in ["mp4", "mov"] {
        assert_eq!(video.check_format(format), None);
    }
    assert_eq!(
        video.check_format("matroska").unwrap().msg,
        "video_url: video format `matroska`, one of `mp4`, `mov` is required"
    );
    for codec in ["aac", "mp3", "alac", "pcm_s16le", "pcm_f32le", "opus", "ac3"] {
        assert_eq!(video.check_sound(codec), None, "{codec}");
    }
    let found = video.check_sound("wmav2").unwrap();
    assert_eq!(found.kind, "unsupported_audio_format");
    assert_eq!(input("/image_urls/0").check_sound("wmav2"), None);
}

#[test]
fn video_has_up_to_200_mib_and_is_warned_about_above_100_mb() {
    assert_eq!(of_video(video(), 200 * MIB), []);
    let found = of_video(video(), 200 * MIB + 1);
    assert_eq!(
        told(&found),
        ["file_too_large: video_url: file of 200 MiB, at most 200 MiB is allowed"]
    );
    let input = input("/video_url");
    assert!(kling().advise(&input, 100_000_000).is_empty());
    assert_eq!(
        kling().advise(&input, 150 * MIB),
        ["video_url: file of 150 MiB, at most 95.4 MiB is recommended"]
    );
}

#[test]
fn images_are_jpeg_png_or_webp_up_to_8192_px_and_50_mib() {
    let at = "/image_urls/0";
    for (width, height, format, bytes) in
        [(1, 1, "jpeg", 1), (8192, 8192, "png", 50 * MIB), (8192, 1, "webp", 1)]
    {
        assert_eq!(of_image(at, width, height, format, bytes), []);
    }
    let large = of_image(at, 8193, 10, "png", MIB);
    assert_eq!(
        told(&large),
        ["image_too_large: image_urls[0]: 8193x10 px, at most 8192x8192 px is allowed"]
    );
    let heavy = of_image(at, 10, 10, "png", 50 * MIB + 1);
    assert_eq!(heavy[0].kind, "file_too_large");
    assert_eq!(heavy[0].ctx["max_size"], 50 * MIB);
    let gif = of_image(at, 10, 10, "gif", 1);
    assert_eq!(
        told(&gif),
        ["unsupported_image_format: image_urls[0]: image format `gif`, one of `jpeg`, `png`, \
          `webp` is required"]
    );
}

#[test]
fn a_frontal_image_has_at_least_300_px_a_side() {
    let at = "/elements/1/frontal_image_url";
    assert_eq!(of_image(at, 300, 300, "png", 1), []);
    let found = of_image(at, 299, 300, "png", 1);
    assert_eq!(
        told(&found),
        ["image_too_small: elements[1].frontal_image_url: 299x300 px, at least 300x300 px is \
          required"]
    );
    assert_eq!(found[0].ctx["min_width"], 300);
    assert_eq!(found[0].ctx["min_height"], 300);
    // Another view has no such limit.
    assert_eq!(of_image("/elements/1/reference_image_urls/0", 10, 100, "png", 1), []);
}

#[test]
fn a_frontal_image_has_an_aspect_of_0_40_to_2_50() {
    let at = "/elements/0/frontal_image_url";
    for (width, height) in [(400, 1000), (1000, 400), (500, 500)] {
        assert_eq!(of_image(at, width, height, "png", 1), [], "{width}x{height}");
    }
    let tall = of_image(at, 399, 1000, "png", 1);
    assert_eq!(
        told(&tall),
        [
            "greater_than_equal: elements[0].frontal_image_url: aspect ratio 0.399 (width to height), \
          0.4 to 2.5 is required"
        ]
    );
    let wide = of_image(at, 1001, 400, "png", 1);
    assert_eq!(wide[0].kind, "less_than_equal");
    assert_eq!(wide[0].ctx["le"], 2.5);
}

#[test]
fn a_frontal_image_has_up_to_10_mib() {
    let at = "/elements/0/frontal_image_url";
    assert_eq!(of_image(at, 500, 500, "png", 10 * MIB), []);
    assert_eq!(of_image(at, 500, 500, "png", 10 * MIB + 1)[0].kind, "file_too_large");
}

#[test]
fn a_picture_is_no_video_and_a_video_no_picture() {
    let facts = ImageFacts { width: 9, height: 9, format: "png".to_owned(), has_alpha: false };
    let found = kling().check(&input("/video_url"), &MediaFacts::Image(facts), 1);
    assert_eq!(found[0].msg, "video_url: video format `png`, one of `mp4`, `mov` is required");
    let found = kling().check(&input("/image_urls/0"), &MediaFacts::Video(video()), 1);
    assert_eq!(found[0].kind, "unsupported_image_format");
}

#[test]
fn what_streams_in_is_refused_before_its_size_is_known() {
    let found = input("/elements/0/frontal_image_url").too_large(None);
    assert_eq!(
        found.msg,
        "elements[0].frontal_image_url: file too large, at most 10 MiB is allowed"
    );
}
