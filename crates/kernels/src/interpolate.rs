//! A frame between two frames.
//!
//! The vectors of both directions are carried to the moment t; what only one frame shows is taken
//! from that frame; where the vectors can't be trusted, or are longer than a search can follow,
//! the two frames are blended in place: a soft double image instead of a tear.

use crate::field::FlowPair;
use crate::frame::{Yuv420Mut, Yuv420Ref};
use crate::plane::{PlaneMut, PlaneRef, ShapeError, check_same};
use crate::rows::for_rows_with;
use crate::upsample::{STEPS, Upsampler};
use crate::warp::{RUN, cell_size, factors, sample_run};

/// One in the fixed point of the grid's weights; upsampling makes it 65536.
const ONE: f32 = 8192.0;

/// Confidence (0 to 1) below which nothing is moved, and above which everything is.
const TRUST: (f32, f32) = (0.25, 0.6);

/// Arrivals at a cell below which a frame counts as not showing it.
const HIDDEN: f32 = 0.35;

/// Settings of an interpolation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Vectors longer than this many px are not followed; between half of it and it the result
    /// fades to the plain blend.
    pub longest_px: f32,
}

/// Vector, share of the second frame and trust of each cell at the moment t.
struct Between {
    cells: Vec<[i16; 4]>,
}

/// What arrives at a cell from both frames.
#[derive(Clone, Copy, Default)]
struct Arrival {
    u: f32,
    v: f32,
    weight: f32,
    confidence: f32,
    from_a: f32,
    from_b: f32,
}

impl Settings {
    /// For frames of this size: vectors up to an eighth of the width.
    pub fn of(frame: (usize, usize)) -> Self {
        Self { longest_px: frame.0 as f32 / 8.0 }
    }
}

/// Writes the frame at the part `t` (0 = `a`, 1 = `b`, clamped) of the way from `a` to `b`.
///
/// `flow` is the motion between the two; all frames have the size that it is about.
pub fn frame(
    a: Yuv420Ref<'_>,
    b: Yuv420Ref<'_>,
    flow: &FlowPair,
    t: f32,
    settings: Settings,
    dst: &mut Yuv420Mut<'_>,
) -> Result<(), ShapeError> {
    check_same(a.size(), b.size())?;
    check_same(a.size(), dst.size())?;
    check_same(a.size(), flow.forward.frame())?;
    let t = t.clamp(0.0, 1.0);
    let step = libm::roundf(t * STEPS as f32) as i32;
    if step == 0 {
        return dst.copy_from(a);
    }
    if step == STEPS {
        return dst.copy_from(b);
    }
    let between = Between::new(flow, t, settings);
    for ((a, b), dst) in a.planes().into_iter().zip(b.planes()).zip(dst.planes_mut()) {
        between.render(flow, a, b, step, dst);
    }
    Ok(())
}

/// The plain blend of two frames, without motion.
pub fn blend(
    a: Yuv420Ref<'_>,
    b: Yuv420Ref<'_>,
    t: f32,
    dst: &mut Yuv420Mut<'_>,
) -> Result<(), ShapeError> {
    check_same(a.size(), b.size())?;
    check_same(a.size(), dst.size())?;
    let weight = libm::roundf(t.clamp(0.0, 1.0) * 256.0) as i32;
    for ((a, b), dst) in a.planes().into_iter().zip(b.planes()).zip(dst.planes_mut()) {
        for_rows_with(
            dst,
            || (),
            #[inline(always)]
            |(), y, out| {
                for ((out, &a), &b) in out.iter_mut().zip(a.row(y)).zip(b.row(y)) {
                    let (a, b) = (i32::from(a), i32::from(b));
                    *out = ((a * 256 + (b - a) * weight + 128) >> 8) as u8;
                }
            },
        );
    }
    Ok(())
}

impl Between {
    fn new(flow: &FlowPair, t: f32, settings: Settings) -> Self {
        let mut arrivals = vec![Arrival::default(); flow.forward.vectors().len()];
        splat(flow, t, &mut arrivals);
        let (width, _) = flow.forward.grid();
        let cells = arrivals
            .iter()
            .enumerate()
            .map(|(k, arrival)| cell(arrival, flow, (k % width, k / width), t, settings))
            .collect();
        Self { cells }
    }

    fn render(
        &self,
        flow: &FlowPair,
        a: PlaneRef<'_>,
        b: PlaneRef<'_>,
        step: i32,
        dst: &mut PlaneMut<'_>,
    ) {
        let (factor_x, factor_y) = factors(a.size(), flow.forward.frame());
        let cell = cell_size(a.size(), &flow.forward);
        let grid = Upsampler::new(&self.cells, flow.forward.grid().0, a.width(), cell);
        for_rows_with(
            dst,
            || grid.lines(),
            #[inline(always)]
            |lines, y, out| {
                grid.row(y, [factor_x, factor_y, 256, 256], lines);
                let (runs, rest) = out.as_chunks_mut::<RUN>();
                let (near_a, rest_a) = a.row(y).as_chunks();
                let (near_b, rest_b) = b.row(y).as_chunks();
                let near = near_a.iter().zip(near_b);
                for (k, (out, near)) in runs.iter_mut().zip(near).enumerate() {
                    let moves = lines.values.each_ref().map(|line| line.as_chunks().0[k]);
                    *out = run((a, b), near, (k * RUN, y), step, &moves);
                }
                if !rest.is_empty() {
                    let near = (&padded(rest_a), &padded(rest_b));
                    let moves =
                        lines.values.each_ref().map(|line| padded(line.as_chunks::<RUN>().1));
                    let x = a.width() - rest.len();
                    let made = run((a, b), near, (x, y), step, &moves);
                    rest.copy_from_slice(&made[..rest.len()]);
                }
            },
        );
    }
}

/// The pixels of a run: each along its vector from both frames where that is trusted, else the
/// plain blend in place.
#[inline(always)]
fn run(
    (a, b): (PlaneRef<'_>, PlaneRef<'_>),
    (near_a, near_b): (&[u8; RUN], &[u8; RUN]),
    (x, y): (usize, usize),
    step: i32,
    [u, v, share, trust]: &[[i32; RUN]; 4],
) -> [u8; RUN] {
    let (mut back_u, mut back_v, mut on_u, mut on_v) = ([0; RUN], [0; RUN], [0; RUN], [0; RUN]);
    for k in 0..RUN {
        let (part_u, part_v) = ((u[k] * step) >> 8, (v[k] * step) >> 8);
        (back_u[k], back_v[k]) = (-part_u, -part_v);
        (on_u[k], on_v[k]) = (u[k] - part_u, v[k] - part_v);
    }
    let from_a = sample_run(a, (x, y), back_u, back_v);
    let from_b = sample_run(b, (x, y), on_u, on_v);
    let mut out = [0; RUN];
    for k in 0..RUN {
        let (share, trust) = (share[k] >> 8, trust[k] >> 8);
        let (near_a, near_b) = (i32::from(near_a[k]), i32::from(near_b[k]));
        let moved = from_a[k] * 256 + (from_b[k] - from_a[k]) * share;
        let plain = near_a * 256 + (near_b - near_a) * step;
        let sum = plain * 256 + (moved - plain) * trust;
        out[k] = ((sum + (1 << 15)) >> 16).clamp(0, 255) as u8;
    }
    out
}

/// Less than a run of a row's last pixels as a run.
fn padded<T: Copy + Default>(rest: &[T]) -> [T; RUN] {
    std::array::from_fn(|k| rest.get(k).copied().unwrap_or_default())
}

/// Carries the vectors of both frames to the moment t, in grid order.
fn splat(flow: &FlowPair, t: f32, arrivals: &mut [Arrival]) {
    let (width, height) = flow.forward.grid();
    for (field, part, sign) in [(&flow.forward, t, 1.0), (&flow.backward, 1.0 - t, -1.0)] {
        for j in 0..height {
            for i in 0..width {
                let (x, y) = field.point(i, j);
                let (u, v) = field.vector(i, j);
                let confidence = f32::from(field.confidence_at(i, j)) / 255.0;
                let (x, y) = (x + u * part, y + v * part);
                for (index, near) in field.corners(x, y) {
                    let arrival = &mut arrivals[index];
                    let weight = near * (confidence * confidence + 0.01);
                    arrival.u += weight * u * sign;
                    arrival.v += weight * v * sign;
                    arrival.weight += weight;
                    arrival.confidence += weight * confidence;
                    if sign > 0.0 {
                        arrival.from_a += near;
                    } else {
                        arrival.from_b += near;
                    }
                }
            }
        }
    }
}

fn cell(
    arrival: &Arrival,
    flow: &FlowPair,
    (i, j): (usize, usize),
    t: f32,
    settings: Settings,
) -> [i16; 4] {
    let (u, v, confidence) = if arrival.weight > 1e-4 {
        let factor = 1.0 / arrival.weight;
        (arrival.u * factor, arrival.v * factor, arrival.confidence * factor)
    } else {
        let ((fu, fv), (bu, bv)) = (flow.forward.vector(i, j), flow.backward.vector(i, j));
        ((1.0 - t) * fu - t * bu, (1.0 - t) * fv - t * bv, 0.0)
    };
    let (from_a, from_b) = (arrival.from_a.min(1.0), arrival.from_b.min(1.0));
    let (shown_a, shown_b) = ((1.0 - t) * from_a, t * from_b);
    let share = if shown_a + shown_b > 1e-4 { shown_b / (shown_a + shown_b) } else { t };
    let one_sided = from_a.min(from_b) < HIDDEN && from_a.max(from_b) > HIDDEN;
    let sure = ((confidence - TRUST.0) / (TRUST.1 - TRUST.0)).clamp(0.0, 1.0);
    let length = (u * u + v * v).sqrt() / settings.longest_px.max(1.0);
    let short = (2.0 - 2.0 * length).clamp(0.0, 1.0);
    let trust = short * if one_sided { sure.max(0.75) } else { sure };
    [
        crate::field::quantise(u),
        crate::field::quantise(v),
        (share * ONE + 0.5) as i16,
        (trust * ONE + 0.5) as i16,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::FlowField;
    use crate::frame::Yuv420;
    use crate::metrics;
    use crate::plane::Plane;
    use crate::resize;

    const SIZE: (usize, usize) = (320, 180);

    /// A textured scene whose middle part, if asked for, moves against the ground.
    fn scene(ground: f32, middle: Option<f32>) -> Yuv420 {
        let wave = |x: f32, y: f32, period: f32| {
            libm::sinf(x * std::f32::consts::TAU / period)
                * libm::cosf(y * std::f32::consts::TAU / (1.3 * period))
        };
        let y = Plane::from_fn(SIZE.0, SIZE.1, |x, y| {
            let (x, y) = (x as f32, y as f32);
            if let Some(shift) = middle
                && (x - shift - 160.0).abs() < 40.0
                && (y - 90.0).abs() < 40.0
            {
                return (170.0 + 50.0 * wave(x - shift, y, 17.0)) as u8;
            }
            let x = x - ground;
            (90.0 + 30.0 * wave(x, y, 61.0) + 25.0 * wave(x + y, x - y, 23.0)) as u8
        })
        .unwrap();
        let u = resize::halve(y.as_ref());
        Yuv420::from_planes(y, u.clone(), u).unwrap()
    }

    fn between(a: &Yuv420, b: &Yuv420, flow: &FlowPair, t: f32) -> Yuv420 {
        let mut out = a.clone();
        let settings = Settings::of(SIZE);
        frame(a.as_ref(), b.as_ref(), flow, t, settings, &mut out.as_mut()).unwrap();
        out
    }

    fn psnr(a: &Yuv420, b: &Yuv420) -> f64 {
        metrics::psnr(a.as_ref().y(), b.as_ref().y()).unwrap()
    }

    fn estimated(a: &Yuv420, b: &Yuv420) -> FlowPair {
        let params = crate::flow::FlowParams { finest: 1, ..Default::default() };
        let image = |f: &Yuv420| crate::flow::FlowImage::new(f.as_ref().y(), params);
        crate::flow::pair(&image(a), &image(b)).unwrap()
    }

    fn uniform(u: f32) -> FlowPair {
        let field = |u: f32| FlowField::from_fn(SIZE, 4, |_, _| (u, 0.0)).unwrap();
        FlowPair::new(field(u), field(-u)).unwrap()
    }

    #[test]
    fn a_moving_scene_is_met_half_way() {
        let (a, b) = (scene(0.0, None), scene(9.0, None));
        let flow = estimated(&a, &b);
        for t in [0.25f32, 0.5, 0.75] {
            let found = psnr(&between(&a, &b, &flow, t), &scene(9.0 * t, None));
            assert!(found > 33.0, "{t}: {found} dB");
        }
    }

    #[test]
    fn a_subject_before_a_still_ground_beats_the_plain_blend() {
        let (a, b) = (scene(0.0, Some(0.0)), scene(0.0, Some(10.0)));
        let truth = scene(0.0, Some(5.0));
        let moved = psnr(&between(&a, &b, &estimated(&a, &b), 0.5), &truth);
        let mut plain = a.clone();
        blend(a.as_ref(), b.as_ref(), 0.5, &mut plain.as_mut()).unwrap();
        assert!(moved > psnr(&plain, &truth) + 4.0, "{moved} {}", psnr(&plain, &truth));
    }

    #[test]
    fn the_ends_are_the_frames() {
        let (a, b) = (scene(0.0, None), scene(9.0, None));
        assert_eq!(between(&a, &b, &uniform(9.0), 0.0), a);
        assert_eq!(between(&a, &b, &uniform(9.0), 1.0), b);
    }

    #[test]
    fn what_can_not_be_followed_is_blended() {
        let (a, b) = (scene(0.0, None), scene(3.0, Some(0.0)));
        let mut plain = a.clone();
        blend(a.as_ref(), b.as_ref(), 0.5, &mut plain.as_mut()).unwrap();
        assert_eq!(between(&a, &b, &uniform(SIZE.0 as f32 / 7.0), 0.5), plain);
        let cells = uniform(5.0).forward.vectors().len();
        let blind =
            |u: i16| FlowField::from_parts(SIZE, 4, vec![[u, 0]; cells], vec![0; cells]).unwrap();
        let flow = FlowPair::new(blind(160), blind(-160)).unwrap();
        let inner = |f: &Yuv420| f.as_ref().y().window(16, 0, 288, 180).unwrap().to_plane();
        assert_eq!(inner(&between(&a, &b, &flow, 0.5)), inner(&plain));
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let (a, b) = (scene(0.0, Some(0.0)), scene(4.0, Some(10.0)));
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| between(&a, &b, &estimated(&a, &b), 0.3))
        };
        assert_eq!(run(1), run(2));
    }
}
