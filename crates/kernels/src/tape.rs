//! What video tape and tubes do to lines: time-base errors, smeared colour, noise, scan lines.
//!
//! All of it is a function of seed, line and field. Tape keeps luma to about 3 MHz and colour to
//! about 0.5 MHz with a delay (IEC 60774), some 240 and 40 cycles a line.

use crate::frame::Yuv420Mut;
use crate::hash::{mix, unit};
use crate::plane::PlaneMut;
use crate::rows::for_rows_with;

/// How worn a tape is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tape {
    /// 0 (a studio's) to 1 (worn out).
    pub wear: f32,
    /// Decides all errors.
    pub seed: u64,
    /// Where the tracking error stands, 0 (top) to 1 (bottom); beyond it there is none.
    pub tracking: f32,
}

/// Lines of the standard: how coarse a line's errors are does not depend on the clip's size.
const LINES: f32 = 480.0;

/// Plays field `t` of a frame from tape.
pub fn play(frame: &mut Yuv420Mut<'_>, tape: Tape, t: u64) {
    let key = mix(tape.seed ^ mix(t));
    let [luma, blue, red] = frame.planes_mut();
    line(luma, tape, key, t, false);
    rayon::join(|| line(blue, tape, key, t, true), || line(red, tape, key ^ 1, t, true));
}

fn line(plane: &mut PlaneMut<'_>, tape: Tape, key: u64, t: u64, chroma: bool) {
    let (width, height) = plane.size();
    let scale = width as f32 / 640.0;
    let (reach, delay) = if chroma { (9.0 * scale, 7.0 * scale) } else { (0.9 * scale, 0.0) };
    let reach = libm::roundf(reach * (0.5 + 0.5 * tape.wear)) as usize;
    let per_line = height as f32 / LINES;
    for_rows_with(
        plane,
        || (vec![0u8; width], vec![0u8; width]),
        |(moved, soft), y, row| {
            let nth = (y as f32 / per_line.max(0.5)) as u64;
            let place = (y as f32 + 0.5) / height as f32;
            let dice = mix(key ^ nth);
            let slow = libm::sinf(place * 9.0 + 0.11 * t as f32) * 0.6;
            let jitter = (unit(dice) - 0.5) * 1.1 + slow;
            let near = (1.0 - ((place - tape.tracking) / 0.035).abs()).max(0.0);
            // The heads change over a few lines above the bottom.
            let switch = ((place - 0.978) / 0.022).max(0.0);
            let skew = 46.0 * switch * switch + near * (unit(dice << 9) - 0.3) * 34.0;
            let shift = scale * (tape.wear * (jitter + skew)) + delay * tape.wear;
            shifted(row, shift, moved);
            mean_along(moved, reach, soft);
            let noise = if chroma { 5.0 } else { 4.5 } * (0.3 + 0.7 * tape.wear);
            let grit = noise + 42.0 * near * near * tape.wear + 26.0 * switch;
            let dropout = dropout(mix(!dice), tape.wear, width, chroma);
            let mut state = dice;
            let mut held = 0.0f32;
            for (x, (out, &code)) in row.iter_mut().zip(soft.iter()).enumerate() {
                if x % 4 == 0 {
                    state = mix(state);
                }
                // Noise of a tape is as narrow-banded as its signal: it lies in short dashes.
                let raw = f32::from((state >> (16 * (x % 4))) as u16) / 32_768.0 - 1.0;
                held += 0.45 * (raw - held);
                let mut value = f32::from(code) + 1.5 * grit * held;
                if dropout.contains(&x) {
                    value += 0.75 * (225.0 - value);
                }
                *out = value.clamp(16.0, 240.0) as u8;
            }
        },
    );
}

/// Where a line has lost its signal for a moment.
fn dropout(dice: u64, wear: f32, width: usize, chroma: bool) -> std::ops::Range<usize> {
    if chroma || unit(dice) > 0.004 * wear {
        return 0..0;
    }
    let start = (unit(dice << 18) * width as f32) as usize;
    start..start + (width as f32 * (0.01 + 0.06 * unit(dice << 36))) as usize
}

/// A row moved to the right by a part of a pixel, its ends repeated.
fn shifted(row: &[u8], shift: f32, out: &mut [u8]) {
    let whole = libm::floorf(shift);
    let part = ((shift - whole) * 256.0) as i32;
    let last = row.len() as isize - 1;
    let at = |x: isize| i32::from(row[x.clamp(0, last) as usize]);
    for (x, out) in out.iter_mut().enumerate() {
        let x = x as isize - whole as isize;
        *out = ((at(x) * (256 - part) + at(x - 1) * part + 128) >> 8) as u8;
    }
}

/// Means along a row over 2 `reach` + 1 px, its ends repeated.
fn mean_along(row: &[u8], reach: usize, out: &mut [u8]) {
    let last = row.len() as isize - 1;
    let at = |x: isize| i32::from(row[x.clamp(0, last) as usize]);
    let r = reach as isize;
    let count = (2 * r + 1) as i32;
    let mut sum: i32 = (-r..=r).map(at).sum();
    for (x, out) in out.iter_mut().enumerate() {
        *out = ((sum + count / 2) / count) as u8;
        sum += at(x as isize + r + 1) - at(x as isize - r);
    }
}

/// Darkens the gaps between the lines of a tube by `amount` (0 to 1).
pub fn scan_lines(frame: &mut Yuv420Mut<'_>, amount: f32) {
    let [luma, _, _] = frame.planes_mut();
    let pitch = (luma.height() as f32 / 240.0).max(2.0);
    for_rows_with(
        luma,
        || (),
        |(), y, row| {
            let phase = (y as f32 + 0.5) / pitch;
            let gap = 0.5 - 0.5 * libm::cosf(std::f32::consts::TAU * phase);
            let keep = (256.0 * (1.0 - 0.55 * amount.clamp(0.0, 1.0) * gap)) as i32;
            // What is left of a line is brighter, so that the picture is not darker than it was.
            let lift = (256.0 * (1.0 + 0.3 * amount.clamp(0.0, 1.0))) as i32;
            for code in row {
                let light = (i32::from(*code) - 16) * keep * lift / 65_536;
                *code = (16 + light).clamp(0, 235) as u8;
            }
        },
    );
}

/// Breaks a frame as a damaged stream does: bands of lines slip, and blocks of colour with them.
/// `amount` 0 leaves it whole.
pub fn glitch(frame: &mut Yuv420Mut<'_>, amount: f32, key: u64) {
    if amount <= 0.0 {
        return;
    }
    for (k, plane) in frame.planes_mut().into_iter().enumerate() {
        let (width, height) = plane.size();
        let block = (height / 36).max(2);
        for_rows_with(
            plane,
            || vec![0u8; width],
            |before, y, row| {
                // Bands of one to four blocks, the same in all planes.
                let band = y / block;
                let dice = mix(key ^ mix((band / (1 + (mix(key ^ 5) % 4) as usize)) as u64));
                if unit(dice) > 0.42 * amount {
                    return;
                }
                let slip = (unit(dice << 20) - 0.5) * 0.3 * amount * width as f32;
                before.copy_from_slice(row);
                // Colour slips further than lightness.
                let own = if k == 0 { slip } else { slip * (1.0 + 0.6 * k as f32) };
                let whole = own as isize;
                for (x, out) in row.iter_mut().enumerate() {
                    *out = before[(x as isize - whole).rem_euclid(width as isize) as usize];
                }
                if k > 0 && unit(dice << 40) < 0.35 {
                    for code in row.iter_mut() {
                        *code = 255 - *code;
                    }
                }
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Yuv420;

    fn bars() -> Yuv420 {
        let mut frame = Yuv420::new(160, 96, [60, 110, 150]).unwrap();
        for y in 0..96 {
            frame.as_mut().planes_mut()[0].row_mut(y)[60..90].fill(200);
        }
        frame
    }

    #[test]
    fn tape_is_a_function_of_seed_and_field() {
        let played = |seed, t| {
            let mut frame = bars();
            play(&mut frame.as_mut(), Tape { wear: 0.7, seed, tracking: 0.4 }, t);
            frame
        };
        assert_eq!(played(1, 3), played(1, 3));
        assert_ne!(played(1, 3), played(1, 4));
        assert_ne!(played(1, 3), played(2, 3));
    }

    #[test]
    fn scan_lines_keep_black_and_about_the_lightness() {
        let mut black = Yuv420::new(64, 480, [16, 128, 128]).unwrap();
        scan_lines(&mut black.as_mut(), 1.0);
        assert!(black.planes()[0].data().iter().all(|&code| code == 16));
        let mut grey = Yuv420::new(64, 480, [120, 128, 128]).unwrap();
        scan_lines(&mut grey.as_mut(), 0.7);
        let data = grey.planes()[0].data();
        let mean = data.iter().map(|&v| f32::from(v)).sum::<f32>() / data.len() as f32;
        assert!((mean - 120.0).abs() < 14.0, "{mean}");
    }

    #[test]
    fn a_glitch_of_nothing_is_nothing() {
        let mut frame = bars();
        glitch(&mut frame.as_mut(), 0.0, 9);
        assert_eq!(frame, bars());
        glitch(&mut frame.as_mut(), 1.0, 9);
        assert_ne!(frame, bars());
    }
}
