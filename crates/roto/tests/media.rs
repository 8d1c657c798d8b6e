//! Media from words alone, in finished clips: one of each family, over a cut.

mod common;

use common::{Studio, luma, plan};
use director::{Medium, Want};

/// A texture that a camera pans over by two px a frame, then another one that stands still.
const CUT: &str = "nullsrc=size=640x240:rate=24:duration=1.5,format=yuv420p,\
    geq=lum='128+50*sin(X/17)*cos(Y/13)+30*sin(X/29+Y/23)':cb='128+20*sin(X/40)':cr=128,\
    crop=320:240:2*n:0[a];\
    nullsrc=size=320x240:rate=24:duration=1.5,format=yuv420p,\
    geq=lum='90+60*gt(sin(X/31)*sin(Y/27)\\,0)':cb=110:cr=150[b];[a][b]concat";

#[test]
fn each_family_repaints_a_clip_and_keeps_its_motion_and_its_cut() {
    let studio = Studio::new();
    let reference = studio.video("cut.mp4", CUT);
    let plain = studio.make(&studio.shot(plan(3, []), vec![reference.clone()], (320, 240)));
    let (source, _) = luma(&plain.outputs[0].path);
    for medium in [Medium::Oil, Medium::Watercolour, Medium::Pencil, Medium::Comic, Medium::Mosaic]
    {
        let shot =
            studio.shot(plan(3, [Want::Medium { medium }]), vec![reference.clone()], (320, 240));
        let take = studio.make(&shot);
        assert!(take.report.unmet.is_empty(), "{:?}", take.report.unmet);
        let pass = take.report.passes.iter().find(|pass| pass.name == "medium").unwrap();
        assert_eq!(pass.parameters["anchored"], "scene", "{medium:?}");
        let (frames, (width, height)) = luma(&take.outputs[0].path);
        assert_eq!(frames.len(), 72);
        let off = |a: &[u8], b: &[u8], shift: usize| {
            let mut sum = 0;
            for y in 20..height - 20 {
                for x in 40..width - 40 {
                    sum += i64::from(a[y * width + x + shift].abs_diff(b[y * width + x]));
                }
            }
            sum as f64 / ((width - 80) * (height - 40)) as f64
        };
        assert!(off(&frames[20], &source[20], 0) > 2.0, "{medium:?} is seen");
        let (followed, stayed) =
            (off(&frames[20], &frames[24], 8), off(&frames[20], &frames[24], 0));
        assert!(2.0 * followed < stayed, "{medium:?}: {followed:.1} {stayed:.1}");
        let still = off(&frames[50], &frames[60], 0);
        assert!(still < 1.5, "{medium:?} stands still: {still:.1}");
        assert!(off(&frames[35], &frames[37], 0) > 8.0, "{medium:?} is cut");
    }
}
