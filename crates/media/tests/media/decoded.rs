//! What phones, editors and odd encoders make comes out upright, even and bt709.

use std::path::Path;

use crate::bench::{NUMBERED, frames, frames_from, luma, make, mean, probe};

fn numbered(dir: &Path, name: &str, rest: &str) -> std::path::PathBuf {
    make(dir, name, &format!("-f lavfi -i {NUMBERED} {rest}"))
}

/// Each frame shows the picture of that number.
fn expect(path: &Path, numbers: &[usize]) {
    let found: Vec<f64> = frames(path, 160, 96).iter().map(|frame| mean(frame.y())).collect();
    assert_eq!(found.len(), numbers.len(), "{found:?}");
    for (n, (found, number)) in found.iter().zip(numbers).enumerate() {
        assert!((found - luma(*number)).abs() < 2.5, "frame {n}: {found}, not {}", luma(*number));
    }
}

#[test]
fn a_phones_hdr_is_turned_and_tone_mapped() {
    let dir = tempfile::tempdir().unwrap();
    make(
        dir.path(),
        "flat.mov",
        "-f lavfi -i color=black:s=192x108:r=30:d=0.4,drawbox=w=192:h=54:c=white:t=fill \
         -vf format=yuv420p10le -c:v libx265 -tag:v hvc1 -preset ultrafast -x265-params \
         log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:range=limited",
    );
    let path = make(dir.path(), "turned.mov", "-i DIR/flat.mov -c copy -metadata:s:v rotate=270");
    let probe = probe(&path).unwrap();
    assert_eq!((probe.codec.as_str(), probe.bit_depth, probe.hdr), ("hevc", 10, true));
    assert_eq!((probe.width, probe.height, probe.rotation), (108, 192, 90));
    assert_eq!(probe.primaries.as_deref(), Some("bt2020"));
    assert_eq!(probe.brand.as_deref(), Some("qt"));
    let frames = frames(&path, 108, 192);
    assert!((9..=10).contains(&frames.len()), "{}", frames.len());
    let row = &frames[0].y()[108 * 96..108 * 97];
    // What was on top is on the right.
    assert!(mean(&row[..40]) < 24.0, "{row:?}");
    assert!(mean(&row[68..]) > 180.0, "{row:?}");
    assert!((mean(frames[0].u()) - 128.0).abs() < 2.0);
    assert!((mean(frames[0].v()) - 128.0).abs() < 2.0);
}

#[test]
fn tone_mapping_lifts_what_pq_keeps_dark() {
    let dir = tempfile::tempdir().unwrap();
    // 58 % of the PQ code is 203 nits: diffuse white (ITU-R BT.2408), which a plain copy of the
    // codes would show as middle gray.
    let path = make(
        dir.path(),
        "white.mp4",
        "-f lavfi -i color=gray:s=64x64:r=24:d=0.2,format=yuv420p10le,geq=lum=572:cb=512:cr=512 \
         -c:v libx265 -tag:v hvc1 -preset ultrafast -x265-params \
         log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:range=limited",
    );
    let white = mean(frames(&path, 64, 64)[0].y());
    assert!(white > 155.0, "diffuse white came out as {white}");
}

#[test]
fn an_uneven_rate_is_sampled_by_its_times() {
    let dir = tempfile::tempdir().unwrap();
    let path = numbered(
        dir.path(),
        "vfr.mp4",
        "-vf setpts='if(lt(N,12),N,12+(N-12)*2)/24/TB' -fps_mode vfr -c:v libx264 -crf 1",
    );
    let probe = probe(&path).unwrap();
    assert!(probe.variable_rate);
    assert_eq!(probe.frames, 24);
    assert!((probe.duration_secs - 1.5).abs() < 0.05, "{}", probe.duration_secs);
    assert!((probe.fps - 16.0).abs() < 0.6, "{}", probe.fps);
    let numbers: Vec<usize> = (0..12).chain((24..48).map(|n| n / 2)).collect();
    let found = frames(&path, 160, 96).len();
    expect(&path, &numbers[..found.min(36)]);
    assert!(found >= 35, "{found}");
}

#[test]
fn other_rates_become_24_by_their_times() {
    let dir = tempfile::tempdir().unwrap();
    let at_48 = NUMBERED.replace("r=24:d=1", "r=48:d=0.5");
    let path = make(dir.path(), "48.mp4", &format!("-f lavfi -i {at_48} -c:v libx264 -crf 1"));
    let probe = probe(&path).unwrap();
    assert_eq!((probe.fps_ratio, probe.variable_rate), ((48, 1), false));
    expect(&path, &(0..12).map(|n| n * 2).collect::<Vec<_>>());
}

#[test]
fn an_edit_list_hides_what_was_cut() {
    let dir = tempfile::tempdir().unwrap();
    numbered(dir.path(), "whole.mp4", "-c:v libx264 -crf 1 -g 100 -keyint_min 100");
    let path = make(dir.path(), "cut.mp4", "-ss 0.5 -i DIR/whole.mp4 -c copy");
    let probe = probe(&path).unwrap();
    assert!((probe.duration_secs - 0.5).abs() < 0.01, "{}", probe.duration_secs);
    assert_eq!(probe.frames, 12);
    expect(&path, &(12..24).collect::<Vec<_>>());
}

#[test]
fn decoding_starts_where_it_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = numbered(dir.path(), "in.mp4", "-c:v libx264 -crf 1");
    let late = frames_from(&path, 160, 96, 0.25);
    assert_eq!(late.len(), 18);
    assert!((mean(late[0].y()) - luma(6)).abs() < 2.5);
}

#[test]
fn odd_sizes_and_wide_pixels_have_their_displayed_size() {
    let dir = tempfile::tempdir().unwrap();
    let odd = make(
        dir.path(),
        "odd.mp4",
        "-f lavfi -i testsrc=s=161x91:r=24:d=0.2 -pix_fmt yuv444p -c:v libx264",
    );
    let found = probe(&odd).unwrap();
    assert_eq!((found.width, found.height), (161, 91));
    assert_eq!(frames(&odd, 160, 90).len(), 5);
    let wide = make(
        dir.path(),
        "wide.mp4",
        "-f lavfi -i testsrc2=s=180x120:r=24:d=0.2 -vf setsar=4/3 -pix_fmt yuv420p -c:v libx264",
    );
    let found = probe(&wide).unwrap();
    assert_eq!((found.width, found.height, found.pixel_aspect), (240, 120, (4, 3)));
    assert_eq!((found.coded_width, found.coded_height), (180, 120));
    assert_eq!(frames(&wide, 240, 120).len(), 5);
}

#[test]
fn every_codec_of_the_list_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let cases = [
        ("h264", "h264.mp4", "-c:v libx264 -crf 1"),
        ("h264", "deep.mp4", "-pix_fmt yuv420p10le -c:v libx264 -crf 1"),
        ("hevc", "hevc.mp4", "-c:v libx265 -preset ultrafast -crf 1 -x265-params log-level=none"),
        ("vp9", "vp9.mp4", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -crf 4 -b:v 0"),
        ("av1", "av1.mp4", "-c:v libaom-av1 -usage realtime -cpu-used 8 -crf 4 -b:v 0"),
        ("mpeg4", "mpeg4.mp4", "-c:v mpeg4 -qscale 1"),
        ("prores", "prores.mov", "-c:v prores_ks"),
        ("h264", "parts.mp4", "-c:v libx264 -crf 1 -g 6 -movflags frag_keyframe+empty_moov"),
        ("h264", "front.mp4", "-c:v libx264 -crf 1 -movflags faststart"),
    ];
    for (codec, name, rest) in cases {
        let path = numbered(dir.path(), name, rest);
        let found = probe(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(found.codec, codec, "{name}");
        assert_eq!((found.frames, found.fps_ratio), (24, (24, 1)), "{name}");
        assert!((found.duration_secs - 1.0).abs() < 0.002, "{name}: {}", found.duration_secs);
        expect(&path, &(0..24).collect::<Vec<_>>());
    }
}

#[test]
fn every_matrix_and_range_becomes_bt709() {
    let dir = tempfile::tempdir().unwrap();
    // Pure red: 16 + 219 * 0.2126, 128 + 224 * -0.1146, 128 + 224 * 0.5 (ITU-R BT.709).
    let wanted = [62.6, 102.3, 240.0];
    let tag = "-c:v libx264 -crf 1 -color_primaries bt709 -color_trc bt709";
    for (name, matrix, range) in
        [("a.mp4", "smpte170m", "tv"), ("b.mp4", "bt709", "pc"), ("c.mp4", "bt709", "tv")]
    {
        let path = make(
            dir.path(),
            name,
            &format!(
                "-f lavfi -i color=red:s=64x64:r=24:d=0.2,format=gbrp \
                 -vf scale=out_color_matrix={matrix}:out_range={range},format=yuv420p {tag} \
                 -colorspace {matrix} -color_range {range}"
            ),
        );
        let frame = &frames(&path, 64, 64)[0];
        let found = [mean(frame.y()), mean(frame.u()), mean(frame.v())];
        for (found, wanted) in found.iter().zip(wanted) {
            assert!((found - wanted).abs() < 2.0, "{name}: {found}, not {wanted}");
        }
    }
}

#[test]
fn the_same_video_gives_the_same_frames() {
    let dir = tempfile::tempdir().unwrap();
    let path = make(
        dir.path(),
        "in.mp4",
        "-f lavfi -i testsrc2=s=322x182:r=30:d=0.5 -pix_fmt yuv420p -c:v libx264",
    );
    assert!(frames(&path, 160, 90) == frames(&path, 160, 90));
}
