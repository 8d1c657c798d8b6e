//! Pigment, paper and light, pixel by pixel.
//!
//! A plane here is its bytes and its width. Textures are codes about 128, coverages 0 to 255.
//! Colour planes are half as wide and high and read what goes with them at every second place.

use kernels::Plane;
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
            let shown = (i32::from(*out) + 60).min(220);
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

/// Goes the part `part` (0 to 255, of luma's size) of the way to `goal`.
pub(super) fn keep(
    planes: (&mut [u8], &mut [u8], &mut [u8]),
    goal: (&mut [u8], &mut [u8], &mut [u8]),
    part: &Plane,
) {
    let width = part.width();
    let pairs = [(planes.0, goal.0, 1), (planes.1, goal.1, 2), (planes.2, goal.2, 2)];
    for (plane, goal, step) in pairs {
        let goal: &[u8] = goal;
        rows(plane, width / step, |y, row| {
            let goal = goal.chunks(width / step).nth(y).unwrap_or_default();
            let part = part.row(step * y).iter().step_by(step);
            for ((out, &goal), &part) in row.iter_mut().zip(goal).zip(part) {
                *out = mixed(*out, goal, i32::from(part) + i32::from(part >> 7));
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
