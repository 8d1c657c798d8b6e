//! What falls or floats in the air: soft streaks, drawn into a cover and laid over a frame.
//!
//! A drop, a flake or a mote that moves while the shutter is open is a streak with round ends
//! (Garg, Nayar, "Vision and rain", IJCV 2007: a streak shows the light of a wide piece of its
//! surroundings, mixed with what is behind it by the share of the exposure that it was there).
//! Covers add up without order, so bands of rows may be drawn by any thread.

use rayon::prelude::*;

use crate::frame::Yuv420Mut;
use crate::grid::{CELL, Grid, Spread};
use crate::plane::{PlaneMut, PlaneRef};
use crate::rows::for_rows_with;

/// Rows that one task draws.
const BAND: usize = 24;

/// A soft line with round ends, in px of the screen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Streak {
    /// One end.
    pub from: (f32, f32),
    /// The other.
    pub to: (f32, f32),
    /// Distance from its middle line at which it has faded out; above 0.
    pub radius: f32,
    /// Cover along the middle, 0 to 255.
    pub cover: f32,
}

/// Draws streaks into an emptied cover.
pub fn draw(streaks: &[Streak], cover: &mut PlaneMut<'_>) {
    let (width, height) = cover.size();
    let mut bands: Vec<Vec<&Streak>> = vec![Vec::new(); height.div_ceil(BAND)];
    for streak in streaks {
        let (x0, x1) = ordered(streak.from.0, streak.to.0);
        let (y0, y1) = ordered(streak.from.1, streak.to.1);
        let reach = streak.radius;
        let seen = x1 + reach >= 0.0 && x0 - reach <= width as f32;
        if !seen || y1 + reach < 0.0 || y0 - reach > height as f32 {
            continue;
        }
        let first = ((y0 - reach).max(0.0) as usize / BAND).min(bands.len() - 1);
        let last = ((y1 + reach).max(0.0) as usize / BAND).min(bands.len() - 1);
        for band in &mut bands[first..=last] {
            band.push(streak);
        }
    }
    let (data, stride) = cover.raw_mut();
    data.par_chunks_mut(stride * BAND).zip(bands).enumerate().for_each(
        |(band, (rows, streaks))| {
            for (k, row) in rows.chunks_mut(stride).enumerate() {
                let row = &mut row[..width];
                row.fill(0);
                for streak in &streaks {
                    streak.draw_row((band * BAND + k) as f32 + 0.5, row);
                }
            }
        },
    );
}

fn ordered(a: f32, b: f32) -> (f32, f32) {
    if a <= b { (a, b) } else { (b, a) }
}

// === impl Streak ===

impl Streak {
    /// Adds its cover to the row whose pixels have their middles at height `y`.
    fn draw_row(&self, y: f32, row: &mut [u8]) {
        let (dx, dy) = (self.to.0 - self.from.0, self.to.1 - self.from.1);
        let length = dx * dx + dy * dy;
        // The part of the middle line that is near enough to this row.
        let (mut t0, mut t1) = (0.0, 1.0);
        if dy.abs() > 1e-3 {
            let (a, b) =
                ordered((y - self.radius - self.from.1) / dy, (y + self.radius - self.from.1) / dy);
            (t0, t1) = (a.max(0.0), b.min(1.0));
        } else if (y - self.from.1).abs() > self.radius {
            return;
        }
        if t0 > t1 {
            return;
        }
        let (x0, x1) = ordered(self.from.0 + t0 * dx, self.from.0 + t1 * dx);
        let start = (x0 - self.radius).max(0.0) as usize;
        let end = ((x1 + self.radius).max(0.0) as usize + 1).min(row.len());
        let inverse = if length > 1e-6 { 1.0 / length } else { 0.0 };
        let fade = 1.0 / (self.radius * self.radius);
        for (x, out) in row.iter_mut().enumerate().take(end).skip(start) {
            let (px, py) = (x as f32 + 0.5 - self.from.0, y - self.from.1);
            let t = ((px * dx + py * dy) * inverse).clamp(0.0, 1.0);
            let (ox, oy) = (px - t * dx, py - t * dy);
            let near = 1.0 - (ox * ox + oy * oy) * fade;
            if near > 0.0 {
                *out = out.saturating_add((self.cover * near * near) as u8);
            }
        }
    }
}

/// Draws a frame towards the light of each cell where a cover lies over it. `tint` is the colour
/// difference that a full cover has.
pub fn lay(cover: PlaneRef<'_>, light: &Grid, tint: [u8; 2], frame: &mut Yuv420Mut<'_>) {
    let [luma, blue, red] = frame.planes_mut();
    for_rows_with(
        luma,
        || Spread::new(light, CELL),
        |spread, y, row| {
            let cover = cover.row(y);
            if cover.iter().all(|&cover| cover == 0) {
                return;
            }
            for ((out, &cover), &light) in row.iter_mut().zip(cover).zip(spread.row(light, y)) {
                let (code, cover) = (i32::from(*out), i32::from(cover));
                *out =
                    (code + (((i32::from(light) - code) * cover + 128) >> 8)).clamp(0, 255) as u8;
            }
        },
    );
    for (plane, tint) in [(blue, tint[0]), (red, tint[1])] {
        let tint = i32::from(tint);
        for_rows_with(
            plane,
            || (),
            |(), y, row| {
                let (above, below) = (cover.row(2 * y), cover.row(2 * y + 1));
                let pairs = above.chunks(2).zip(below.chunks(2));
                for (out, (above, below)) in row.iter_mut().zip(pairs) {
                    let sum: i32 = above.iter().chain(below).map(|&cover| i32::from(cover)).sum();
                    let code = i32::from(*out);
                    *out = (code + (((tint - code) * sum + 512) >> 10)) as u8;
                }
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Yuv420;
    use crate::plane::Plane;
    use proptest::prelude::*;

    fn drawn(streaks: &[Streak]) -> Plane {
        let mut cover = Plane::new(96, 80, 9).unwrap();
        draw(streaks, &mut cover.as_mut());
        cover
    }

    #[test]
    fn a_streak_is_brightest_along_its_middle_and_ends() {
        let streak = Streak { from: (40.5, 20.5), to: (40.5, 50.5), radius: 3.0, cover: 200.0 };
        let cover = drawn(&[streak]);
        let at = |x, y| cover.as_ref().at(x, y);
        assert!(at(40, 35) >= 199 && at(41, 35) < 199 && at(41, 35) > 100);
        assert_eq!((at(44, 35), at(40, 10), at(40, 60)), (0, 0, 0));
    }

    proptest! {
        #[test]
        fn order_and_threads_do_not_matter(
            ends in prop::collection::vec(((-20f32..120.0, -20f32..100.0),
                (-20f32..120.0, -20f32..100.0), 0.5f32..6.0), 1..12),
        ) {
            let streak = |&(from, to, radius): &((f32, f32), (f32, f32), f32)|
                Streak { from, to, radius, cover: 90.0 };
            let mut streaks: Vec<Streak> = ends.iter().map(streak).collect();
            let one = drawn(&streaks);
            streaks.reverse();
            let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
            prop_assert_eq!(one, pool.install(|| drawn(&streaks)));
        }

        #[test]
        fn a_laid_cover_stays_between_picture_and_light(code in 16u8..236, light in 16i16..236) {
            let mut frame = Yuv420::new(96, 80, [code, 128, 128]).unwrap();
            let streak =
                Streak { from: (10.0, 5.0), to: (60.0, 70.0), radius: 4.0, cover: 255.0 };
            lay(drawn(&[streak]).as_ref(), &Grid::new((96, 80), light), [128; 2],
                &mut frame.as_mut());
            let (low, high) = (i16::from(code).min(light), i16::from(code).max(light));
            for &out in frame.planes()[0].data() {
                prop_assert!((low..=high).contains(&i16::from(out)));
            }
        }
    }
}
