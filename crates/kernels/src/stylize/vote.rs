//! The picture that a field shows.
//!
//! A pixel asks the four cells about it where in the exemplar it lies. Where they agree, the
//! place between their answers is read: one sample, as sharp as the exemplar. At the seams of
//! patches their samples are weighed.

use super::exemplar::{INK, Level};
use super::search::Field;
use super::{ONE, Spot};
use crate::frame::{Yuv420, chroma_size};
use crate::plane::{Plane, PlaneRef, ShapeError};
use crate::rows::{for_items, for_rows, for_rows_with};

/// Disagreement of neighbouring cells up to which they show one stroke, in 1/256 cell.
const AGREED: i32 = 224;

/// Bits of a place's fraction of a sample of ink: a cell has 256 steps and `INK` samples.
const INK_BITS: i32 = 6;

/// What a field shows.
pub(super) fn frame(
    level: &Level,
    ink: &Plane,
    field: &Field,
    size: (usize, usize),
) -> Result<Yuv420, ShapeError> {
    let mut luma = Plane::new(size.0, size.1, 0)?;
    for_rows(&mut luma.as_mut(), |y, row| luma_row(ink.as_ref(), field, |_| true, y, row));
    with_chroma(luma, |at| chroma_at(level, field.spots[at]))
}

/// What two fields show, mixed cell by cell: `weights` are the second one's, 0 to 256. A pixel
/// that only one of them shows is read from that one alone.
pub(super) fn mixed(
    level: &Level,
    ink: &Plane,
    [a, b]: [&Field; 2],
    weights: &[u16],
    size: (usize, usize),
) -> Result<Yuv420, ShapeError> {
    let mut luma = Plane::new(size.0, size.1, 0)?;
    let scratch = || vec![0; size.0];
    for_rows_with(&mut luma.as_mut(), scratch, |other, y, row| {
        let weights = &weights[(y / 2).min(a.height - 1) * a.width..][..a.width];
        luma_row(ink.as_ref(), a, |cell| weights[cell] < 256, y, row);
        luma_row(ink.as_ref(), b, |cell| weights[cell] > 0, y, other);
        for (x, (out, &other)) in row.iter_mut().zip(other.iter()).enumerate() {
            *out = between(*out, other, weights[(x / 2).min(a.width - 1)]);
        }
    });
    with_chroma(luma, |at| match weights[at] {
        0 => chroma_at(level, a.spots[at]),
        256.. => chroma_at(level, b.spots[at]),
        weight => {
            let (p, q) = (chroma_at(level, a.spots[at]), chroma_at(level, b.spots[at]));
            [0, 1].map(|k| between(p[k], q[k], weight))
        }
    })
}

/// The code `weight` of 256 parts of the way from `p` to `q`.
#[inline]
fn between(p: u8, q: u8, weight: u16) -> u8 {
    let (p, q) = (i32::from(p), i32::from(q));
    (p + (((q - p) * i32::from(weight) + 128) >> 8)) as u8
}

/// Adds the colour differences, given by cell.
fn with_chroma(luma: Plane, of: impl Fn(usize) -> [u8; 2] + Sync) -> Result<Yuv420, ShapeError> {
    let (width, height) = chroma_size((luma.width(), luma.height()));
    let mut chroma = vec![[0u8; 2]; width * height];
    for_items(&mut chroma, width, |y, row| {
        for (x, out) in row.iter_mut().enumerate() {
            *out = of(y * width + x);
        }
    });
    let channel = |k: usize| Plane::from_vec(chroma.iter().map(|c| c[k]).collect(), width, height);
    Yuv420::from_planes(luma, channel(0)?, channel(1)?)
}

/// Offsets from cells of the frame to the exemplar, of one row of cells.
fn offsets(field: &Field, y: usize, row: usize) -> impl Iterator<Item = Spot> + '_ {
    // As if the row were `y`: neighbours' answers are about the same pixel.
    let down = (y as i32 - row as i32) * ONE;
    let spots = &field.spots[row * field.width..][..field.width];
    spots.iter().enumerate().map(move |(x, s)| [s[0] - x as i32 * ONE, s[1] + down])
}

/// Pixels of the wanted cells of one row; others are left as they are.
#[inline(always)]
fn luma_row(
    ink: PlaneRef<'_>,
    field: &Field,
    wanted: impl Fn(usize) -> bool,
    y: usize,
    out: &mut [u8],
) {
    let own = (y / 2).min(field.height - 1);
    let low = y % 2 == 1;
    let other = if low { (own + 1).min(field.height - 1) } else { own.saturating_sub(1) };
    // Half a pixel is a quarter of a cell.
    let down = if low { ONE / 4 } else { -ONE / 4 };
    let near: Vec<Spot> = offsets(field, own, own).collect();
    let far: Vec<Spot> = offsets(field, own, other).collect();
    let last = field.width - 1;
    for (x, out) in out.iter_mut().enumerate() {
        let cell = (x / 2).min(last);
        if !wanted(cell) {
            continue;
        }
        let (side, across) = if x % 2 == 1 {
            ((cell + 1).min(last), ONE / 4)
        } else {
            (cell.saturating_sub(1), -ONE / 4)
        };
        let base = cell as i32 * ONE + across;
        *out = pixel(ink, [near[cell], near[side], far[cell], far[side]], [base, down]);
    }
}

/// The four cells' answers, weighted 9, 3, 3, 1 by their distance.
#[inline(always)]
fn pixel(ink: PlaneRef<'_>, answers: [Spot; 4], base: Spot) -> u8 {
    let [a, b, c, d] = answers;
    let at = |s: Spot| sample(ink, [s[0] + base[0], s[1] + base[1]]);
    let apart = |p: Spot| (p[0] - a[0]).abs().max((p[1] - a[1]).abs());
    if apart(b).max(apart(c)).max(apart(d)) <= AGREED {
        let between = |k: usize| (9 * a[k] + 3 * (b[k] + c[k]) + d[k] + 8) >> 4;
        return at([between(0), between(1)]) as u8;
    }
    ((9 * at(a) + 3 * (at(b) + at(c)) + at(d) + 8) >> 4) as u8
}

/// Ink at a place in 1/256 cell, bilinear between its samples.
#[inline(always)]
fn sample(ink: PlaneRef<'_>, [x, y]: Spot) -> i32 {
    const HALF: i32 = (INK as i32 - 1) << (INK_BITS - 1);
    let (x, y) = (x + HALF, y + HALF);
    let (i, j) = (x >> INK_BITS, y >> INK_BITS);
    let (fx, fy) = (x & 63, y & 63);
    let (data, stride) = ink.raw();
    let (right, bottom) = (ink.width() as i32 - 2, ink.height() as i32 - 2);
    let at = j.clamp(0, bottom) as usize * stride + i.clamp(0, right) as usize;
    let Some(window) = data.get(at..at + stride + 2) else {
        return 0;
    };
    let (p, q) = (i32::from(window[0]), i32::from(window[1]));
    let (r, s) = (i32::from(window[stride]), i32::from(window[stride + 1]));
    let up = (p << 6) + (q - p) * fx;
    let low = (r << 6) + (s - r) * fx;
    ((up << 6) + (low - up) * fy + (1 << 11)) >> 12
}

/// Both colour differences at a place, bilinear between cells.
#[inline]
fn chroma_at(level: &Level, [x, y]: Spot) -> [u8; 2] {
    let (i, j) = (x >> 8, y >> 8);
    let (fx, fy) = (x & 255, y & 255);
    let at = j as usize * level.width + i as usize;
    let window = &level.cells[at..][..level.width + 2];
    let corners = [window[0], window[1], window[level.width], window[level.width + 1]];
    [1, 2].map(|k| {
        let [p, q, r, s] = corners.map(|c| i32::from(c[k]));
        let up = (p << 8) + (q - p) * fx;
        let low = (r << 8) + (s - r) * fx;
        (((up << 8) + (low - up) * fy + (1 << 15)) >> 16) as u8
    })
}
