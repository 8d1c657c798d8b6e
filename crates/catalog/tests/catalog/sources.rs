//! Where media may come from, as far as it is known without going there.

use catalog::{HttpsOnly, MAX_URL_CHARS, MediaInput, Source, Strictness, decode_base64, keep};
use domain::facts::Role;
use serde_json::{Value, json};

use crate::{check, fault, kling, least, with};

fn refused(url: &str) -> (String, String) {
    let found = fault(&kling(), &with("video_url", json!(url)));
    (found.kind, found.msg)
}

#[test]
fn https_urls_are_accepted_as_they_are() {
    for url in [
        "https://example.com/v.mp4",
        "HTTPS://EXAMPLE.COM:8443/a%20b.mp4?X-Sig=a/b+c==#t",
        "https://bücher.example/v.mp4",
        "https://example.com/my clip.mp4",
    ] {
        let accepted = check(&kling(), &with("video_url", json!(url))).unwrap();
        assert_eq!(accepted.inputs.media[0].source, Source::Url(url.to_owned()));
    }
}

#[test]
fn a_url_has_up_to_8192_characters() {
    let long = |chars: usize| {
        let base = "https://example.com/";
        format!("{base}{}", "a".repeat(chars - base.len()))
    };
    assert!(check(&kling(), &with("video_url", json!(long(MAX_URL_CHARS)))).is_ok());
    let (kind, msg) = refused(&long(MAX_URL_CHARS + 1));
    assert_eq!(kind, "url_too_long");
    assert_eq!(msg, "video_url: URL of 8193 characters, at most 8192 are allowed");
}

#[test]
fn other_schemes_are_refused() {
    for (url, scheme) in [
        ("http://example.com/v.mp4", "http"),
        ("file:///etc/passwd", "file"),
        ("ftp://example.com/v.mp4", "ftp"),
        ("s3://bucket/v.mp4", "s3"),
        ("reshoot-artifact:own/a.mp4", "reshoot-artifact"),
        ("RESHOOT-ARTIFACT:own/a.mp4", "reshoot-artifact"),
        ("blob:https://example.com/1", "blob"),
    ] {
        let (kind, msg) = refused(url);
        assert_eq!(kind, "url_scheme", "{url}");
        let want = format!("video_url: scheme `{scheme}`, https (or a data: URI) is required");
        assert_eq!(msg, want);
    }
}

#[test]
fn plain_http_is_for_those_whom_the_policy_exempts() {
    let body = with("video_url", json!("http://media.local:9000/v.mp4"));
    let exempt = |_: &str, host: &str, port: u16| host == "media.local" && port == 9000;
    assert!(kling().validate(&body, Strictness::Lenient, &exempt).is_ok());
    assert!(kling().validate(&body, Strictness::Lenient, &HttpsOnly).is_err());
    let own = |url: &str, _: &str, _: u16| url.starts_with("http://127.0.0.1:8080/files/");
    let body = with("video_url", json!("http://127.0.0.1:8080/files/t/v.mp4"));
    assert!(kling().validate(&body, Strictness::Lenient, &own).is_ok());
}

#[test]
fn what_is_not_a_url_is_refused() {
    for url in [
        "nonsense",
        "/etc/passwd",
        "//example.com/v.mp4",
        "https://",
        "https://exa mple.com/",
        "https://example.com:99999/",
        "https://example.com/\nv.mp4",
        " https://example.com/v.mp4",
    ] {
        assert_eq!(refused(url).0, "url_parsing", "{url}");
    }
}

#[test]
fn user_and_password_are_refused_and_not_repeated() {
    let found =
        fault(&kling(), &with("video_url", json!("https://me:secret@example.com/v.mp4?sig=1")));
    assert_eq!(found.kind, "value_error");
    let shown = serde_json::to_string(&found).unwrap();
    assert!(!shown.contains("secret") && !shown.contains("sig=1"), "{shown}");
}

#[test]
fn data_uris_are_accepted_for_the_media_types_of_the_field() {
    for (field, uri, ok) in [
        ("image", "data:image/png;base64,AAAA", true),
        ("image", "data:image/JPEG;base64,AAAA", true),
        ("image", "DATA:image/webp;base64,AAA=", true),
        ("image", "data:image/gif;base64,AAAA", false),
        ("image", "data:image/svg+xml;base64,AAAA", false),
        ("image", "data:video/mp4;base64,AAAA", false),
        ("image", "data:;base64,AAAA", false),
        ("video", "data:video/mp4;base64,AAAA", true),
        ("video", "data:video/quicktime;base64,AAAA", true),
        ("video", "data:image/png;base64,AAAA", false),
        ("video", "data:video/x-matroska;base64,AAAA", false),
    ] {
        let body = match field {
            "image" => with("image_urls", json!([uri])),
            _ => with("video_url", json!(uri)),
        };
        match check(&kling(), &body) {
            Ok(_) => assert!(ok, "{uri}"),
            Err(found) => {
                assert!(!ok, "{uri}: {found:?}");
                assert_eq!(found[0].kind, format!("unsupported_{field}_format"));
                assert!(found[0].ctx.contains_key("supported_formats"));
            }
        }
    }
}

#[test]
fn broken_data_uris_are_refused() {
    for uri in [
        "data:image/png;base64",
        "data:image/png,plain",
        "data:image/png;base64,",
        "data:image/png;base64,A",
        "data:image/png;base64,AA*A",
    ] {
        let found = fault(&kling(), &with("image_urls", json!([uri])));
        assert_eq!(found.kind, "url_parsing", "{uri}");
        assert!(found.msg.starts_with("image_urls[0]: a data: URI "), "{}", found.msg);
    }
}

#[test]
fn data_uris_are_capped_before_anything_is_decoded() {
    // The frontal image's 10 MiB: 4 characters for each 3 bytes.
    let max = 10 * 1024 * 1024;
    let uri = |bytes: usize| {
        let tail = match bytes % 3 {
            1 => "AA==",
            2 => "AAA=",
            _ => "",
        };
        format!("data:image/png;base64,{}{tail}", "AAAA".repeat(bytes / 3))
    };
    let body = |bytes| with("elements", json!([{"frontal_image_url": uri(bytes)}]));
    assert!(check(&kling(), &body(max)).is_ok());
    let found = fault(&kling(), &body(max + 1));
    assert_eq!(found.kind, "file_too_large");
    assert_eq!(found.ctx["max_size"], max);
    assert_eq!(found.input, "data:image/png;base64,…");
}

#[test]
fn a_data_uri_is_read_where_it_stands_and_then_kept_by_reference() {
    let body = with("image_urls", json!(["data:image/png;base64,AAEC"]));
    let mut canonical = check(&kling(), &body).unwrap().canonical;
    let input = kling().inputs(&canonical).unwrap().media.remove(1);
    assert_eq!(input.pointer, "/image_urls/0");
    let Source::Data { media_type, .. } = &input.source else { panic!("{input:?}") };
    assert_eq!(media_type, "image/png");
    assert_eq!(decode_base64(input.base64(&canonical).unwrap()).unwrap(), [0, 1, 2]);

    assert!(keep(&mut canonical, &input.pointer, "inputs/r1/0"));
    assert!(!keep(&mut canonical, "/nowhere", "inputs/r1/0"));
    let again = kling().inputs(&canonical).unwrap().media.remove(1);
    assert_eq!(again, MediaInput { source: Source::Kept("inputs/r1/0".to_owned()), ..input });
    assert!(check(&kling(), &canonical).is_err(), "never accepted from outside");
}

#[test]
fn media_come_with_their_roles_in_the_order_of_the_body() {
    let mut body = with("image_urls", json!(["https://e.com/i1.png", "https://e.com/i2.png"]));
    body["elements"] = json!([
        {"frontal_image_url": "https://e.com/f1.png", "reference_image_urls": ["https://e.com/v1.png"]},
        {"reference_image_urls": ["https://e.com/w1.png", "https://e.com/w2.png"]},
    ]);
    let media = check(&kling(), &body).unwrap().inputs.media;
    let found: Vec<_> = media.iter().map(|input| (input.pointer.as_str(), input.role)).collect();
    assert_eq!(
        found,
        [
            ("/video_url", Role::Video { n: 1 }),
            ("/image_urls/0", Role::Image { n: 1 }),
            ("/image_urls/1", Role::Image { n: 2 }),
            ("/elements/0/frontal_image_url", Role::ElementFrontal { n: 1 }),
            ("/elements/0/reference_image_urls/0", Role::ElementView { n: 1, view: 1 }),
            // The first view stands in for the missing main one.
            ("/elements/1/reference_image_urls/0", Role::ElementFrontal { n: 2 }),
            ("/elements/1/reference_image_urls/1", Role::ElementView { n: 2, view: 1 }),
        ]
    );
    let times: Vec<_> =
        media.iter().map(|input| (input.fetch_secs, input.max_bytes >> 20)).collect();
    assert_eq!(times, [(30, 200), (30, 50), (30, 50), (20, 10), (30, 50), (30, 50), (30, 50)]);
}

#[test]
fn a_kept_body_that_was_changed_is_named() {
    let mut canonical = check(&kling(), &least()).unwrap().canonical;
    canonical["duration"] = json!("soon");
    assert_eq!(kling().inputs(&canonical).unwrap_err().pointer, "/duration");
    assert_eq!(kling().inputs(&Value::Null).unwrap_err().pointer, "/prompt");
}
