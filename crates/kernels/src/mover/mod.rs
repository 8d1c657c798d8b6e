//! What moves by itself in a shot, cut out of its background without any weights.
//!
//! Three things tell it: it goes another way than the camera; where it has gone, the flow takes
//! that knowledge along, so that it stays what it is while it rests; and it differs from the
//! background that the same place shows at other times (`plate`). The evidence is soft and has
//! holes; a grid over place, time and colour evens it out (`lattice`). Everything works on
//! a small copy of the shot and on the grid of its flow.
//!
//! How far all this can be trusted is measured, too ([`Figures`]): the caller decides.

mod clean;
mod figures;
mod motion;
mod plate;
#[cfg(test)]
mod tests;
mod tones;

pub use figures::{Doubt, Figures};

use std::ops::Range;

use rayon::prelude::*;

use crate::field::{FlowField, FlowPair};
use crate::frame::Yuv420;
use crate::geometry::{CameraPath, Similarity};
use crate::lattice::{self, Lattice};
use crate::plane::{Plane, ShapeError, check_same};
use crate::resize;
use crate::warp;
use plate::Plate;
use tones::Tones;

/// Cells of the grid: the part of the frame's width, frames, and codes that one spans.
const PLACE: f32 = 1.0 / 40.0;
const FRAMES: f32 = 5.0;
const LUMA: f32 = 14.0;
const CHROMA: f32 = 8.0;

/// Every how many frames it is asked whether the camera stands still, and the difference in codes
/// up to which a place has not changed.
const STILL_EVERY: usize = 6;
const ALIKE: u8 = 7;

/// How strongly neighbours along x, y, time, luma and the chromas pull.
const PULL: [f32; lattice::AXES] = [0.25, 0.25, 0.4, 0.12, 0.06, 0.06];

/// Rounds of plate and grid: the first one has no plate that knows what is before it.
const ROUNDS: usize = 3;

/// Distance from the plate in codes up to which it is the background and from which it is not, and
/// what the plate's own roughness adds to both.
const LIKE: (f32, f32) = (6.0, 14.0);
const UNLIKE: (f32, f32) = (12.0, 30.0);
const ROUGH: f32 = 2.0;

/// Distance of a colour from grey in codes from which its hue tells light from things, and how far
/// it may be off that hue.
const TINTED: f32 = 10.0;
const HUE: f32 = 3.0;

/// What a cell of which nothing is known counts as background.
const PRIOR: f32 = 0.03;

/// What a colour that only the mover or only the background has counts.
const TONE: f32 = 0.7;

/// How much more or less a colour that only the mover or only the background has makes of what
/// else is known.
const SIDED: (f32, f32) = (2.0, 0.4);

/// What one that never moves counts as background where no plate tells.
const RESTS: f32 = 0.6;

/// The colours of a frame on the flow's grid.
type Colours = [Plane; 3];

/// A shot's small copies, the motion between them, and the camera's path.
pub struct Take<'a> {
    frames: &'a [Yuv420],
    pairs: &'a [FlowPair],
    path: &'a CameraPath,
    shot: Range<usize>,
    grid: (usize, usize),
    /// Whether the camera stands still, whatever small errors of its path add up to.
    still: bool,
    /// Cells of the grid in a px of the copy.
    factor: f32,
}

/// What was found in a shot.
#[derive(Debug, Clone, Default)]
pub struct Mover {
    /// For each frame of the shot how much of each px of the copy is the mover, 255 all of it.
    pub mattes: Vec<Plane>,
    /// How far they can be trusted.
    pub figures: Figures,
}

/// What an earlier round has learnt of the shot.
struct Known {
    plate: Option<Plate>,
    tones: Tones,
}

impl Known {
    fn of(take: &Take<'_>, colours: &[Colours], before: &[Vec<f32>]) -> Self {
        let tones = Tones::of(take, colours, before);
        // What has the mover's colours is sooner taken for it, where anything speaks for it.
        let leaning = |(colours, before): (&Colours, &Vec<f32>)| {
            let leant = |(cell, &value): (usize, &f32)| {
                (value * sided(tones.lean(take, colours, cell))).clamp(0.0, 1.0)
            };
            before.iter().enumerate().map(leant).collect()
        };
        let before: Vec<Vec<f32>> = colours.par_iter().zip(before).map(leaning).collect();
        Self { plate: Plate::of(take, colours, &before), tones }
    }
}

/// Evidence on the grid for one frame.
struct Evidence {
    /// What speaks for each cell being the mover, and for its being the background.
    pro: Vec<f32>,
    con: Vec<f32>,
}

// === impl Take ===

impl<'a> Take<'a> {
    /// `frames` are small copies (about 320 px wide) of all frames of a reel, `pairs[n]` is the
    /// flow between frames n and n + 1 in px of the copy, `path` the camera's, and `shot` the
    /// frames that count.
    pub fn new(
        frames: &'a [Yuv420],
        pairs: &'a [FlowPair],
        path: &'a CameraPath,
        shot: Range<usize>,
    ) -> Result<Self, ShapeError> {
        let shot = shot.start.min(frames.len())..shot.end.min(frames.len());
        let size = frames.first().map_or((2, 2), Yuv420::size);
        let grid = pairs.first().map_or((1, 1), |pair| pair.forward.grid());
        for pair in pairs {
            check_same(size, pair.forward.frame())?;
            check_same(grid, pair.forward.grid())?;
        }
        let factor = grid.0 as f32 / size.0 as f32;
        Ok(Self { frames, pairs, path, shot, grid, still: false, factor })
    }

    fn grid(&self) -> (usize, usize) {
        self.grid
    }

    fn cells(&self) -> usize {
        self.grid.0 * self.grid.1
    }

    /// From frame `at` of the shot to the next one.
    fn ahead(&self, at: usize) -> Option<&FlowField> {
        let n = self.shot.start + at;
        (n + 1 < self.shot.end).then(|| self.pairs.get(n).map(|pair| &pair.forward)).flatten()
    }

    /// From frame `at` of the shot to the one before.
    fn behind(&self, at: usize) -> Option<&FlowField> {
        let n = (self.shot.start + at).checked_sub(1).filter(|&n| n >= self.shot.start)?;
        self.pairs.get(n).map(|pair| &pair.backward)
    }

    /// The camera's way between two frames of the shot, in px of the copy.
    fn way(&self, from: usize, to: usize) -> Similarity {
        if self.still {
            return Similarity::IDENTITY;
        }
        self.path.between(self.shot.start + from, self.shot.start + to)
    }

    /// Takes frame `at` of the shot to its first one, in cells from the middle.
    fn home(&self, at: usize) -> Similarity {
        self.way(at, 0).resized(self.factor)
    }

    /// Whether the camera moves by more than a cell.
    fn travels(&self, frames: usize) -> bool {
        let corner = (self.grid.0 as f32 / 2.0, self.grid.1 as f32 / 2.0);
        (0..frames).any(|at| {
            let (x, y) = self.home(at).apply(corner);
            libm::hypotf(x - corner.0, y - corner.1) > 0.7
        })
    }

    /// Whether no path at all explains the frames at least as well as the camera's does.
    fn stands_still(&self, colours: &[Colours]) -> Result<bool, ShapeError> {
        let Some(first) = colours.first() else { return Ok(true) };
        let mut gain = 0i64;
        for at in (0..colours.len()).step_by(STILL_EVERY) {
            let [luma, ..] = &colours[at];
            let mut home = Plane::new(self.grid.0, self.grid.1, 0)?;
            warp::by_similarity(luma.as_ref(), &self.home(at).inverse(), &mut home.as_mut());
            let alike = |plane: &Plane| {
                let codes = plane.data().iter().zip(first[0].data());
                codes.filter(|(a, b)| a.abs_diff(**b) < ALIKE).count() as i64
            };
            gain += alike(luma) - alike(&home);
        }
        Ok(gain >= 0)
    }

    fn colours(&self) -> Result<Vec<Colours>, ShapeError> {
        let small = |plane: &Plane| resize::shrink(plane.as_ref(), self.grid.0, self.grid.1);
        let of = |frame: &Yuv420| {
            let [y, u, v] = frame.planes();
            Ok([small(y)?, small(u)?, small(v)?])
        };
        self.frames[self.shot.clone()].iter().map(of).collect()
    }
}

/// Looks for what moves by itself. Time and memory go with the area of the copies and the length
/// of the shot.
pub fn find(take: &Take<'_>) -> Result<Mover, ShapeError> {
    let colours = take.colours()?;
    let take = &Take { still: take.stands_still(&colours)?, shot: take.shot.clone(), ..*take };
    if colours.len() < 2 || take.pairs.is_empty() {
        return Ok(Mover::default());
    }
    let moved = motion::evidence(take, &colours)?;
    let mut before = moved.clone();
    let mut solved = None;
    for round in 0..ROUNDS {
        let known = (round > 0).then(|| Known::of(take, &colours, &before));
        let evidence: Vec<Evidence> = (0..colours.len())
            .into_par_iter()
            .map(|at| weigh(take, at, &colours[at], &moved[at], known.as_ref()))
            .collect();
        let lattice = gather(take, &colours, &evidence);
        let values = lattice.solved();
        before.par_iter_mut().enumerate().for_each(|(at, before)| {
            *before = on_grid(take, at, &colours[at], &lattice, &values);
        });
        if round + 1 == ROUNDS {
            solved = Some((lattice, values, evidence));
        }
    }
    let Some((lattice, values, evidence)) = solved else { return Ok(Mover::default()) };
    let raw: Vec<Plane> = (0..colours.len())
        .into_par_iter()
        .map(|at| sliced(take, at, &lattice, &values, &before[at]))
        .collect::<Result<_, _>>()?;
    let mattes = clean::cleaned(take, raw)?;
    let support: Vec<Vec<f32>> = evidence.into_iter().map(|one| one.pro).collect();
    let figures = Figures::of(take, &mattes, &before, &support, &moved)?;
    Ok(Mover { mattes, figures })
}

/// What speaks for and against each cell of a frame.
fn weigh(
    take: &Take<'_>,
    at: usize,
    colours: &Colours,
    moved: &[f32],
    known: Option<&Known>,
) -> Evidence {
    let (home, grid) = (take.home(at), take.grid());
    let reach = isize::from(take.travels(take.shot.len()));
    let Some(known) = known else {
        let con = moved.iter().map(|moved| RESTS * (1.0 - moved) + PRIOR);
        return Evidence {
            pro: moved.iter().map(|moved| moved * moved).collect(),
            con: con.collect(),
        };
    };
    let mut found = Evidence { pro: vec![0.0; moved.len()], con: vec![PRIOR; moved.len()] };
    for (cell, &moved) in moved.iter().enumerate() {
        let place = (cell % grid.0, cell / grid.0);
        let behind = known.plate.as_ref().and_then(|plate| plate.behind(&home, place, grid, reach));
        let (unlike, like) = behind.map_or((0.0, 0.0), |behind| {
            let own: [f32; 3] = std::array::from_fn(|c| f32::from(colours[c].data()[cell]));
            let (unlike, like) = compared(own, &behind);
            (behind.sure * unlike, behind.sure * like)
        });
        let lean = known.tones.lean(take, colours, cell);
        let moved = (moved * sided(lean)).clamp(0.0, 1.0);
        let lean = TONE * lean;
        // Motion is smoothed over borders and colour is not: where the background shows, it wins.
        found.pro[cell] =
            unlike + moved * moved * (1.0 - 0.75 * like) + lean.max(0.0) * moved.max(1.0 - like);
        found.con[cell] += like * (1.0 - 0.3 * moved) + (-lean).max(0.0);
    }
    found
}

/// What a colour makes of what else is known.
fn sided(lean: f32) -> f32 {
    1.0 + if lean > 0.0 { SIDED.0 * lean } else { SIDED.1 * lean }
}

/// How unlike and how like what lies behind a colour is.
fn compared(own: [f32; 3], behind: &plate::Behind) -> (f32, f32) {
    let off = |value: f32, (least, most): (f32, f32)| (least - value).max(value - most).max(0.0);
    let chroma = off(own[1], behind.range[1]) + off(own[2], behind.range[2]);
    let apart = off(own[0], behind.range[0]) + 1.5 * chroma;
    let rough = ROUGH * behind.rough;
    let unlike = ramp((UNLIKE.0 + rough, UNLIKE.1 + rough), apart);
    let like = 1.0 - ramp((LIKE.0 + rough, LIKE.1 + rough), apart);
    // Shadow and light change how bright a colour is and leave its hue.
    let [y, u, v] = behind.colour;
    let shade = (own[0] - 16.0) / (y - 16.0).max(1.0);
    let (a, b) = ((u - 128.0, v - 128.0), (own[1] - 128.0, own[2] - 128.0));
    let (tint, own_tint) = (libm::hypotf(a.0, a.1), libm::hypotf(b.0, b.1));
    let turned = (a.0 * b.1 - a.1 * b.0).abs() / tint.max(own_tint).max(1.0);
    let same = turned < HUE + rough && a.0 * b.0 + a.1 * b.1 > 0.0;
    match () {
        () if same && tint.min(own_tint) > TINTED && (0.3..3.0).contains(&shade) => {
            (0.15 * unlike, like.max(0.4))
        }
        () if (0.3..1.0).contains(&shade) && tint.max(own_tint) < TINTED => (0.6 * unlike, like),
        () => (unlike, like),
    }
}

/// The grid's key of a colour at a place (in cells of the flow's grid) of a frame.
fn key_of(take: &Take<'_>, at: usize, (x, y): (f32, f32), [l, u, v]: [f32; 3]) -> u64 {
    let side = PLACE * take.grid.0 as f32;
    // A camera that goes far away ends in the outermost cells, which then only hold more.
    let (x, y) = (x / side + 400.0, y / side + 400.0);
    lattice::key([x, y, at as f32 / FRAMES, l / LUMA, u / CHROMA, v / CHROMA])
}

fn key_of_cell(take: &Take<'_>, at: usize, home: &Similarity, cell: usize, c: &Colours) -> u64 {
    let grid = take.grid();
    let place = home.apply(plate::middle((cell % grid.0, cell / grid.0), grid));
    key_of(take, at, place, std::array::from_fn(|k| f32::from(c[k].data()[cell])))
}

fn gather(take: &Take<'_>, colours: &[Colours], evidence: &[Evidence]) -> Lattice {
    let mut samples = Vec::with_capacity(colours.len() * take.cells());
    for (at, (colours, Evidence { pro, con })) in colours.iter().zip(evidence).enumerate() {
        let home = take.home(at);
        for (cell, (pro, con)) in pro.iter().zip(con).enumerate() {
            let weight = pro + con;
            samples.push((key_of_cell(take, at, &home, cell, colours), pro / weight, weight));
        }
    }
    Lattice::new(samples, PULL)
}

fn on_grid(
    take: &Take<'_>,
    at: usize,
    colours: &Colours,
    lattice: &Lattice,
    values: &[f32],
) -> Vec<f32> {
    let home = take.home(at);
    let value = |cell| {
        lattice.find(key_of_cell(take, at, &home, cell, colours)).map_or(0.0, |at| values[at])
    };
    (0..take.cells()).map(value).collect()
}

/// The solution at the copy's own resolution; colours that no sample had take that of their cell.
fn sliced(
    take: &Take<'_>,
    at: usize,
    lattice: &Lattice,
    values: &[f32],
    cells: &[f32],
) -> Result<Plane, ShapeError> {
    let frame = &take.frames[take.shot.start + at];
    let (home, grid, [luma, u, v]) = (take.home(at), take.grid(), frame.planes());
    Plane::from_fn(luma.width(), luma.height(), |x, y| {
        let (cx, cy) = ((x as f32 + 0.5) * take.factor, (y as f32 + 0.5) * take.factor);
        let place = home.apply((cx - grid.0 as f32 / 2.0, cy - grid.1 as f32 / 2.0));
        let code = |plane: &Plane, x: usize, y: usize| {
            plane.row(y).get(x).map_or(128.0, |&code| f32::from(code))
        };
        let own = [code(luma, x, y), code(u, x / 2, y / 2), code(v, x / 2, y / 2)];
        let cell = (cy as usize).min(grid.1 - 1) * grid.0 + (cx as usize).min(grid.0 - 1);
        let found = lattice.find(key_of(take, at, place, own)).map(|at| values[at]);
        (255.0 * (0.5 * found.unwrap_or(cells[cell]) + 0.5 * cells[cell]) + 0.5) as u8
    })
}

/// 0 up to the first bound, 1 from the second, straight between.
fn ramp((from, to): (f32, f32), value: f32) -> f32 {
    ((value - from) / (to - from)).clamp(0.0, 1.0)
}
