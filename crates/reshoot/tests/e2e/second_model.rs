//! A model that is nothing but a folder of data: other field names, an image output.

use serde_json::json;
use testkit::{MediaHost, Reply};

use crate::support::home::Home;
use crate::support::media::{clip, plain_png, png_size};
use crate::support::{ACME, Server};

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_data_is_a_model() {
    let host = MediaHost::http();
    host.on("/walk.mp4", Reply::ok(clip(256, 192, 24, 1.5)));
    host.on("/look.png", Reply::ok(plain_png(64, 48, "teal")));
    let server = Server::start(Home::with_second_model(&[host.address().to_string()]));

    let entry = server.get(&format!("/v1/models/{ACME}")).expect(200);
    assert_eq!(entry["price_unit"], "output");
    assert_eq!(entry["required_inputs"], json!(["text"]));

    let body = json!({
        "text": "a still of @Video1 in the colours of @Image1",
        "clips": [host.url("/walk.mp4")],
        "looks": [host.url("/look.png")],
        "frame": {"shape": "2:3"},
    });
    let id = server.submit(ACME, &body);
    let result = server.succeeded(&id);
    assert_eq!(result["model_id"], ACME);
    assert_eq!(result["cost"], 0.04, "one picture at the manifest's price");
    let output = result["output"].as_object().unwrap();
    assert_eq!(output.keys().collect::<Vec<_>>(), ["images"]);
    let images = output["images"].as_array().unwrap();
    assert_eq!(images.len(), 1);
    let image = server.call_as(None, "GET", images[0].as_str().unwrap(), None);
    assert_eq!((image.status, png_size(&image.body)), (200, (512, 768)));

    // The schema asks for no file, the engine does.
    let id = server.submit(ACME, &json!({"text": "a still"}));
    let error = server.finished(&id)["error"].clone();
    assert_eq!((&error["code"], &error["type"]), (&json!("input_invalid"), &json!("input")));
    assert_eq!(error["detail"].as_array().unwrap().len(), 1, "{error:#}");
    assert_eq!(error["detail"][0]["loc"], json!(["body"]));
    assert!(error["detail"][0]["msg"].as_str().unwrap().contains("reference video"), "{error:#}");

    let wrong = json!({"text": "a still of @Image1", "steps": 9});
    let refused = server.post(&format!("/v1/models/{ACME}"), Some(&wrong)).expect(422);
    let at: Vec<_> = refused["detail"].as_array().unwrap().iter().map(|d| &d["loc"]).collect();
    assert_eq!(at.len(), 2, "{refused:#}");
    assert!(at.contains(&&json!(["body", "steps"])) && at.contains(&&json!(["body", "text"])));
}
