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

/// A patterned box that moves by two px a frame before a pattern that stands still.
const BOX: &str = "nullsrc=size=320x240:rate=24:duration=3,format=yuv420p,\
    geq=lum='if(lt(abs(X-80-2*N)\\,50)*lt(abs(Y-120)\\,60)\\,\
    120+50*sin((X-2*N)/7)*cos(Y/6)+25*sin((X-2*N)/11+Y/9)\\,\
    120+60*sin(X/13)*sin(Y/15)+20*sin(X/5+Y/29))':cb=128:cr=128";

#[test]
fn drawn_marks_stay_on_what_moves_by_itself() {
    let studio = Studio::new();
    let reference = studio.video("box.mp4", BOX);
    for medium in [Medium::Pencil, Medium::Ink] {
        let wishes = plan(3, [Want::Medium { medium }]);
        let take = studio.make(&studio.shot(wishes, vec![reference.clone()], (320, 240)));
        let (frames, (width, _)) = luma(&take.outputs[0].path);
        let off = |shift: usize| {
            let mut sum = 0;
            for y in 80..160 {
                for x in 95..145 {
                    let (before, after) =
                        (frames[20][y * width + x], frames[22][y * width + x + shift]);
                    sum += u32::from(before.abs_diff(after));
                }
            }
            sum as f64 / 4000.0
        };
        let (followed, stayed) = (off(4), off(0));
        assert!(1.5 * followed < stayed, "{medium:?}: {followed:.1} {stayed:.1}");
    }
}

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
