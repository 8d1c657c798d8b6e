//! Backward bilinear warps: each output pixel says where it comes from.
//!
//! Positions are in 1/256 px and all sums are integers. A shift by whole pixels is exact. Outside
//! of the source its border counts.

use crate::field::FlowField;
use crate::frame::{Yuv420Mut, Yuv420Ref};
use crate::geometry::Similarity;
use crate::plane::{Mask, Plane, PlaneMut, PlaneRef, ShapeError, check_same};
use crate::rows::{for_items, for_rows_with};
use crate::upsample::{STEPS, Upsampler};

/// dst(p) = src(p + flow(p)); `src` and `dst` have one size, which may be any part of the size
/// that the flow is about (vectors shrink along).
///
/// With the flow from frame a to frame b and `src` = b, `dst` is b brought to a's geometry.
pub fn by_flow(
    src: PlaneRef<'_>,
    flow: &FlowField,
    dst: &mut PlaneMut<'_>,
) -> Result<(), ShapeError> {
    check_same(src.size(), dst.size())?;
    let (grid, factor) = moves(src.size(), flow);
    for_rows_with(
        dst,
        || grid.lines(),
        #[inline(always)]
        |lines, y, out| {
            grid.row(y, factor, lines);
            let [u, v] = &lines.values;
            let top = y as i32 * STEPS;
            let (runs, rest) = out.as_chunks_mut::<RUN>();
            let (us, rest_u) = u.as_chunks();
            let (vs, rest_v) = v.as_chunks();
            let done = runs.len() * RUN;
            for (k, ((out, &u), &v)) in runs.iter_mut().zip(us).zip(vs).enumerate() {
                *out = sample_run(src, (k * RUN, y), u, v).map(|value| value as u8);
            }
            for (x, ((out, u), v)) in rest.iter_mut().zip(rest_u).zip(rest_v).enumerate() {
                *out = sample(src, (done + x) as i32 * STEPS + u, top + v) as u8;
            }
        },
    );
    Ok(())
}

/// [`by_flow`] without its blur: Catmull-Rom (a = -0.5, Keys 1981) in both directions, for what is
/// carried on from frame to frame and would wear away.
pub fn by_flow_sharply(
    src: PlaneRef<'_>,
    flow: &FlowField,
    dst: &mut PlaneMut<'_>,
) -> Result<(), ShapeError> {
    check_same(src.size(), dst.size())?;
    let (grid, factor) = moves(src.size(), flow);
    let taps: Vec<[i32; 4]> = (0..STEPS).map(catmull_rom).collect();
    for_rows_with(
        dst,
        || grid.lines(),
        #[inline(always)]
        |lines, y, out| {
            grid.row(y, factor, lines);
            let [u, v] = &lines.values;
            let top = y as i32 * STEPS;
            for (x, ((out, u), v)) in out.iter_mut().zip(u).zip(v).enumerate() {
                *out = sharp(src, &taps, x as i32 * STEPS + u, top + v);
            }
        },
    );
    Ok(())
}

/// A field's vectors at the pixels of a plane, and the factor that makes them its own.
pub(crate) fn moves(size: (usize, usize), flow: &FlowField) -> (Upsampler<'_, 2>, [i32; 2]) {
    let (factor_x, factor_y) = factors(size, flow.frame());
    let cell = cell_size(size, flow);
    (Upsampler::new(flow.vectors(), flow.grid().0, size.0, cell), [factor_x, factor_y])
}

/// Weights of the four values about a place `phase` / 256 px behind the second; they sum to 256.
fn catmull_rom(phase: i32) -> [i32; 4] {
    let t = phase as f32 / STEPS as f32;
    let (t2, t3) = (t * t, t * t * t);
    let weights = [-t + 2.0 * t2 - t3, 2.0 - 5.0 * t2 + 3.0 * t3, t + 4.0 * t2 - 3.0 * t3, t3 - t2];
    let mut out = weights.map(|w| libm::roundf(w * 128.0) as i32);
    out[usize::from(phase > 127) + 1] += STEPS - out.iter().sum::<i32>();
    out
}

/// The value at a position in 1/256 px, cubic; bilinear at the border.
#[inline(always)]
fn sharp(src: PlaneRef<'_>, taps: &[[i32; 4]], x: i32, y: i32) -> u8 {
    let (data, stride) = src.raw();
    let (i, j) = ((x >> 8) - 1, (y >> 8) - 1);
    let (across, down) = (taps[(x & 255) as usize], taps[(y & 255) as usize]);
    if i < 0 || j < 0 || i + 4 > src.width() as i32 || j + 4 > src.height() as i32 {
        return sample(src, x, y) as u8;
    }
    let mut at = j as usize * stride + i as usize;
    let mut sum = 0;
    for weight in down {
        if let Some(four) = data.get(at..).and_then(|rest| rest.first_chunk::<4>()) {
            let line: i32 = four.iter().zip(across).map(|(&v, w)| i32::from(v) * w).sum();
            sum += weight * line;
        }
        at += stride;
    }
    ((sum + (1 << 15)) >> 16).clamp(0, 255) as u8
}

/// [`by_flow`] for the three planes of a frame.
pub fn frame_by_flow(
    src: Yuv420Ref<'_>,
    flow: &FlowField,
    dst: &mut Yuv420Mut<'_>,
) -> Result<(), ShapeError> {
    for (src, dst) in src.planes().into_iter().zip(dst.planes_mut()) {
        by_flow(src, flow, dst)?;
    }
    Ok(())
}

/// dst(p) = src(`source_of`(p)), both with their origin at the centre, in px of the plane.
pub fn by_similarity(src: PlaneRef<'_>, source_of: &Similarity, dst: &mut PlaneMut<'_>) {
    let (a, b) = source_of.linear();
    let (step_x, step_y) = (fixed(f64::from(a)), fixed(f64::from(b)));
    let (width, height) = dst.size();
    let half = |side: usize| 0.5 * (side as f64 - 1.0);
    let centre_x = half(src.width()) + f64::from(source_of.tx);
    let centre_y = half(src.height()) + f64::from(source_of.ty);
    let (a, b) = (f64::from(a), f64::from(b));
    let dx = -half(width);
    for_rows_with(
        dst,
        || (),
        #[inline(always)]
        |(), y, out| {
            let dy = y as f64 - half(height);
            let mut x = fixed(centre_x + a * dx - b * dy) + HALF_STEP;
            let mut y = fixed(centre_y + b * dx + a * dy) + HALF_STEP;
            for out in out {
                *out = sample(src, (x >> 16) as i32, (y >> 16) as i32) as u8;
                x += step_x;
                y += step_y;
            }
        },
    );
}

/// Half of 1/256 px in the fixed point of [`fixed`].
const HALF_STEP: i64 = 1 << 15;

/// A length in px with 24 fraction bits, kept to what a frame can need.
fn fixed(px: f64) -> i64 {
    let limit = 8.0 * crate::plane::MAX_SIDE as f64;
    libm::round(px.clamp(-limit, limit) * f64::from(1 << 24)) as i64
}

/// [`by_similarity`] for the three planes of a frame; `source_of` is in luma px.
pub fn frame_by_similarity(src: Yuv420Ref<'_>, source_of: &Similarity, dst: &mut Yuv420Mut<'_>) {
    let luma = src.size();
    for (src, dst) in src.planes().into_iter().zip(dst.planes_mut()) {
        let factor = src.width() as f32 / luma.0 as f32;
        by_similarity(src, &source_of.resized(factor), dst);
    }
}

/// Cells of the first frame that the second one hides, at grid resolution: 255 where the two
/// directions disagree by more than |F + B|^2 > 0.01 (|F|^2 + |B|^2) + 0.5 px^2 (Sundaram, Brox,
/// Keutzer, ECCV 2010) or the vector leaves the frame.
pub fn occlusion(forward: &FlowField, backward: &FlowField) -> Result<Mask, ShapeError> {
    check_same(forward.frame(), backward.frame())?;
    check_same(forward.grid(), backward.grid())?;
    let (width, height) = forward.grid();
    let (frame_width, frame_height) = forward.frame();
    let mut data = vec![0u8; width * height];
    for_items(
        &mut data,
        width,
        #[inline(always)]
        |j, row| {
            for (i, out) in row.iter_mut().enumerate() {
                let (x, y) = forward.point(i, j);
                let (u, v) = forward.vector(i, j);
                let (x1, y1) = (x + u, y + v);
                let (bu, bv) = backward.sample(x1, y1);
                let gap = (u + bu) * (u + bu) + (v + bv) * (v + bv);
                let allowed = 0.01 * (u * u + v * v + bu * bu + bv * bv) + 0.5;
                let outside =
                    x1 < 0.0 || y1 < 0.0 || x1 > frame_width as f32 || y1 > frame_height as f32;
                *out = if outside || gap > allowed { 255 } else { 0 };
            }
        },
    );
    Ok(Mask(Plane::of_size(data, (width, height))))
}

/// Size of a cell of the field in px of a plane.
pub(crate) fn cell_size(plane: (usize, usize), flow: &FlowField) -> (f32, f32) {
    let scale = flow.scale() as f32;
    let (width, height) = flow.frame();
    (scale * plane.0 as f32 / width as f32, scale * plane.1 as f32 / height as f32)
}

/// Size of a plane over the size of the field's frames, in 1/256, at most 4.
pub(crate) fn factors(plane: (usize, usize), frame: (usize, usize)) -> (i32, i32) {
    let factor = |p: usize, f: usize| ((p * 256 + f / 2) / f).clamp(1, 1024) as i32;
    (factor(plane.0, frame.0), factor(plane.1, frame.1))
}

/// Pixels that [`sample_run`] reads at once.
pub(crate) const RUN: usize = 8;

/// [`sample`] at the pixels from (x, y) to the right, each moved by its (u, v) in 1/256 px.
///
/// Where all of them move by the same whole pixels they are read together.
#[inline(always)]
pub(crate) fn sample_run(
    src: PlaneRef<'_>,
    (x, y): (usize, usize),
    u: [i32; RUN],
    v: [i32; RUN],
) -> [i32; RUN] {
    let mut apart = 0;
    for k in 0..RUN {
        apart |= (u[k] ^ u[0]) | (v[k] ^ v[0]);
    }
    let (data, stride) = src.raw();
    let (i, j) = (x as i32 + (u[0] >> 8), y as i32 + (v[0] >> 8));
    let inside = i >= 0 && j >= 0 && i + (RUN as i32) < src.width() as i32;
    if apart >> 8 == 0 && inside && j + 1 < src.height() as i32 {
        let at = j as usize * stride + i as usize;
        if let (Some(above), Some(below)) = (run(data, at), run(data, at + stride)) {
            let mut out = [0; RUN];
            for k in 0..RUN {
                let corners = [above[k], above[k + 1], below[k], below[k + 1]];
                out[k] = mix(corners, u[k] & 255, v[k] & 255);
            }
            return out;
        }
    }
    let mut out = [0; RUN];
    for k in 0..RUN {
        let (x, y) = ((x + k) as i32 * STEPS, y as i32 * STEPS);
        out[k] = sample(src, x + u[k], y + v[k]);
    }
    out
}

#[inline(always)]
fn run(data: &[u8], at: usize) -> Option<&[u8; RUN + 1]> {
    data.get(at..=at + RUN).and_then(|run| run.try_into().ok())
}

/// The value at a position in 1/256 px, bilinear.
#[inline(always)]
pub(crate) fn sample(src: PlaneRef<'_>, x: i32, y: i32) -> i32 {
    let (data, stride) = src.raw();
    let (right, bottom) = (src.width() as i32 - 1, src.height() as i32 - 1);
    let (i, j) = (x >> 8, y >> 8);
    let (fx, fy) = (x & 255, y & 255);
    if i >= 0 && j >= 0 && i < right && j < bottom {
        let at = j as usize * stride + i as usize;
        if let (Some([p, q]), Some([r, s])) = (pair(data, at), pair(data, at + stride)) {
            return mix([p, q, r, s], fx, fy);
        }
    }
    let (i0, i1) = (i.clamp(0, right) as usize, (i + 1).clamp(0, right) as usize);
    let above = j.clamp(0, bottom) as usize * stride;
    let below = (j + 1).clamp(0, bottom) as usize * stride;
    mix([data[above + i0], data[above + i1], data[below + i0], data[below + i1]], fx, fy)
}

#[inline(always)]
fn pair(data: &[u8], at: usize) -> Option<[u8; 2]> {
    data.get(at..at + 2).and_then(|pair| pair.try_into().ok())
}

/// Blend of two pixels above and two below.
#[inline(always)]
fn mix(corners: [u8; 4], fx: i32, fy: i32) -> i32 {
    let [p, q, r, s] = corners.map(i32::from);
    let up = (p << 8) + (q - p) * fx;
    let low = (r << 8) + (s - r) * fx;
    ((up << 8) + (low - up) * fy + (1 << 15)) >> 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::Plane;
    use proptest::prelude::*;

    fn noise(width: usize, height: usize) -> Plane {
        Plane::from_fn(width, height, |x, y| ((x * 97 + y * 57 + x * y * 11) % 253) as u8).unwrap()
    }

    proptest! {
        #[test]
        fn whole_shifts_are_exact(dx in -9i16..9, dy in -9i16..9, scale in 1usize..6) {
            let src = noise(48, 36);
            let flow = FlowField::from_fn((48, 36), scale, |_, _| (dx as f32, dy as f32)).unwrap();
            let expected =
                Plane::from_fn(48, 36, |x, y| {
                    src.as_ref().at(x as isize + dx as isize, y as isize + dy as isize)
                }).unwrap();
            let mut dst = Plane::new(48, 36, 0).unwrap();
            by_flow(src.as_ref(), &flow, &mut dst.as_mut()).unwrap();
            prop_assert_eq!(&dst, &expected);
            let shift = Similarity::translation(dx as f32, dy as f32);
            by_similarity(src.as_ref(), &shift, &mut dst.as_mut());
            prop_assert_eq!(&dst, &expected);
        }
    }

    proptest! {
        #[test]
        fn a_run_is_its_pixels(
            x in 0usize..40,
            y in 0usize..36,
            whole in (-60i32..60, -50i32..50),
            part in proptest::array::uniform8((0i32..300, 0i32..260)),
        ) {
            let src = noise(48, 36);
            let u = part.map(|p| whole.0 * STEPS + p.0);
            let v = part.map(|p| whole.1 * STEPS + p.1);
            let found = sample_run(src.as_ref(), (x, y), u, v);
            for k in 0..RUN {
                let (x, y) = ((x + k) as i32 * STEPS, y as i32 * STEPS);
                prop_assert_eq!(found[k], sample(src.as_ref(), x + u[k], y + v[k]));
            }
        }
    }

    #[test]
    fn half_a_pixel_is_the_mean_of_two() {
        let src = Plane::from_fn(8, 2, |x, _| (x * 20) as u8).unwrap();
        let flow = FlowField::from_fn((8, 2), 1, |_, _| (0.5, 0.0)).unwrap();
        let mut dst = Plane::new(8, 2, 0).unwrap();
        by_flow(src.as_ref(), &flow, &mut dst.as_mut()).unwrap();
        assert_eq!(dst.row(0), [10, 30, 50, 70, 90, 110, 130, 140]);
    }

    #[test]
    fn what_is_carried_sharply_does_not_wear_away() {
        let stripes = Plane::from_fn(64, 16, |x, _| if x / 4 % 2 == 0 { 40 } else { 200 }).unwrap();
        let spread = |plane: &Plane| {
            let row = &plane.row(8)[16..48];
            i32::from(*row.iter().max().unwrap()) - i32::from(*row.iter().min().unwrap())
        };
        let worn =
            |warp: fn(PlaneRef<'_>, &FlowField, &mut PlaneMut<'_>) -> Result<(), ShapeError>| {
                let mut plane = stripes.clone();
                for k in 0..12 {
                    let step = if k % 2 == 0 { 0.5 } else { -0.5 };
                    let flow = FlowField::from_fn((64, 16), 2, |_, _| (step, 0.0)).unwrap();
                    let before = plane.clone();
                    warp(before.as_ref(), &flow, &mut plane.as_mut()).unwrap();
                }
                spread(&plane)
            };
        let (sharp, soft) = (worn(by_flow_sharply), worn(by_flow));
        assert!(sharp > 140 && soft < 100, "{sharp} {soft}");
        let flow = FlowField::from_fn((64, 16), 2, |_, _| (3.0, -2.0)).unwrap();
        let (mut one, mut other) = (stripes.clone(), stripes.clone());
        by_flow_sharply(stripes.as_ref(), &flow, &mut one.as_mut()).unwrap();
        by_flow(stripes.as_ref(), &flow, &mut other.as_mut()).unwrap();
        assert_eq!(one, other);
    }

    #[test]
    fn chroma_moves_half_as_far() {
        let src = noise(20, 20);
        let flow = FlowField::from_fn((40, 40), 4, |_, _| (6.0, -4.0)).unwrap();
        let mut dst = Plane::new(20, 20, 0).unwrap();
        by_flow(src.as_ref(), &flow, &mut dst.as_mut()).unwrap();
        assert_eq!(dst.as_ref().at(10, 10), src.as_ref().at(13, 8));
    }

    #[test]
    fn what_the_second_frame_hides_is_marked() {
        let inside = |x: f32| (40.0..60.0).contains(&x);
        let forward =
            FlowField::from_fn(
                (100, 20),
                2,
                |x, _| if inside(x) { (10.0, 0.0) } else { (0.0, 0.0) },
            )
            .unwrap();
        let backward = FlowField::from_fn((100, 20), 2, |x, _| {
            if inside(x - 10.0) { (-10.0, 0.0) } else { (0.0, 0.0) }
        })
        .unwrap();
        let mask = occlusion(&forward, &backward).unwrap();
        let at = |x: usize| mask.0.as_ref().at(x as isize / 2, 5);
        assert_eq!([at(20), at(50), at(65), at(80)], [0, 0, 255, 0]);
    }
}
