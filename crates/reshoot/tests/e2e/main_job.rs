//! The page's own call, and what comes of it.

use std::process::Command;

use serde_json::{Value, json};
use testkit::{MediaHost, Reply as HostReply};

use crate::support::home::Home;
use crate::support::media::{ffprobe, is_faststart, on_disk};
use crate::support::processes::until;
use crate::support::{KLING, Reply, Server, sample_bytes};

/// As the model's API page prints it.
const PAGE_CURL: &str = r#"curl --request POST \
  --url https://model-api.runcomfy.net/v1/models/kling/kling-video-o1/video-to-video/reference \
  --header "Content-Type: application/json" \
  --header "Authorization: Bearer <token>" \
  --data '{
    "prompt": "Based on @Video1, generate the next shot. keep the style of the video",
    "video_url": "https://playgrounds-storage-public.runcomfy.net/tools/7246/media-files/input-1-1.mp4",
    "elements": [
      {
        "frontal_image_url": "https://playgrounds-storage-public.runcomfy.net/tools/7246/media-files/input-1-2.png",
        "reference_image_urls": [
          "https://playgrounds-storage-public.runcomfy.net/tools/7246/media-files/input-1-3.jpeg"
        ]
      }
    ],
    "image_urls": [
      "https://playgrounds-storage-public.runcomfy.net/tools/7246/media-files/input-1-4.png"
    ]
  }'"#;

/// A media host with the samples under the page's own paths.
fn page_host() -> MediaHost {
    let host = MediaHost::http();
    let folder = "/tools/7246/media-files";
    for (name, sample, kind) in [
        ("input-1-1.mp4", "bigbuckbunny_720p25_5s.mp4", "video/mp4"),
        ("input-1-2.png", "astronaut.png", "image/png"),
        ("input-1-3.jpeg", "apple.jpg", "image/jpeg"),
        ("input-1-4.png", "starry_night.jpg", "image/jpeg"),
    ] {
        let reply = HostReply::ok(sample_bytes(sample)).content_type(kind).ranges();
        host.on(&format!("{folder}/{name}"), reply);
    }
    host
}

#[tokio::test(flavor = "multi_thread")]
async fn the_curl_of_the_page_makes_a_clip() {
    let host = page_host();
    let server = Server::start(Home::new(&[host.address().to_string()]));
    let call = PAGE_CURL
        .replace("https://model-api.runcomfy.net", server.base())
        .replace("<token>", &server.key)
        .replace("https://playgrounds-storage-public.runcomfy.net", &host.url(""));
    let call = format!("{call} --silent --show-error --write-out '\\n%{{http_code}}'");
    let output = Command::new("sh").args(["-c", &call]).output().unwrap();
    let submitted = Reply::parse(output.stdout).expect(200);

    let id = submitted["request_id"].as_str().unwrap();
    let at = |end: &str| json!(format!("{}/v1/requests/{id}/{end}", server.base()));
    let expected = json!({
        "request_id": id,
        "status_url": at("status"),
        "result_url": at("result"),
        "cancel_url": at("cancel"),
    });
    assert_eq!(submitted, expected);

    let states = polled_to_the_end(&server, submitted["status_url"].as_str().unwrap());
    assert!(states.windows(2).all(|pair| pair[0] < pair[1]), "{states:?}");
    let result = server.get(submitted["result_url"].as_str().unwrap()).expect(200);
    assert_eq!(result["status"], "succeeded", "{result:#}");
    assert_eq!(result["model_id"], KLING);
    assert!(result.get("cost").is_none() && result.get("error").is_none());
    let priced = server.get(&format!("/v1/requests/{id}/result?include_cost=true")).expect(200);
    assert_eq!(priced["cost"], 0.0);

    let video = result["output"]["video"].as_str().unwrap();
    assert_eq!(result["output"].as_object().unwrap().len(), 1);
    the_clip_keeps_its_promises(&server, video);
    the_record_tells_all(&server, id);
}

/// Polls as clients do; the states that were seen, in the order of a request's life.
fn polled_to_the_end(server: &Server, status_url: &str) -> Vec<usize> {
    let mut seen = Vec::new();
    until("the end of the page's request", || {
        let status = server.get(status_url).expect(200);
        let word = status["status"].as_str().unwrap();
        let order = ["in_queue", "in_progress", "completed"];
        let place =
            order.iter().position(|known| *known == word).unwrap_or_else(|| panic!("{status}"));
        assert_eq!(status.get("queue_position"), (place == 0).then_some(&json!(1)), "{status}");
        if seen.last() != Some(&place) {
            seen.push(place);
        }
        (place == 2).then_some(())
    });
    seen
}

fn the_clip_keeps_its_promises(server: &Server, url: &str) {
    let clip = server.call_as(None, "GET", url, None);
    assert_eq!(clip.status, 200, "the output is for whoever has its URL");
    assert!(is_faststart(&clip.body));
    let (_dir, path) = on_disk(&clip.body, "clip.mp4");
    let probed = ffprobe(&path);
    let streams = probed["streams"].as_array().unwrap();
    assert_eq!(streams.len(), 1, "no sound is asked for, none is there: {probed:#}");
    let expected = json!({
        "codec_name": "h264",
        "profile": "High",
        "pix_fmt": "yuv420p",
        "color_space": "bt709",
        "color_transfer": "bt709",
        "color_primaries": "bt709",
        "color_range": "tv",
        "width": 1280,
        "height": 720,
        "r_frame_rate": "24/1",
        "avg_frame_rate": "24/1",
        "nb_read_frames": "120",
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&streams[0][name], value, "{name}");
    }
    let tags = probed["format"]["tags"].to_string();
    let version = env!("CARGO_PKG_VERSION");
    assert!(tags.contains("roto") && tags.contains(version), "the engine is named: {tags}");
}

fn the_record_tells_all(server: &Server, id: &str) {
    let record = server.record(id);
    assert_eq!(record["status"], "succeeded");
    assert_eq!(record["engine"]["name"], "roto");
    assert_eq!(record["attempts"], 1);
    assert!(record["plan"].is_object() && record["unmet"].is_array(), "{record:#}");
    let stages: Vec<&str> = names_of(&record["stages"], "name");
    assert_eq!(stages, ["intake", "run"]);
    let begun_and_ended =
        |stage: &Value| stage["started_at"].is_string() && stage["finished_at"].is_string();
    assert!(record["stages"].as_array().unwrap().iter().all(begun_and_ended), "{record:#}");
    let poster = server.call_as(None, "GET", record["poster_url"].as_str().unwrap(), None);
    assert_eq!(poster.status, 200);
    assert!(poster.body.starts_with(&[0xFF, 0xD8, 0xFF]), "the poster is a JPEG");
    let list = server.get("/v1/requests").expect(200);
    assert_eq!(names_of(&list["requests"], "request_id"), [id]);
}

fn names_of<'a>(list: &'a Value, name: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|item| item[name].as_str().unwrap()).collect()
}
