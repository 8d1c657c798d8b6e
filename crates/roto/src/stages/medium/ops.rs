//! Pigment, paper and light, pixel by pixel.
//!
//! A plane here is its bytes and its width. Textures are codes about 128, coverages 0 to 255.
//! Colour planes are half as wide and high and read what goes with them at every second place.

use kernels::{Plane, PlaneRef, blur, resize};
use rayon::prelude::*;

use super::recipe::Tone;

/// Code of white.
const WHITE: i32 = 235;

const BAND: usize = 16;

/// Calls `work(y, row)` for each row.
fn rows(plane: &mut [u8], width: usize, work: impl Fn(usize, &mut [u8]) + Sync) {
    plane.par_chunks_mut(width * BAND).enumerate().for_each(|(band, lines)| {
        for (i, row) in lines.chunks_mut(width).enumerate() {
            work(band * BAND + i, row);
        }
    });
}

fn code(value: i32) -> u8 {
    value.clamp(16, WHITE) as u8
}

fn colour(value: i32) -> u8 {
    value.clamp(16, 240) as u8
}

/// `a` and the share `part` in 1/256 of the way to `b`.
#[inline]
fn mixed(a: u8, b: u8, part: i32) -> u8 {
    (i32::from(a) + (((i32::from(b) - i32::from(a)) * part + 128) >> 8)) as u8
}

/// The codes that a tone makes of light.
pub(super) fn light_table(tone: &Tone) -> [u8; 256] {
    std::array::from_fn(|code| {
        let light = (code as f32 - 126.0) * tone.gain + 126.0 + tone.lift;
        let light = if tone.levels < 2 { light } else { stepped(light, tone) };
        (light + 0.5).clamp(16.0, 235.0) as u8
    })
}

/// Steps of light with soft sides (Winnemoeller, Olsen, Gooch 2006): on average the light that it
/// was, and never a jump that noise could flip.
fn stepped(light: f32, tone: &Tone) -> f32 {
    let step = 219.0 / f32::from(tone.levels);
    let border = libm::roundf((light - 16.0) / step) * step + 16.0;
    border + step / 2.0 * libm::tanhf(tone.hard * (light - border) / step)
}

/// Puts every code through a table.
pub(super) fn by_table(plane: &mut [u8], width: usize, table: &[u8; 256]) {
    rows(plane, width, |_, row| {
        for out in row {
            *out = table[usize::from(*out)];
        }
    });
}

/// `factor` times as colourful.
pub(super) fn colour_table(factor: f32) -> [u8; 256] {
    std::array::from_fn(|code| ((code as f32 - 128.0) * factor + 128.5).clamp(16.0, 240.0) as u8)
}

/// Pigment `density` / 128 times as dense over white: what is dark or colourful gets more so, and
/// paper stays paper (Bousseau, Kaplan, Thollot, Sillion 2006).
pub(super) fn dense(planes: [&mut [u8]; 3], width: usize, density: &Plane) {
    let [y, u, v] = planes;
    rows(y, width, |y, row| {
        for (out, &density) in row.iter_mut().zip(density.row(y)) {
            // A dark that is thinned would turn to fog.
            let open = (i32::from(*out) + 24).min(180);
            let change = ((i32::from(density) - 128) * open) / 180;
            *out = code(WHITE - (((WHITE - i32::from(*out)) * (128 + change)) >> 7));
        }
    });
    for plane in [u, v] {
        rows(plane, width / 2, |y, row| {
            for (out, density) in row.iter_mut().zip(density.row(2 * y).iter().step_by(2)) {
                let density = i32::from(*density).clamp(90, 176);
                *out = colour(128 + (((i32::from(*out) - 128) * density) >> 7));
            }
        });
    }
}

/// Adds what each height is off 128 and the light that falls on the slopes from the upper left,
/// both in 1/256.
pub(super) fn relief(y: &mut [u8], width: usize, height: &Plane, body: i32, slope: i32) {
    rows(y, width, |y, row| {
        let (above, here, below) =
            (height.row(y.saturating_sub(1)), height.row(y), height.row(y + 1));
        let last = here.len().saturating_sub(1);
        let at = |line: &[u8], x: usize| line.get(x.min(last)).map_or(128, |&v| i32::from(v));
        for (x, out) in row.iter_mut().enumerate() {
            let lit = at(below, x + 1) - at(above, x.saturating_sub(1));
            let change = (at(here, x) - 128) * body + lit * slope;
            // Thick paint shows in the light; a dark is a dark.
            let shown = (i32::from(*out) + 8).min(220);
            *out = code(i32::from(*out) + ((change * shown) >> 16));
        }
    });
}

/// Adds a texture's share to a colour plane of its size, in 1/256.
pub(super) fn stray(plane: &mut [u8], width: usize, texture: &Plane, amount: i32) {
    rows(plane, width, |y, row| {
        for (out, &texture) in row.iter_mut().zip(texture.row(y)) {
            *out = colour(i32::from(*out) + (((i32::from(texture) - 128) * amount) >> 8));
        }
    });
}

/// How much of each place a tone covers: texture beats a threshold that falls with darkness.
/// `from` is the threshold at white, `fall` how much it falls from white to black, and `soft` the
/// range over which the texture's tooth takes pigment.
pub(super) fn covered(
    luma: &[u8],
    width: usize,
    texture: &Plane,
    (from, fall, soft): (f32, f32, f32),
    out: &mut Plane,
) {
    let per_code = (fall / 219.0 * 256.0) as i32;
    let from = (from * 256.0) as i32;
    let gain = (255.0 / soft.max(1.0) * 256.0) as i32;
    let pixels = out.data_mut();
    rows(pixels, width, |y, row| {
        let luma = luma.chunks(width).nth(y).unwrap_or_default();
        for ((out, &code), &texture) in row.iter_mut().zip(luma).zip(texture.row(y)) {
            let threshold = (from - (WHITE - i32::from(code)) * per_code) >> 8;
            let above = ((i32::from(texture) - threshold) * gain) >> 8;
            *out = (above + 128).clamp(0, 255) as u8;
        }
    });
}

/// How much small light and dark there is around each place, at half size: grass is busy, a cheek
/// is not.
pub(super) fn busy(luma: PlaneRef<'_>) -> Plane {
    let small = resize::halve(luma);
    let mean = blur::box_mean(small.as_ref(), 5);
    let mut off = small;
    let width = off.width();
    rows(off.data_mut(), width, |y, row| {
        for (out, &mean) in row.iter_mut().zip(mean.row(y)) {
            *out = out.abs_diff(mean).saturating_mul(4);
        }
    });
    blur::box_mean(off.as_ref(), 9)
}

/// Goes the way to `goal` by a coverage, `amount` in 1/256 of it.
pub(super) fn spared(luma: &mut [u8], width: usize, cover: &Plane, amount: i32, goal: i32) {
    rows(luma, width, |y, row| {
        for (out, &cover) in row.iter_mut().zip(cover.row(y)) {
            let part = (i32::from(cover) * amount) >> 8;
            *out = (i32::from(*out) + (((goal - i32::from(*out)) * part.min(255)) >> 8)) as u8;
        }
    });
}

/// The larger of two coverages.
pub(super) fn joined(out: &mut Plane, other: &Plane) {
    let width = out.width();
    rows(out.data_mut(), width, |y, row| {
        for (out, &other) in row.iter_mut().zip(other.row(y)) {
            *out = (*out).max(other);
        }
    });
}

/// Moves every pixel to `goal` by a coverage, `amount` in 1/256 of it; with `bare` where it does
/// *not* cover.
pub(super) fn covers(
    planes: [&mut [u8]; 3],
    width: usize,
    cover: &Plane,
    goal: [u8; 3],
    amount: i32,
    bare: bool,
) {
    let flip = if bare { 255 } else { 0 };
    for (k, (plane, goal)) in planes.into_iter().zip(goal).enumerate() {
        let step = if k == 0 { 1 } else { 2 };
        rows(plane, width / step, |y, row| {
            let cover = cover.row(step * y).iter().step_by(step);
            for (out, &cover) in row.iter_mut().zip(cover) {
                let part = (i32::from(cover ^ flip) * amount + 128) >> 8;
                *out = mixed(*out, goal, part + (part >> 7));
            }
        });
    }
}

/// All of it to one colour.
pub(super) fn fill(planes: [&mut [u8]; 3], goal: [u8; 3]) {
    for (plane, goal) in planes.into_iter().zip(goal) {
        plane.fill(goal);
    }
}

/// Goes the part `part` (0 to 255, of luma's size) of the way to `goal`, or the share `share` (0 to
/// 1) of it.
pub(super) fn keep(
    planes: (&mut [u8], &mut [u8], &mut [u8]),
    goal: (&mut [u8], &mut [u8], &mut [u8]),
    part: &Plane,
    share: f32,
) {
    let width = part.width();
    let share = (256.0 * share.clamp(0.0, 1.0) + 0.5) as i32;
    let pairs = [(planes.0, goal.0, 1), (planes.1, goal.1, 2), (planes.2, goal.2, 2)];
    for (plane, goal, step) in pairs {
        let goal: &[u8] = goal;
        rows(plane, width / step, |y, row| {
            let goal = goal.chunks(width / step).nth(y).unwrap_or_default();
            let part = part.row(step * y).iter().step_by(step);
            for ((out, &goal), &part) in row.iter_mut().zip(goal).zip(part) {
                let part = i32::from(part) + i32::from(part >> 7);
                *out = mixed(*out, goal, (part * share) >> 8);
            }
        });
    }
}

/// The share `part`, 0 to 1, of the way from `from` to what is there.
pub(super) fn mix(frame: &mut [u8], from: &[u8], part: f32) {
    let part = (part * 256.0 + 0.5) as i32;
    frame.par_chunks_mut(1 << 15).zip(from.par_chunks(1 << 15)).for_each(|(out, from)| {
        for (out, &from) in out.iter_mut().zip(from) {
            *out = mixed(from, *out, part);
        }
    });
}

/// Gives back of the `source` what is fainter than `faint` codes, and the share `part` / 256 of what
/// is more: a cloud at night and the white of an eye are still seen under broad touches.
pub(super) fn detailed(painted: &mut [u8], source: &[u8], width: usize, (faint, part): (i32, i32)) {
    rows(painted, width, |y, row| {
        let source = source.chunks(width).nth(y).unwrap_or_default();
        for (out, &source) in row.iter_mut().zip(source) {
            let off = i32::from(source) - i32::from(*out);
            let small = off.clamp(-faint, faint);
            *out = (i32::from(*out) + small + (((off - small) * part + 128) >> 8)) as u8;
        }
    });
}

/// What is fainter than a tone, as a texture about 128 that rises by 8 a code: a cloud at night.
pub(super) fn faint(luma: PlaneRef<'_>) -> Plane {
    let mut out = luma.to_plane();
    let mean = blur::box_mean(luma, 24);
    let width = out.width();
    rows(out.data_mut(), width, |y, row| {
        for (out, &mean) in row.iter_mut().zip(mean.row(y)) {
            let off = i32::from(*out) - i32::from(mean);
            *out = (128 + 8 * off.clamp(-12, 12)) as u8;
        }
    });
    out
}

/// Ink of uneven density: what is dark lets paper shine through where the texture `marks` is above
/// 96, by up to `amount` codes.
pub(super) fn thinned(luma: &mut [u8], width: usize, marks: &Plane, amount: i32) {
    rows(luma, width, |y, row| {
        for (out, &mark) in row.iter_mut().zip(marks.row(y)) {
            let dark = (128 - i32::from(*out)).max(0);
            let thin = (i32::from(mark) - 96).max(0);
            *out = (i32::from(*out) + ((thin * amount * dark) >> 14)) as u8;
        }
    });
}

/// A plane twice as wide and high, interpolated.
pub(super) fn doubled(half: &Plane, out: &mut Plane) {
    let width = out.width();
    rows(out.data_mut(), width, |y, row| {
        // Rows and columns of a half-size plane lie between two of the whole one.
        let near = half.row(y / 2);
        let far = half.row(if y % 2 == 0 { (y / 2).saturating_sub(1) } else { y / 2 + 1 });
        let last = near.len().saturating_sub(1);
        let at = |x: usize| {
            let x = x.min(last);
            3 * u16::from(near[x]) + u16::from(far[x])
        };
        let mut before = at(0);
        let mut here = before;
        for (x, pair) in row.chunks_mut(2).enumerate() {
            let after = at(x + 1);
            for (out, side) in pair.iter_mut().zip([before, after]) {
                *out = ((3 * here + side + 8) >> 4) as u8;
            }
            (before, here) = (here, after);
        }
    });
}
