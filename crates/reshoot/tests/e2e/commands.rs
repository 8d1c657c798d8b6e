//! The commands beside the server.

use serde_json::{Value, json};

use crate::support::home::Home;
use crate::support::media::{clip, ffprobe, on_disk};
use crate::support::{KLING, Server, reshoot, reshoot_in, sample_arg, stderr, stdout};

fn code(args: &[&str]) -> Option<i32> {
    reshoot(args).status.code()
}

#[test]
fn run_makes_a_clip_from_local_files() {
    let dir = tempfile::tempdir().unwrap();
    let output = dir.path().join("made.mp4");
    let made = reshoot(&[
        "run",
        "--prompt",
        "@Element1 in the scene of @Video1, in the style of @Image1",
        "--video",
        &sample_arg("bigbuckbunny_720p25_5s.mp4"),
        "--image",
        &sample_arg("starry_night.jpg"),
        "--element",
        &sample_arg("apple.jpg"),
        "--aspect-ratio",
        "9:16",
        "--keep-audio",
        "--seed",
        "7",
        "-o",
        output.to_str().unwrap(),
    ]);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    let said: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(said["output"], output.to_str().unwrap());
    assert_eq!((&said["engine"], &said["seed"]), (&json!("roto"), &json!(7)));
    assert!(said["plan"].is_object() && said["unmet"].is_array());
    assert!(stderr(&made).contains('%'), "progress goes to stderr");
    let probed = ffprobe(&output);
    let streams = probed["streams"].as_array().unwrap();
    let video = streams.iter().find(|s| s["codec_type"] == "video").unwrap();
    assert_eq!((&video["width"], &video["height"]), (&json!(720), &json!(1280)));
    assert_eq!(video["nb_read_frames"], "120");
    let sound = streams.iter().find(|s| s["codec_type"] == "audio").unwrap();
    assert_eq!(sound["codec_name"], "aac");
    let secs: f64 = sound["duration"].as_str().unwrap().parse().unwrap();
    assert!((secs - 5.0).abs() < 0.05, "the sound is fitted to the length: {secs} s");
}

#[test]
fn run_refuses_what_the_server_refuses() {
    let (_dir, short) = on_disk(&clip(1280, 720, 24, 2.0), "short.mp4");
    let short = short.to_str().unwrap();
    let refused = reshoot(&["run", "--prompt", "go", "--video", short, "-o", "/nonexistent/a.mp4"]);
    assert_eq!(refused.status.code(), Some(65));
    assert!(stderr(&refused).contains("video_url") && stderr(&refused).contains("duration"));
    assert_eq!(stderr(&refused).lines().count(), 1, "one line: {}", stderr(&refused));
    assert_eq!(code(&["run", "--prompt", "go", "--video", "/nonexistent.mp4"]), Some(66));
}

#[test]
fn plan_shows_wishes_and_what_cannot_be_met() {
    let video = sample_arg("bigbuckbunny_720p25_5s.mp4");
    let output = reshoot(&[
        "plan",
        "--prompt",
        "the next shot of @Video1, a dragon appears",
        "--video",
        &video,
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["engine"], "roto");
    assert!(said["plan"].is_object());
    assert!(!said["assessment"]["unmet"].as_array().unwrap().is_empty(), "roto invents no dragon");
    assert_eq!(code(&["plan", "--prompt", "like @Image1", "--video", &video]), Some(65));
}

#[test]
fn probe_tells_facts_and_broken_limits() {
    let fine = reshoot(&["probe", &sample_arg("bigbuckbunny_720p25_5s.mp4")]);
    assert_eq!(fine.status.code(), Some(0), "{}", stderr(&fine));
    let said: Value = serde_json::from_slice(&fine.stdout).unwrap();
    assert_eq!((&said["format"], &said["breaks"]), (&json!("mp4"), &json!([])));
    assert_eq!(said["sound"], "aac");

    let (_dir, small) = on_disk(&clip(640, 360, 12, 2.0), "small.mp4");
    let broken = reshoot(&["probe", small.to_str().unwrap()]);
    assert_eq!(broken.status.code(), Some(65));
    let said: Value = serde_json::from_slice(&broken.stdout).unwrap();
    let breaks = said["breaks"].to_string();
    for word in ["px", "fps", "duration"] {
        assert!(breaks.contains(word), "{word}: {breaks}");
    }
    assert_eq!(code(&["probe", "/nonexistent.mp4"]), Some(66));
}

#[test]
fn models_lists_the_catalogue_and_one_schema() {
    let list = stdout(&reshoot(&["models"]));
    assert!(list.lines().any(|line| line.starts_with(KLING)), "{list}");
    let one: Value = serde_json::from_slice(&reshoot(&["models", KLING]).stdout).unwrap();
    assert_eq!(one["model_id"], KLING);
    assert_eq!(one["required_inputs"], json!(["prompt", "video_url"]));
    assert!(one["input_schema"]["properties"]["elements"].is_object());
    assert_eq!(code(&["models", "no/such/model"]), Some(66));
}

#[test]
fn doctor_looks_at_everything() {
    let home = Home::new(&[]);
    home.create_key("one");
    let output = reshoot(&["doctor", "--data", home.data().to_str().unwrap()]);
    let said = stdout(&output);
    for what in [
        "ffmpeg",
        "ffprobe",
        "sandbox: seccomp",
        "sandbox: Landlock",
        "database",
        "files",
        "engine roto",
    ] {
        assert!(said.contains(what), "{what}: {said}");
    }
    assert_eq!(output.status.success(), !said.contains("FAULT"), "{said}");
}

#[test]
fn wrong_usage_and_wrong_configuration_have_their_own_codes() {
    for args in [
        &["frobnicate"][..],
        &["serve", "--nonsense"],
        &["run"],
        &["keys", "create", "x", "--role", "boss"],
        &["run", "--prompt", "go", "--element", ","],
        &["run", "--prompt", "go", "--engine", "nosuch"],
        &["plan", "--prompt", "go", "--engine", "nosuch"],
    ] {
        let output = reshoot(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
        assert!(output.stdout.is_empty());
    }
    assert_eq!(code(&["--help"]), Some(0));

    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("reshoot.toml"), "workres = 3\n").unwrap();
    let output = reshoot_in(dir.path(), &["models"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(stderr(&output).contains("workres"), "{}", stderr(&output));
    assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
}

#[test]
fn keys_count_at_the_next_call_of_a_running_server() {
    let server = Server::start(Home::new(&[]).flag("--workers", "0"));
    let home = &server.home;
    let reads = |key: &str| server.call_as(Some(key), "GET", "/v1/requests", None).status;
    assert_eq!(reads("rsk_nonsense"), 401);
    let key = home.create_key("second");
    assert_eq!(reads(&key), 200);
    let id_of = |name: &str| {
        let list = home.keys(&["list"]);
        assert!(!list.contains("rsk_"), "no secret is shown again: {list}");
        let line =
            list.lines().rfind(|line| line.ends_with(name) && line.contains(" valid ")).unwrap();
        line.split_whitespace().next().unwrap().to_owned()
    };
    let rotated = home.keys(&["rotate", &id_of("second")]);
    assert_eq!((reads(&key), reads(&rotated)), (401, 200));
    home.keys(&["revoke", &id_of("second")]);
    let refused = server.call_as(Some(&rotated), "GET", "/v1/requests", None).expect(401);
    assert_eq!(refused["error_code"], 400_004);
    let data = home.data();
    assert_eq!(code(&["keys", "revoke", "key_none", "--data", data.to_str().unwrap()]), Some(66));
}

#[test]
fn the_first_serve_gives_a_link_that_signs_in_once() {
    let (server, lines) = Server::start_with_first_key(Home::new(&[]).flag("--workers", "0"));
    let link = lines.iter().find(|line| line.starts_with("open the pages")).unwrap();
    let code = link.split(&format!("{}/sign-in#", server.base())).nth(1).unwrap().to_owned();
    let sign_in =
        || server.call_as(None, "POST", "/v1/sign-in", Some(&json!({"code": code.clone()})));
    let key = sign_in().expect(200)["key"].as_str().unwrap().to_owned();
    let keys = server.call_as(Some(&key), "GET", "/v1/keys", None).expect(200);
    let names: Vec<_> = keys["keys"].as_array().unwrap().iter().map(|key| &key["name"]).collect();
    assert_eq!(names, ["first", "pages"]);
    sign_in().expect(401);

    // The key opens what an operator looks at first.
    let system = server.call_as(Some(&key), "GET", "/v1/system", None).expect(200);
    assert_eq!((&system["status"], &system["queue"]["depth"]), (&json!("ok"), &json!(0)));
    assert_eq!(system["workers"], json!({"runs": 0, "intakes": 0}));
    let roto = &system["engines"][0];
    assert_eq!((&roto["name"], &roto["models"]), (&json!("roto"), &json!([KLING])));
    assert!(roto["honours"].as_array().unwrap().len() > 10 && system["disk"].is_object());

    // What is known of its use is written when the server ends, and listed beside it.
    let (home, _, status, log) = server.terminate();
    assert!(status.success() && !log.contains(&code) && !log.contains(&key), "{log}");
    let data = home.data();
    let listed = reshoot(&["keys", "list", "--data", data.to_str().unwrap()]);
    let listed = stdout(&listed);
    let line = |name: &str| listed.lines().find(|line| line.ends_with(name)).unwrap().to_owned();
    assert!(line("first").contains("never"), "{listed}");
    assert!(!line("pages").contains("never"), "{listed}");
}

#[test]
fn the_first_serve_makes_a_key_and_shows_how_to_use_it() {
    let (server, lines) = Server::start_with_first_key(Home::new(&[]).flag("--workers", "0"));
    let call = lines.iter().find(|line| line.starts_with("curl")).unwrap();
    let output = std::process::Command::new("sh").args(["-c", call]).output().unwrap();
    let reply: Value = serde_json::from_slice(&output.stdout).unwrap();
    let id = reply["request_id"].as_str().unwrap_or_else(|| panic!("it submits: {reply}"));
    let key = call.split("Bearer ").nth(1).unwrap().split('\'').next().unwrap();
    let path = format!("/v1/requests/{id}/status");
    let status = server.call_as(Some(key), "GET", &path, None).expect(200);
    assert_eq!(status["status"], "in_queue");
    let config = server.home.config();
    let data = server.home.data();
    let second = reshoot(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--config",
        config.to_str().unwrap(),
        "--data",
        data.to_str().unwrap(),
    ]);
    assert_eq!(second.status.code(), Some(75), "one serve per data folder: {}", stderr(&second));
}
