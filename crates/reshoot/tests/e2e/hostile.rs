//! What the media can do wrong, on purpose or not: refused with the field's name, uncharged,
//! nothing hung, nothing left on disk.

use serde_json::{Value, json};
use testkit::{MediaHost, Reply};

use crate::support::home::{Home, names};
use crate::support::media::{clip, ffmpeg, plain_png, png_that_claims};
use crate::support::processes::until;
use crate::support::{KLING, Server, sample_bytes};

/// One bad input: what it is, the body that has it, what is said of it.
struct Case {
    what: &'static str,
    body: Value,
    faults: Vec<Said>,
}

/// Where, of which type, and words of the message.
type Said = (Value, &'static str, &'static [&'static str]);

const NARROW: &str = "elements[1].frontal_image_url: 212x640 px, at least 300x300 px is required";

fn host() -> MediaHost {
    let host = MediaHost::http();
    let good = clip(1280, 720, 24, 4.0);
    host.on("/bunny.mp4", Reply::ok(sample_bytes("bigbuckbunny_720p25_5s.mp4")).ranges());
    host.on("/apple.jpg", Reply::ok(sample_bytes("apple.jpg")));
    host.on("/short.mp4", Reply::ok(clip(1280, 720, 24, 2.0)));
    host.on("/narrow.png", Reply::ok(plain_png(212, 640, "red")));
    let playlist =
        "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n";
    host.on("/playlist.mp4", Reply::ok(playlist).content_type("video/mp4"));
    let mjpeg = "-f lavfi -i testsrc2=size=1280x720:rate=24:duration=4 -c:v mjpeg -q:v 20 -pix_fmt yuvj420p";
    host.on("/mjpeg.mov", Reply::ok(ffmpeg(mjpeg, "a.mov")));
    host.on(
        "/bomb.png",
        Reply::ok(png_that_claims(60_000, 60_000, b"\x78\x9c\x03\x00\x00\x00\x00\x01")),
    );
    host.on(
        "/liar.png",
        Reply::ok(png_that_claims(4000, 4000, b"\x78\x9c\x03\x00\x00\x00\x00\x01")),
    );
    host.on("/half.mp4", Reply::ok(good[..good.len() * 6 / 10].to_vec()));
    host.on("/cut.mp4", Reply::ok(good).cut_after(50_000));
    let long = "-f lavfi -i color=size=720x720:rate=1/3600:duration=36000 -c:v libx264 -pix_fmt yuv420p -movflags +faststart";
    host.on("/ten-hours.mp4", Reply::ok(ffmpeg(long, "a.mp4")).ranges());
    host
}

fn cases(host: &MediaHost) -> Vec<Case> {
    let video =
        |path: &str| json!({"prompt": "a new shot of @Video1", "video_url": host.url(path)});
    let case = |what, path, kind, words| Case {
        what,
        body: video(path),
        faults: vec![(json!(["body", "video_url"]), kind, words)],
    };
    let image = |what, path, kind, words| Case {
        what,
        body: json!({"prompt": "go", "video_url": host.url("/bunny.mp4"), "image_urls": [host.url(path)]}),
        faults: vec![(json!(["body", "image_urls", 0]), kind, words)],
    };
    vec![
        case(
            "too short",
            "/short.mp4",
            "video_duration_too_short",
            &["2 s duration", "3 to 10.05 s"],
        ),
        case("not there", "/nowhere.mp4?signature=sesame", "file_download_error", &["404"]),
        case("a playlist", "/playlist.mp4", "unsupported_video_format", &["format"]),
        case(
            "a codec outside the list",
            "/mjpeg.mov",
            "unsupported_video_format",
            &["mjpeg", "h264"],
        ),
        case("truncated", "/half.mp4", "video_load_error", &[]),
        case("cut off", "/cut.mp4", "file_download_error", &[]),
        case(
            "ten hours",
            "/ten-hours.mp4",
            "video_duration_too_long",
            &["duration", "36000", "10.05"],
        ),
        image("a bomb", "/bomb.png", "image_too_large", &["60000x60000 px", "8192"]),
        image("a picture without pixels", "/liar.png", "image_load_error", &[]),
        several(host),
    ]
}

fn several(host: &MediaHost) -> Case {
    let element = |path: &str| json!({"frontal_image_url": host.url(path)});
    let body = json!({
        "prompt": "@Element2 walks by",
        "video_url": host.url("/short.mp4"),
        "elements": [element("/apple.jpg"), element("/narrow.png")],
        "image_urls": [host.url("/gone.png")],
    });
    let faults: Vec<Said> = vec![
        (json!(["body", "video_url"]), "video_duration_too_short", &["duration"]),
        (json!(["body", "elements", 1, "frontal_image_url"]), "image_too_small", &[NARROW]),
        (json!(["body", "image_urls", 0]), "file_download_error", &["404"]),
    ];
    Case { what: "several at once", body, faults }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_media_is_refused_by_name_and_leaves_nothing_behind() {
    let host = host();
    let server = Server::start(Home::new(&[host.address().to_string()]));
    let cases = cases(&host);
    let ids: Vec<String> = cases.iter().map(|case| server.submit(KLING, &case.body)).collect();
    let mut wrong = Vec::new();
    for (case, id) in cases.iter().zip(&ids) {
        let result = server.finished(id);
        if let Err(why) = refused(case, &result) {
            wrong.push(format!("{}: {why}: {result:#}", case.what));
        }
        assert_eq!(server.status(id)["status"], "completed", "{}", case.what);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    until("the end of all that looked at it", || server.children().is_empty().then_some(()));
    for folder in ["files", "scratch"] {
        let left = server.home.files_under(folder);
        assert!(left.is_empty(), "left in {folder}: {:?}", names(&left, &server.home.data()));
    }
    let inputs = server.home.data().join("files/inputs");
    assert_eq!(std::fs::read_dir(inputs).unwrap().count(), 0, "folders are left");
    assert!(host.sent("/ten-hours.mp4") < 200_000);
    assert_eq!(server.call_as(None, "GET", "/readyz", None).status, 200);
    let (_home, _key, _status, log) = server.terminate();
    assert!(!log.contains("sesame"), "a signature is in the log: {log}");
}

fn refused(case: &Case, result: &Value) -> Result<(), String> {
    let found = |ok: bool, what: &str| if ok { Ok(()) } else { Err(what.to_owned()) };
    found(result["status"] == "failed", "it is not refused")?;
    found(result["cost"] == 0.0, "it costs")?;
    found(result["error"]["type"] == "input", "its class is not input")?;
    found(!result["error"].to_string().contains("/tmp/"), "it shows a path of this machine")?;
    found(!result["error"].to_string().contains("sesame"), "it shows a signature")?;
    let detail = result["error"]["detail"].as_array().ok_or("no detail")?;
    for (at, kind, words) in &case.faults {
        let about = detail.iter().filter(|fault| fault["loc"] == *at && fault["type"] == *kind);
        let about: Vec<&str> = about.filter_map(|fault| fault["msg"].as_str()).collect();
        let said = |word: &&str| about.iter().any(|message| message.contains(word));
        found(!about.is_empty(), &format!("no {kind} at {at}"))?;
        found(words.iter().all(said), &format!("{about:?} lacks one of {words:?}"))?;
    }
    Ok(())
}
