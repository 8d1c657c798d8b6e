//! Every promise about the clip, checked with ffprobe.

use media::{AudioSegment, AudioSpec, CancelToken, Encoder, Frame, MediaError};

use crate::bench::{ask, copy, make, spec, tools};

const SOURCE: &str = "-f lavfi -i testsrc2=size=320x192:rate=30:duration=3 \
    -f lavfi -i sine=440:duration=3 -c:v libx264 -pix_fmt yuv420p -c:a aac";

#[test]
fn the_clip_is_what_was_promised() {
    let dir = tempfile::tempdir().unwrap();
    let source = make(dir.path(), "in.mp4", SOURCE);
    let clip = |name: &str| {
        let target = dir.path().join(name);
        let segments =
            vec![AudioSegment { at_secs: 0.0, from_secs: 0.0, to_secs: 2.0, speed: 1.0 }];
        let audio = AudioSpec { source: source.clone(), segments };
        copy(&source, &target, spec(48, Some(audio))).unwrap();
        target
    };
    let target = clip("out.mp4");
    let video = "stream=codec_name,profile,width,height,pix_fmt,color_range,color_space,\
        color_transfer,color_primaries,r_frame_rate,avg_frame_rate,duration,nb_read_packets";
    assert_eq!(
        ask(&target, "v", video),
        "h264,High,160,96,yuv420p,tv,bt709,bt709,bt709,24/1,24/1,2.000000,48"
    );
    assert_eq!(ask(&target, "v", "format=duration"), "2.000000");
    assert_eq!(
        ask(
            &target,
            "a",
            "stream=codec_name,profile,sample_rate,channels,channel_layout,start_time"
        ),
        "aac,LC,48000,2,stereo,0.000000"
    );
    assert_eq!(ask(&target, "v", "format_tags=comment"), "reshoot test");
    assert_eq!(ask(&target, "v", "format_tags=encoder"), "reshoot test");
    assert_eq!(ask(&target, "v", "format_tags=creation_time"), "");
    let bytes = std::fs::read(&target).unwrap();
    let place = |name: &[u8]| bytes.windows(4).position(|four| four == name).unwrap();
    assert!(place(b"moov") < place(b"mdat"), "not faststart");
    assert!(bytes == std::fs::read(clip("again.mp4")).unwrap(), "the same frames, other bytes");
}

#[test]
fn a_clip_with_too_few_or_too_many_frames_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.mp4");
    let frame = Frame::from_bytes(160, 96, vec![128; Frame::bytes(160, 96)]).unwrap();
    let start = || Encoder::create(&tools(), &path, spec(2, None), &CancelToken::new()).unwrap();
    let mut encoder = start();
    encoder.push(&frame).unwrap();
    assert!(matches!(encoder.finish(), Err(MediaError::Invalid(_))));
    assert!(!path.exists());
    let mut encoder = start();
    encoder.push(&frame).unwrap();
    encoder.push(&frame).unwrap();
    assert!(matches!(encoder.push(&frame), Err(MediaError::Invalid(_))));
    let small = Frame::from_bytes(2, 2, vec![0; 6]).unwrap();
    assert!(matches!(encoder.push(&small), Err(MediaError::Invalid(_))));
    drop(encoder);
    assert!(!path.exists());
}

#[test]
fn a_folder_that_is_not_there_is_an_error_with_a_line() {
    let path = std::path::Path::new("/nonexistent/out.mp4");
    let frame = Frame::from_bytes(160, 96, vec![128; Frame::bytes(160, 96)]).unwrap();
    let mut encoder = Encoder::create(&tools(), path, spec(1, None), &CancelToken::new()).unwrap();
    let error = encoder.push(&frame).and_then(|()| encoder.finish()).unwrap_err();
    assert!(matches!(&error, MediaError::Ffmpeg(_)), "{error}");
}
