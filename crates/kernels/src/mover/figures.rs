//! How far the mattes of a shot can be trusted.

use super::{Take, clean, ramp};
use crate::plane::{Plane, ShapeError};

/// Part of the frame that a mover takes: below the first pair it is a speck, above the second it
/// is no thing before a background.
const SPECK: (f32, f32) = (0.002, 0.008);
const MOST: (f32, f32) = (0.55, 0.7);

/// Part of the mover that is seen to be one by itself, not only by its neighbours.
const SUPPORTED: (f32, f32) = (0.45, 0.7);

/// Part of the mover that is seen moving at some time of the shot.
const MOVING: (f32, f32) = (0.15, 0.4);

/// Part of the mover's area that is neither it nor the background.
const UNDECIDED: (f32, f32) = (0.4, 0.75);

/// Part of the mover's area that comes or goes against the flow, from frame to frame.
const RESTLESS: (f32, f32) = (0.045, 0.1);

/// Part of the border along which the colours on both sides differ, and by how many codes.
const EDGED: (f32, f32) = (0.3, 0.6);
const STEP: f32 = 10.0;

/// Distance of the two sides from the border, in px of the copy.
const SIDES: isize = 3;

/// What makes a matte doubtful.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Nothing moves by itself, or only a speck.
    Nothing,
    /// Nearly all of the frame moves: there is no background.
    Everything,
    /// Little of what was found is seen to move or to differ from the background.
    Unproven,
    /// Much is neither the mover nor the background.
    Unclear,
    /// It changes from frame to frame.
    Restless,
    /// Its border lies on no edge of the picture.
    Borderless,
}

/// What was measured of a shot's mattes, each 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Figures {
    /// Part of the frame that the mover takes, on average over the frames that show it.
    pub share: f32,
    /// Part of the mover that evidence of its own speaks for.
    pub supported: f32,
    /// Part of the mover that is seen moving at some time.
    pub moving: f32,
    /// Undecided cells over the mover's.
    pub undecided: f32,
    /// Change against the flow from frame to frame, over the mover's area.
    pub restless: f32,
    /// Part of the border that lies on edges of the picture.
    pub edged: f32,
}

// === impl Figures ===

impl Figures {
    /// Measures mattes; `values` are the grid's, `support` and `moved` the evidence behind them.
    pub(super) fn of(
        take: &Take<'_>,
        mattes: &[Plane],
        values: &[Vec<f32>],
        support: &[Vec<f32>],
        moved: &[Vec<f32>],
    ) -> Result<Self, ShapeError> {
        let area: Vec<f32> = mattes.iter().map(covered).collect();
        let most = area.iter().copied().fold(0.0, f32::max);
        let shown: Vec<f32> = area.iter().copied().filter(|&own| own > 0.1 * most).collect();
        let (mut mover, mut proven, mut moving, mut between) = (0.0f64, 0.0f64, 0.0f64, 0.0f64);
        for ((values, support), moved) in values.iter().zip(support).zip(moved) {
            for ((&value, &support), &moved) in values.iter().zip(support).zip(moved) {
                let own = f64::from(value > 0.5);
                mover += own;
                proven += own * f64::from(ramp((0.1, 0.4), support));
                moving += own * f64::from(ramp((0.1, 0.4), moved));
                between += f64::from((0.3..0.7).contains(&value));
            }
        }
        let (mut change, mut edges, mut border) = (0.0f64, 0.0f64, 0.0f64);
        for at in 0..mattes.len() {
            if let (Some(field), Some(before)) =
                (take.behind(at), at.checked_sub(1).and_then(|before| mattes.get(before)))
            {
                let brought = clean::brought(before, field)?;
                let codes = mattes[at].data().iter().zip(brought.data());
                change += codes.map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>();
            }
            let (on, all) = edged(take, at, &mattes[at]);
            (edges, border) = (edges + on, border + all);
        }
        let sum: f64 = mattes
            .iter()
            .zip(&area)
            .map(|(matte, &area)| 255.0 * f64::from(area) * matte.data().len() as f64)
            .sum();
        let part = |of: f64, all: f64| if all > 0.0 { (of / all) as f32 } else { 0.0 };
        Ok(Self {
            share: shown.iter().sum::<f32>() / shown.len().max(1) as f32,
            supported: part(proven, mover),
            moving: part(moving, mover),
            undecided: part(between, mover),
            restless: part(change, sum),
            edged: part(edges, border),
        })
    }

    /// How sure it all is, 0 to 1, and what is to blame most if it is not 1.
    pub fn sureness(&self) -> (f32, Doubt) {
        let doubts = [
            (ramp(SPECK, self.share), Doubt::Nothing),
            (1.0 - ramp(MOST, self.share), Doubt::Everything),
            (ramp(SUPPORTED, self.supported), Doubt::Unproven),
            (ramp(MOVING, self.moving), Doubt::Unproven),
            (1.0 - ramp(UNDECIDED, self.undecided), Doubt::Unclear),
            (1.0 - ramp(RESTLESS, self.restless), Doubt::Restless),
            (ramp(EDGED, self.edged), Doubt::Borderless),
        ];
        let sure = doubts.iter().map(|doubt| doubt.0).product();
        let worst = doubts.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
        (sure, worst.map_or(Doubt::Nothing, |doubt| doubt.1))
    }
}

/// Part of the frame that a matte covers, 0 to 1.
fn covered(matte: &Plane) -> f32 {
    let sum: u64 = matte.data().iter().map(|&code| u64::from(code)).sum();
    sum as f32 / (255.0 * matte.data().len() as f32)
}

/// Px of a matte's border where the colours on both sides differ, and all of them.
fn edged(take: &Take<'_>, at: usize, matte: &Plane) -> (f64, f64) {
    let frame = take.frames[take.shot.start + at].planes();
    let (width, height) = matte.size();
    let code = |x: isize, y: isize| matte.as_ref().at(x, y);
    let (mut on, mut all) = (0.0, 0.0);
    for y in 1..height as isize - 1 {
        for x in 1..width as isize - 1 {
            let inside = code(x, y) > 127;
            for (dx, dy) in [(1, 0), (0, 1)] {
                if inside == (code(x + dx, y + dy) > 127) {
                    continue;
                }
                all += 1.0;
                let side = |k: isize| {
                    let (x, y) = (x + k * dx, y + k * dy);
                    let [l, u, v] = frame.map(Plane::as_ref);
                    [l.at(x, y), u.at(x / 2, y / 2), v.at(x / 2, y / 2)]
                };
                let (a, b) = (side(1 - SIDES), side(SIDES));
                let gap: f32 = a.iter().zip(b).map(|(a, b)| f32::from(a.abs_diff(b))).sum();
                on += f64::from(gap > STEP);
            }
        }
    }
    (on, all)
}
