//! `/v1/models…`

use axum::body::Body;
use http::{Method, StatusCode};
use insta::assert_json_snapshot;
use serde_json::json;

use crate::support::{ACME, Fixture, KLING};

#[tokio::test]
async fn the_list_has_what_clients_read() {
    let server = Fixture::new().await;
    let reply = server.get("/v1/models?search=acme%20STILL&unknown=1").await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_json_snapshot!(reply.json(), @r#"
    {
      "models": [
        {
          "model_id": "acme/still-maker/portrait",
          "display_name": "Acme still maker",
          "description": "Makes one still picture in the looks of others.",
          "kind": "model",
          "categories": [
            "image-to-image",
            "video-to-image"
          ],
          "base_price_usd": 0.04,
          "price_unit": "output",
          "pricing_note": "One picture each.",
          "model_url": "http://api.test/v1/models/acme/still-maker/portrait",
          "inputs": [
            "text",
            "clips",
            "looks",
            "cast",
            "frame",
            "strength",
            "steps"
          ],
          "required_inputs": [
            "text"
          ]
        }
      ],
      "total": 1,
      "limit": 100,
      "offset": 0
    }
    "#);
}

#[tokio::test]
async fn the_list_is_filtered_and_paged() {
    let server = Fixture::new().await;
    let ids = async |query: &str| {
        let body = server.get(&format!("/v1/models?{query}")).await.json();
        let ids = body["models"].as_array().unwrap().iter().map(|m| m["model_id"].clone());
        (ids.collect::<Vec<_>>(), body["total"].as_u64().unwrap())
    };
    let (acme, kling) = (json!("acme/still-maker/portrait"), json!(&KLING["/v1/models/".len()..]));
    assert_eq!(ids("").await, (vec![acme.clone(), kling.clone()], 2));
    assert_eq!(ids("limit=1&offset=1").await, (vec![kling.clone()], 2));
    assert_eq!(ids("offset=4294967295").await, (vec![], 2));
    assert_eq!(ids("category=video-to-video&search=&kind=").await, (vec![kling], 1));
    assert_eq!(ids("kind=workflow").await, (vec![], 0));
    let with_schema = server.get("/v1/models?include_schema=true").await.json();
    assert_eq!(with_schema["models"][0]["input_schema"]["type"], "object");
    for (name, found) in [("limit", "501"), ("offset", "4294967296")] {
        let wrong = server.get(&format!("/v1/models?{name}={found}")).await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
        assert!(wrong.text().contains(&format!("{name}: `{found}`")), "{}", wrong.text());
    }
}

#[tokio::test]
async fn categories_win_over_a_model_of_that_name() {
    let server = Fixture::new().await;
    let reply = server.get("/v1/models/categories").await;
    assert_json_snapshot!(reply.json(), @r#"
    {
      "categories": [
        "image-to-image",
        "video-to-image",
        "video-to-video"
      ]
    }
    "#);
}

#[tokio::test]
async fn one_model_is_found_by_its_id_encoded_or_not() {
    let server = Fixture::new().await;
    let plain = server.get(KLING).await;
    assert_eq!(plain.status, StatusCode::OK);
    let body = plain.json();
    assert_eq!(body["model_id"], KLING["/v1/models/".len()..]);
    assert_eq!(body["price_unit"], "second");
    assert_eq!(body["base_price_usd"], 0.112);
    assert!(body["input_schema"]["properties"].is_object());
    let encoded = format!("/v1/models/{}", KLING["/v1/models/".len()..].replace('/', "%2F"));
    assert_eq!(server.get(&encoded).await.bytes, plain.bytes);
    assert_eq!(server.get(&format!("{ACME}/")).await.json()["kind"], "model");
}

#[tokio::test]
async fn one_model_says_which_field_plays_which_part_and_has_a_readme() {
    let server = Fixture::new().await;
    let kling = server.get(KLING).await.json();
    let roles = &kling["roles"];
    assert_eq!(roles["prompt"], "/prompt");
    let media: Vec<_> = roles["media"].as_array().unwrap().iter().map(|m| &m["handle"]).collect();
    assert_eq!(media, ["Video", "Image", "Element"]);
    assert_eq!(roles["output"]["sizes"]["16:9"], json!([1280, 720]));
    assert!(kling["readme"].as_str().unwrap().starts_with("# "));
    // Other names, and what a model lacks is left out.
    let acme = server.get(ACME).await.json();
    assert_eq!(acme["roles"]["prompt"], "/text");
    assert_eq!(acme["roles"].get("length").or(acme.get("readme")), None);
    // The list stays as short as it was.
    let list = server.get("/v1/models?include_schema=true").await.json();
    assert_eq!(list["models"][1].get("roles").or(list["models"][1].get("readme")), None);
}

#[tokio::test]
async fn an_unknown_model_is_404_with_its_own_number() {
    let server = Fixture::new().await;
    let reply = server.get("/v1/models/acme/unknown").await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    assert_json_snapshot!(reply.json(), @r#"
    {
      "error_code": 400001,
      "error_message": "InvalidResourceIdentifier: there is no model with this id, `GET /v1/models` lists all"
    }
    "#);
    // Before the body is looked at.
    let request = server.request(Method::POST, "/v1/models/acme/unknown");
    let posted = server.send(request.body(Body::from("no json")).unwrap()).await;
    assert_eq!((posted.status, posted.bytes), (StatusCode::NOT_FOUND, reply.bytes));
}
