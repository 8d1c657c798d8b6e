//! Inputs as cameras, phones and print shops make them.

use bytes::Bytes;
use domain::facts::MediaFacts;
use serde_json::json;
use testkit::Reply;

use crate::clips::{fast_clip, good, made, picture, still};
use crate::support::{World, told};

/// A picture that is to be turned clockwise by 90 degrees, as cameras write it (Exif 2.32, tag
/// 0x0112 with value 6).
fn lying(jpeg: &[u8]) -> Bytes {
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08".to_vec();
    exif.extend(b"\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0");
    let mut out = jpeg[..2].to_vec();
    out.extend(b"\xff\xe1");
    out.extend(u16::try_from(exif.len() + 2).unwrap().to_be_bytes());
    out.extend(exif);
    out.extend(&jpeg[2..]);
    Bytes::from(out)
}

/// A grey baseline JPEG with four components (ISO/IEC 10918-1; Adobe's marker says CMYK): every
/// block is two bits of nothing, so that every unit of four blocks is one zero byte.
fn cmyk(side: u16) -> Bytes {
    let mut out = b"\xff\xd8\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0".to_vec();
    out.extend(b"\xff\xdb\0\x43\0");
    out.extend([1; 64]);
    out.extend(b"\xff\xc0\0\x14\x08");
    out.extend(side.to_be_bytes());
    out.extend(side.to_be_bytes());
    out.extend(b"\x04\x01\x11\0\x02\x11\0\x03\x11\0\x04\x11\0");
    for class in [0x00, 0x10] {
        // One code of one bit, for nothing.
        out.extend(b"\xff\xc4\0\x14");
        out.push(class);
        out.push(1);
        out.extend([0; 16]);
    }
    out.extend(b"\xff\xda\0\x0e\x04\x01\0\x02\0\x03\0\x04\0\0\x3f\0");
    out.resize(out.len() + usize::from(side / 8).pow(2), 0);
    out.extend(b"\xff\xd9");
    Bytes::from(out)
}

#[tokio::test]
async fn a_picture_is_measured_as_its_camera_was_held() {
    let world = World::new();
    let inputs = world.media(json!({
        "video_url": world.serve("/v", Reply::ok(good())),
        "image_urls": [world.serve("/i", Reply::ok(lying(&still("jpg", "640x360"))))],
    }));
    let taken = world.take(&inputs).await.unwrap();
    let MediaFacts::Image(image) = &taken.facts.0[1].media else { panic!("{taken:?}") };
    assert_eq!((image.width, image.height), (360, 640));
}

#[tokio::test]
async fn a_limit_is_told_of_the_upright_picture() {
    let world = World::new();
    let element = world.serve("/e", Reply::ok(lying(&still("jpg", "640x212"))));
    let faults = world
        .faults(json!({
            "video_url": world.serve("/v", Reply::ok(good())),
            "elements": [{"frontal_image_url": element}],
        }))
        .await;
    let msg = told(&faults)[0].1;
    assert!(msg.starts_with("elements[0].frontal_image_url: 212x640 px"), "{msg}");
}

#[tokio::test]
async fn videos_of_high_dynamic_range_are_taken_and_known_as_such() {
    let world = World::new();
    for (transfer, hdr) in [("arib-std-b67", true), ("smpte2084", true), ("bt709", false)] {
        let tags = format!("-color_primaries bt2020 -colorspace bt2020nc -color_trc {transfer}");
        let clip = made(
            "mp4",
            &format!(
                "{} -c:v libx264 -preset ultrafast -pix_fmt yuv420p10le {tags}",
                picture("1280x720", "24", "3")
            ),
        );
        let url = world.serve("/v", Reply::ok(clip));
        let taken = world.take(&world.media(json!({"video_url": url}))).await.unwrap();
        assert_eq!(taken.facts.video(1).unwrap().hdr, hdr, "{transfer}");
    }
}

#[tokio::test]
async fn a_jpeg_in_the_colours_of_print_is_taken() {
    let world = World::new();
    let inputs = world.media(json!({
        "video_url": world.serve("/v", Reply::ok(fast_clip("720x720", "24", "3"))),
        "image_urls": [world.serve("/i", Reply::ok(cmyk(320)))],
    }));
    let taken = world.take(&inputs).await.unwrap();
    let MediaFacts::Image(image) = &taken.facts.0[1].media else { panic!("{taken:?}") };
    assert_eq!((image.width, image.height, image.has_alpha), (320, 320, false));
}
