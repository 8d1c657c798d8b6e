//! Uploads: good as an input of the same owner, and of nobody else.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use testkit::{MediaHost, Reply as Answer};

use crate::support::curl::curl;
use crate::support::home::Home;
use crate::support::media::{clip, plain_png, png_size};
use crate::support::processes::until;
use crate::support::{ACME, Reply, Server, sample_arg};

fn upload(server: &Server, args: &[&str], body: &[u8]) -> Reply {
    let authorization = format!("Authorization: Bearer {}", server.key);
    let url = format!("{}/v1/files", server.base());
    curl(&[&["--header", &authorization, "--url", &url], args].concat(), body)
}

#[test]
fn an_upload_is_an_input_of_its_owner_alone() {
    // No host is exempt: the server's own address is as private as any.
    let server = Server::start(Home::with_second_model(&[]));
    let bytes = clip(256, 192, 24, 1.5);
    let raw = ["--header", "Content-Type: video/mp4", "--data-binary", "@-"];
    let kept = upload(&server, &raw, &bytes).expect(200);
    assert_eq!(kept["bytes"], bytes.len());
    assert_eq!(kept["content_type"], "video/mp4");
    let url = kept["url"].as_str().unwrap();
    assert_eq!(server.call_as(None, "GET", url, None).body, bytes);

    let body = json!({"text": "a still of @Video1", "clips": [url]});
    let id = server.submit(ACME, &body);
    let result = server.succeeded(&id);
    let image = result["output"]["images"][0].as_str().unwrap();
    assert_eq!(png_size(&server.call_as(None, "GET", image, None).body), (512, 512));

    let stranger = server.home.create_key("stranger");
    let path = format!("/v1/models/{ACME}");
    let submitted = server.call_as(Some(&stranger), "POST", &path, Some(&body)).expect(200);
    let target = submitted["result_url"].as_str().unwrap();
    let result = until("the end of a stranger's request", || {
        let result = server.call_as(Some(&stranger), "GET", target, None).expect(200);
        let open = ["in_queue", "in_progress"].contains(&result["status"].as_str().unwrap());
        (!open).then_some(result)
    });
    assert_eq!(result["status"], "failed", "{result:#}");
    assert_eq!(result["error"]["type"], "input", "{result:#}");
    assert_eq!(result["error"]["detail"][0]["loc"], json!(["body", "clips", 0]), "{result:#}");
    let theirs = submitted["status_url"].as_str().unwrap();
    server.get(theirs).expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_may_carry_some_inputs_and_name_others() {
    let host = MediaHost::http();
    host.on("/walk.mp4", Answer::ok(clip(256, 192, 24, 1.5)));
    let server = Server::start(Home::with_second_model(&[host.address().to_string()]));
    let look = |colour| {
        let png = BASE64_STANDARD.encode(plain_png(64, 48, colour));
        format!("data:image/png;base64,{png}")
    };
    let body = json!({
        "text": "a still of @Video1 in the colours of @Image1",
        "clips": [host.url("/walk.mp4")],
        "looks": [look("teal"), look("navy")],
    });
    let id = server.submit(ACME, &body);
    server.succeeded(&id);
    let events = server.record(&id)["events"].clone();
    let kinds: Vec<_> = events.as_array().unwrap().iter().map(|event| &event["kind"]).collect();
    assert!(!kinds.contains(&&json!("set_back")), "{events:#}");
}

#[test]
fn a_form_uploads_too_and_what_is_no_media_is_refused() {
    let server = Server::start(Home::new(&[]).flag("--workers", "0"));
    let part = format!("file=@{}", sample_arg("apple.jpg"));
    let kept = upload(&server, &["--form", &part], b"").expect(200);
    assert_eq!(kept["content_type"], "image/jpeg");
    let page = b"<html><script>alert(1)</script></html>";
    let raw = ["--header", "Content-Type: image/png", "--data-binary", "@-"];
    let refused = upload(&server, &raw, page).expect(415);
    assert_eq!(refused["error_code"], 415_001);
    assert_eq!(server.home.files_under("files/uploads").len(), 1);
}
