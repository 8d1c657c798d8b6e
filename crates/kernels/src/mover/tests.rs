use super::*;
use crate::camera;
use crate::flow::{self, FlowImage, FlowParams};
use crate::simd::{self, Level};

const SIZE: (usize, usize) = (320, 180);

/// A texture that has edges of many sizes, around a middle code.
fn texture(x: f32, y: f32, seed: f32) -> f32 {
    let wave = |fx: f32, fy: f32| libm::sinf(fx * x + fy * y + seed);
    18.0 * wave(0.155, 0.035) + 14.0 * wave(-0.055, 0.215) + 9.0 * wave(0.355, -0.265)
}

/// Where a thing of 72 x 72 px is, if there is one, and how far the camera has panned.
type Story = fn(usize) -> (Option<(f32, f32)>, f32);

fn truth(at: Option<(f32, f32)>, x: usize, y: usize) -> bool {
    let Some((left, top)) = at else { return false };
    let (x, y) = (x as f32 + 0.5, y as f32 + 0.5);
    (left..left + 72.0).contains(&x) && (top..top + 72.0).contains(&y)
}

fn frame(story: Story, n: usize) -> Yuv420 {
    let (at, pan) = story(n);
    let luma = |x: usize, y: usize| {
        let (fx, fy) = (x as f32, y as f32);
        let code = match at {
            Some((left, top)) if truth(at, x, y) => 150.0 + 0.6 * texture(fx - left, fy - top, 2.0),
            _ => 100.0 + texture(fx + pan, fy, 0.0),
        };
        code as u8
    };
    let chroma = move |on: u8, off: u8| {
        Plane::from_fn(160, 90, move |x, y| if truth(at, 2 * x, 2 * y) { on } else { off })
    };
    let luma = Plane::from_fn(SIZE.0, SIZE.1, luma).unwrap();
    Yuv420::from_planes(luma, chroma(122, 108).unwrap(), chroma(136, 124).unwrap()).unwrap()
}

struct Seen {
    mover: Mover,
    frames: usize,
    story: Story,
}

fn look(story: Story, frames: usize) -> Seen {
    let all: Vec<Yuv420> = (0..frames).map(|n| frame(story, n)).collect();
    let params = FlowParams { finest: 1, refined: false, ..FlowParams::default() };
    let images: Vec<FlowImage> =
        all.iter().map(|frame| FlowImage::new(frame.as_ref().y(), params)).collect();
    let pairs: Vec<FlowPair> =
        images.windows(2).map(|two| flow::pair(&two[0], &two[1]).unwrap()).collect();
    let motions: Vec<Similarity> =
        pairs.iter().map(|pair| camera::estimate(&pair.forward).motion).collect();
    let path = CameraPath::from_motions(&motions);
    let take = Take::new(&all, &pairs, &path, 0..frames).unwrap();
    Seen { mover: find(&take).unwrap(), frames, story }
}

impl Seen {
    /// Part of the px in a matte or the truth that are in both.
    fn agreement(&self, n: usize) -> f32 {
        let (at, _) = (self.story)(n);
        let (mut both, mut any) = (0, 0);
        for (x, y) in (0..SIZE.1).flat_map(|y| (0..SIZE.0).map(move |x| (x, y))) {
            let found = self.mover.mattes[n].row(y)[x] > 127;
            both += usize::from(found && truth(at, x, y));
            any += usize::from(found || truth(at, x, y));
        }
        both as f32 / any.max(1) as f32
    }

    fn worst(&self) -> f32 {
        (0..self.frames).map(|n| self.agreement(n)).fold(1.0, f32::min)
    }

    fn sure(&self) -> f32 {
        self.mover.figures.sureness().0
    }
}

#[test]
fn what_moves_before_a_still_background_is_cut_out() {
    let seen = look(|n| (Some((28.0 + 4.0 * n as f32, 40.0)), 0.0), 24);
    assert!(seen.worst() > 0.85, "{}", seen.worst());
    assert!(seen.sure() > 0.6, "{:?}", seen.mover.figures);
}

#[test]
fn what_moves_before_a_panning_camera_is_cut_out() {
    let seen = look(|n| (Some((110.0 + n as f32, 48.0)), 3.0 * n as f32), 24);
    assert!(seen.worst() > 0.8, "{}", seen.worst());
    assert!(seen.sure() > 0.6, "{:?}", seen.mover.figures);
}

#[test]
fn what_rests_after_it_has_moved_stays_cut_out() {
    let seen = look(|n| (Some((20.0 + 4.0 * n.clamp(6, 20) as f32, 40.0)), 0.0), 30);
    assert!(seen.worst() > 0.85, "{}", seen.worst());
    assert!(seen.sure() > 0.6, "{:?}", seen.mover.figures);
}

#[test]
fn a_scene_in_which_nothing_moves_has_no_subject() {
    let still = look(|_| (None, 0.0), 12);
    let panned = look(|n| (None, 2.0 * n as f32), 12);
    let resting = look(|_| (Some((100.0, 40.0)), 0.0), 12);
    for seen in [still, panned, resting] {
        assert!(seen.sure() < 0.05, "{:?}", seen.mover.figures);
        assert_eq!(seen.mover.figures.sureness().1, Doubt::Nothing);
    }
}

#[test]
fn mattes_are_the_same_at_any_simd_level_and_number_of_threads() {
    let story: Story = |n| (Some((60.0 + 4.0 * n as f32, 40.0)), 0.0);
    let plain = look(story, 10).mover.mattes;
    assert!(plain[5].row(80)[110] > 200 && plain[5].row(80)[20] == 0);
    for level in [Level::Baseline, Level::Avx2] {
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let found = simd::at_most(level, || pool.install(|| look(story, 10)));
            assert!(found.mover.mattes == plain, "{level:?}, {threads} threads");
        }
    }
}

#[test]
fn one_shots_mattes_know_nothing_of_the_next() {
    let story: Story = |n| (Some((28.0 + 4.0 * n as f32, 40.0)), 0.0);
    let all: Vec<Yuv420> = (0..6).map(|n| frame(story, n)).collect();
    let pairs: Vec<FlowPair> = (0..5)
        .map(|_| FlowPair {
            forward: FlowField::still(SIZE, 2).unwrap(),
            backward: FlowField::still(SIZE, 2).unwrap(),
        })
        .collect();
    let path = CameraPath::from_motions(&[Similarity::IDENTITY; 5]);
    let take = Take::new(&all, &pairs, &path, 2..5).unwrap();
    assert!(take.behind(0).is_none() && take.ahead(2).is_none());
    assert_eq!(find(&take).unwrap().mattes.len(), 3);
}
