//! A new background behind what moves, and changes of either alone, seen in finished clips.

mod common;

use common::{Studio, luma, plan, wish};
use director::{Handle, ImageRole, Medium, Target, Want, Wish};

/// A bright square that goes to the right by 3 px a frame, its texture with it, before a darker
/// texture that stands still.
const SQUARE: &str = "nullsrc=size=320x180:rate=24:duration=1.5,format=yuv420p,\
    geq=lum='if(between(X-20-3*N,0,71)*between(Y,50,121),\
    165+12*sin((X-3*N)/5+Y/9)+9*sin(Y/4-(X-3*N)/17),90+18*sin(X/6+Y/28)+14*sin(Y/5-X/18)+9*sin(X/3-Y/4))':\
    cb='if(between(2*X-20-3*N,0,71)*between(2*Y,50,121),122,112)':\
    cr='if(between(2*X-20-3*N,0,71)*between(2*Y,50,121),138,124)'";

/// The same texture without the square.
const EMPTY: &str = "nullsrc=size=320x180:rate=24:duration=1.5,format=yuv420p,\
    geq=lum='90+18*sin(X/6+Y/28)+14*sin(Y/5-X/18)+9*sin(X/3-Y/4)':cb=112:cr=124";

const BLACK: &str = "color=black:size=320x180:duration=1";

fn background() -> Want {
    Want::Image { source: Handle::image(1), role: ImageRole::Background }
}

/// Mean luma of a square of 9 px.
fn at(frames: &[Vec<u8>], n: usize, (x, y): (usize, usize)) -> f64 {
    let codes = (y - 4..y + 5).flat_map(|y| frames[n][y * 320 + x - 4..y * 320 + x + 5].iter());
    codes.map(|&code| f64::from(code)).sum::<f64>() / 81.0
}

#[test]
fn the_picture_is_behind_and_the_subject_before_it() {
    let studio = Studio::new();
    let square = studio.video("square.mp4", SQUARE);
    let black = studio.image(1, "black.png", BLACK);
    let take = studio.make(&studio.shot(plan(1, [background()]), vec![square, black], (320, 180)));
    assert!(take.report.unmet.is_empty(), "{:?}", take.report.unmet);
    assert!(take.report.passes.iter().any(|pass| pass.name == "background"));
    let (frames, _) = luma(&take.outputs[0].path);
    for n in [1, 8, 16, 22] {
        let middle = 20 + 3 * n + 36;
        let subject = at(&frames, n, (middle, 86));
        assert!(subject > 125.0, "frame {n}: {subject}");
        for place in [(middle, 30), (middle, 145), (middle + 52, 86), (300, 160)] {
            let behind = at(&frames, n, place);
            assert!(behind < 45.0, "frame {n}, {place:?}: {behind}");
        }
    }
}

#[test]
fn without_a_subject_the_background_is_unmet_and_the_clip_is_made() {
    let studio = Studio::new();
    let empty = studio.video("empty.mp4", EMPTY);
    let black = studio.image(1, "black.png", BLACK);
    let take = studio.make(&studio.shot(plan(1, [background()]), vec![empty, black], (320, 180)));
    assert_eq!(take.report.unmet.len(), 1);
    let unmet = &take.report.unmet[0];
    assert!(!unmet.provisional && unmet.reason.contains("moves by itself"), "{}", unmet.reason);
    let (frames, _) = luma(&take.outputs[0].path);
    assert!(at(&frames, 12, (160, 90)) > 50.0);
}

#[test]
fn a_change_of_the_background_leaves_the_subject_alone() {
    let studio = Studio::new();
    let square = studio.video("square.mp4", SQUARE);
    let grey = Want::Medium { medium: Medium::Linocut };
    let mut plan = plan(1, []);
    plan.wishes = vec![Wish { on: Target::Background, ..wish(grey) }];
    let take = studio.make(&studio.shot(plan, vec![square], (320, 180)));
    assert!(take.report.unmet.is_empty(), "{:?}", take.report.unmet);
    assert!(take.report.passes.iter().any(|pass| pass.name == "background_medium"));
    let source = luma(&studio.path("square.mp4")).0;
    let made = luma(&take.outputs[0].path).0;
    let change = |n: usize, (x, y): (usize, usize)| {
        let codes = (y - 6..y + 6).flat_map(|y| (x - 6..x + 6).map(move |x| y * 320 + x));
        codes.map(|i| f64::from(made[n][i].abs_diff(source[n][i]))).sum::<f64>() / 144.0
    };
    for n in [6, 18] {
        let middle = 20 + 3 * n + 36;
        let (subject, behind) = (change(n, (middle, 86)), change(n, (middle, 152)));
        assert!(subject < 8.0 && behind > 20.0, "frame {n}: {subject} {behind}");
    }
}
