//! Endless textures that hang on the scene: paper, canvas, strokes, dots.
//!
//! A [`Tile`] repeats without a seam. It is looked up by where a pixel lies in the scene, never by
//! where it lies on the screen and never by a number drawn for the frame, so a texture follows
//! every pan, zoom and roll and stands still where the scene does. [`strokes`] looks up a set of
//! tiles by the picture's structure, so that hatching runs along what it models.

use crate::drift::Drift;
use crate::geometry::Similarity;
use crate::hash;
use crate::plane::PlaneMut;
use crate::rows::{for_rows, for_rows_with};
use crate::tensor::Structure;

/// Side of a tile in px; a power of two.
pub const SIDE: usize = 256;

const BITS: usize = 8;
const MASK: usize = SIDE - 1;

/// Fraction bits of a place in a tile.
const FRACTION: u32 = 12;

/// Number of directions in a set of strokes; the angle between two is a half turn over it.
pub const DIRECTIONS: usize = 8;

/// How strokes take their direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Run {
    /// Direction in radians where the picture has none.
    pub rest: f32,
    /// How sharply one of the [`DIRECTIONS`] gives way to the next: 1 blends them, 8 hardly does.
    pub snap: f32,
}

/// A seamless texture. Every entry holds the codes of a place and of its right, lower and lower
/// right neighbours, so that a look-up is one read.
#[derive(Debug, Clone)]
pub struct Tile {
    data: Vec<[u8; 4]>,
}

// === impl Tile ===

impl Tile {
    /// A tile whose value at (x, y) is `value(x, y)`, 0 to 255; it must repeat every [`SIDE`] px.
    pub fn from_fn(value: impl Fn(usize, usize) -> f32) -> Self {
        let plane: Vec<f32> = (0..SIDE * SIDE).map(|i| value(i & MASK, i >> BITS)).collect();
        Self::packed(&plane)
    }

    /// A tile of `plane`, brought to mean 128 and standard deviation `spread`.
    pub fn even(plane: &[f32], spread: f32) -> Self {
        let count = plane.len().max(1) as f32;
        let mean = plane.iter().sum::<f32>() / count;
        let variance = plane.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / count;
        let factor = spread / variance.sqrt().max(1e-6);
        let levelled: Vec<f32> = plane.iter().map(|v| 128.0 + (v - mean) * factor).collect();
        Self::packed(&levelled)
    }

    fn packed(plane: &[f32]) -> Self {
        let code = |x: usize, y: usize| {
            let value = plane.get((y & MASK) * SIDE + (x & MASK)).copied().unwrap_or(128.0);
            (value + 0.5).clamp(0.0, 255.0) as u8
        };
        let at = |i: usize| {
            let (x, y) = (i & MASK, i >> BITS);
            [code(x, y), code(x + 1, y), code(x, y + 1), code(x + 1, y + 1)]
        };
        Self { data: (0..SIDE * SIDE).map(at).collect() }
    }

    /// The value at a place in 1/2^[`FRACTION`] px.
    #[inline(always)]
    fn at(&self, x: i32, y: i32) -> i32 {
        let column = (x >> FRACTION) as usize & MASK;
        let row = (y >> FRACTION) as usize & MASK;
        let Some(&[a, b, c, d]) = self.data.get(row << BITS | column) else { return 128 };
        let fx = x >> (FRACTION - 8) & 255;
        let fy = y >> (FRACTION - 8) & 255;
        let above = (i32::from(a) << 8) + fx * (i32::from(b) - i32::from(a));
        let below = (i32::from(c) << 8) + fx * (i32::from(d) - i32::from(c));
        (above + (fy * ((below - above) >> 8)) + 128) >> 8
    }
}

/// White noise that repeats every [`SIDE`] px, 0 to 1.
pub fn noise(seed: u64) -> Vec<f32> {
    let key = hash::mix(seed);
    (0..(SIDE * SIDE) as u64).map(|i| hash::unit(hash::mix(key ^ i))).collect()
}

/// Smooth noise of `period` px (a divisor of [`SIDE`]), about 0 to 1: cubic between random knots.
pub fn clouds(period: usize, seed: u64) -> Vec<f32> {
    let key = hash::mix(seed);
    let knots = SIDE / period.clamp(1, SIDE);
    let knot =
        |x: usize, y: usize| hash::unit(hash::mix(key ^ ((y % knots) * knots + x % knots) as u64));
    let ease = |t: f32| t * t * (3.0 - 2.0 * t);
    let value = |i: usize| {
        let (x, y) = (i & MASK, i >> BITS);
        let (kx, ky) = (x / period, y / period);
        let (tx, ty) =
            (ease((x % period) as f32 / period as f32), ease((y % period) as f32 / period as f32));
        let above = knot(kx, ky) + tx * (knot(kx + 1, ky) - knot(kx, ky));
        let below = knot(kx, ky + 1) + tx * (knot(kx + 1, ky + 1) - knot(kx, ky + 1));
        above + ty * (below - above)
    };
    (0..SIDE * SIDE).map(value).collect()
}

/// `plane` averaged over `length` px in the direction `angle` (radians, y down).
pub fn smeared(plane: &[f32], angle: f32, length: f32) -> Vec<f32> {
    let (dx, dy) = (libm::cosf(angle), libm::sinf(angle));
    let steps = (length.max(1.0) / 2.0) as isize;
    // Whole tiles are added so that the cast rounds down.
    let positive = (4 * SIDE) as f32;
    let at = |x: f32, y: f32| {
        let (x, y) = (x + positive, y + positive);
        let (column, row) = (x as usize, y as usize);
        let (tx, ty) = (x - column as f32, y - row as f32);
        let get = |x: usize, y: usize| {
            plane.get((y & MASK) * SIDE + (x & MASK)).copied().unwrap_or_default()
        };
        let above = get(column, row) * (1.0 - tx) + get(column + 1, row) * tx;
        let below = get(column, row + 1) * (1.0 - tx) + get(column + 1, row + 1) * tx;
        above * (1.0 - ty) + below * ty
    };
    let value = |i: usize| {
        let (x, y) = ((i & MASK) as f32, (i >> BITS) as f32);
        let sum: f32 = (-steps..=steps).map(|k| at(x + k as f32 * dx, y + k as f32 * dy)).sum();
        sum / (2 * steps + 1) as f32
    };
    (0..SIDE * SIDE).map(value).collect()
}

/// Strokes of `length` px in every direction, direction k at k half turns over [`DIRECTIONS`];
/// `rough` is the noise that they are drawn out of.
pub fn strokes_of(rough: &[f32], length: f32, spread: f32) -> [Tile; DIRECTIONS] {
    std::array::from_fn(|k| {
        let angle = std::f32::consts::PI * k as f32 / DIRECTIONS as f32;
        Tile::even(&smeared(rough, angle, length), spread)
    })
}

/// Pen lines `pitch` px apart in every direction, as [`strokes_of`]: a line is thickest in its middle,
/// wavers a little, and `rough` noise along it lets it end where a tone grows light.
pub fn lines_of(rough: &[f32], pitch: f32, seed: u64) -> [Tile; DIRECTIONS] {
    let waver = clouds(64, seed);
    std::array::from_fn(|k| {
        let angle = std::f32::consts::PI * k as f32 / DIRECTIONS as f32;
        // Whole numbers of lines, so that the tile repeats.
        let lines = SIDE as f32 / pitch.max(2.0);
        let across = libm::roundf(-libm::sinf(angle) * lines);
        let down = libm::roundf(libm::cosf(angle) * lines);
        let broken = smeared(rough, angle, 37.0);
        let mean = broken.iter().sum::<f32>() / broken.len().max(1) as f32;
        Tile::from_fn(|x, y| {
            let i = y * SIDE + x;
            let turns = (across * x as f32 + down * y as f32) / SIDE as f32;
            let waver = waver.get(i).copied().unwrap_or_default();
            let wave = libm::cosf(std::f32::consts::TAU * turns + 1.6 * waver);
            128.0 + 72.0 * wave + 330.0 * (broken.get(i).copied().unwrap_or(mean) - mean)
        })
    })
}

/// Steps through a tile per px of the screen: the place of the screen's px (0, 0), and the change
/// along x; along y it is turned by a quarter.
struct Walk {
    origin: (f64, f64),
    step: (f64, f64),
}

impl Walk {
    /// `place_of` maps the screen (px, origin at the centre) to the tile (px).
    fn of(place_of: &Similarity, (width, height): (usize, usize)) -> Self {
        let (a, b) = place_of.linear();
        let (a, b) = (f64::from(a), f64::from(b));
        let (x, y) = (0.5 - width as f64 / 2.0, 0.5 - height as f64 / 2.0);
        let origin =
            (a * x - b * y + f64::from(place_of.tx), b * x + a * y + f64::from(place_of.ty));
        Self { origin, step: (a, b) }
    }

    /// Fixed-point place of the row's first px, and its step. A tile repeats, so only the place
    /// inside it counts.
    #[inline(always)]
    fn row(&self, y: usize) -> (i32, i32, i32, i32) {
        let fixed = |v: f64| (libm::round(v * f64::from(1 << FRACTION)) as i64 & 0xFFF_FFFF) as i32;
        let (a, b) = self.step;
        let x = self.origin.0 - b * y as f64;
        let y = self.origin.1 + a * y as f64;
        let step = |v: f64| libm::round(v * f64::from(1 << FRACTION)) as i32;
        (fixed(x), fixed(y), step(a), step(b))
    }
}

/// dst(p) = tile(`place_of`(p)), the origin at the centre of `dst`.
pub fn sample(tile: &Tile, place_of: &Similarity, dst: &mut PlaneMut<'_>) {
    let walk = Walk::of(place_of, dst.size());
    for_rows(
        dst,
        #[inline(always)]
        |y, row| {
            let (mut x, mut y, dx, dy) = walk.row(y);
            for out in row {
                *out = tile.at(x, y) as u8;
                x = x.wrapping_add(dx);
                y = y.wrapping_add(dy);
            }
        },
    );
}

/// [`sample`] of strokes that run along `structure`, of which a cell covers `cell` px of `dst`, and
/// ride on what `drift` says has moved. Where the picture has no direction of its own they run at
/// `run.rest` in the tile.
pub fn strokes(
    tiles: &[Tile; DIRECTIONS],
    place_of: &Similarity,
    (structure, drift): (&Structure, &Drift),
    cell: usize,
    run: Run,
    dst: &mut PlaneMut<'_>,
) {
    let walk = Walk::of(place_of, dst.size());
    let cell = cell.max(1);
    let columns = structure.size().0;
    let chosen = choose(structure, place_of.rotation, run);
    for_rows_with(
        dst,
        Vec::new,
        #[inline(always)]
        |drifts, y, row| {
            let line = chosen.chunks(columns).nth(y / cell).unwrap_or_default();
            drift.line(y, cell, drifts);
            let (left, top, dx, dy) = walk.row(y);
            let cells = row.chunks_mut(cell).zip(line).zip(&*drifts);
            for (i, ((out, &(one, share)), drift)) in cells.enumerate() {
                let first = &tiles[usize::from(one) % DIRECTIONS];
                let second = &tiles[(usize::from(one) + 1) % DIRECTIONS];
                let steps = (i * cell) as i32;
                let [off_x, off_y, more_x, more_y] = drift.map(fixed);
                let mut x = left.wrapping_add(steps.wrapping_mul(dx)).wrapping_add(off_x);
                let mut y = top.wrapping_add(steps.wrapping_mul(dy)).wrapping_add(off_y);
                let (dx, dy) = (dx + more_x, dy + more_y);
                for out in out {
                    let (a, b) = (first.at(x, y), second.at(x, y));
                    *out = (a + (((b - a) * i32::from(share) + 128) >> 8)) as u8;
                    x = x.wrapping_add(dx);
                    y = y.wrapping_add(dy);
                }
            }
        },
    );
}

/// A length in px as a step through a tile.
#[inline(always)]
fn fixed(px: f32) -> i32 {
    (px * (1 << FRACTION) as f32) as i32
}

/// The first of the two directions of each cell, and the share of the second in 1/256.
fn choose(structure: &Structure, turned: f32, Run { rest, snap }: Run) -> Vec<(u8, u8)> {
    let (rest_x, rest_y) = (libm::cosf(2.0 * rest), libm::sinf(2.0 * rest));
    let (c, s) = (libm::cosf(2.0 * turned), libm::sinf(2.0 * turned));
    let (columns, rows) = structure.size();
    let mut out = Vec::with_capacity(columns * rows);
    for y in 0..rows {
        out.extend(structure.row(y).iter().map(|along| {
            // Twice the angle, so that a direction and its opposite are one.
            let (x, y) = (along.x * along.x - along.y * along.y, 2.0 * along.x * along.y);
            let (x, y) = (c * x - s * y, s * x + c * y);
            let sure = (along.anisotropy * 1.6).min(1.0);
            let (x, y) = (rest_x + sure * (x - rest_x), rest_y + sure * (y - rest_y));
            let place = turns(x, y) * DIRECTIONS as f32;
            let one = place as usize;
            let share = (0.5 + snap.max(1.0) * (place - one as f32 - 0.5)).clamp(0.0, 1.0);
            ((one % DIRECTIONS) as u8, (share * 255.0) as u8)
        }));
    }
    out
}

/// The angle of a vector in turns, 0 to 1, within 0.001 (Rajan et al. 2006, "Efficient
/// approximations for the arctangent function").
#[inline(always)]
fn turns(x: f32, y: f32) -> f32 {
    let eighth = |ratio: f32| ratio * (0.125 + 0.0434 * (1.0 - ratio.abs()));
    if x.abs() < 1e-9 && y.abs() < 1e-9 {
        return 0.0;
    }
    let angle = if x.abs() >= y.abs() {
        eighth(y / x) + if x < 0.0 { 0.5 } else { 0.0 }
    } else {
        (if y < 0.0 { 0.75 } else { 0.25 }) - eighth(x / y)
    };
    if angle < 0.0 { angle + 1.0 } else { angle }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::Plane;
    use crate::tensor::Tensors;

    fn paper() -> Tile {
        Tile::even(&clouds(8, 3), 40.0)
    }

    fn shown(place_of: &Similarity, size: (usize, usize)) -> Plane {
        let mut out = Plane::new(size.0, size.1, 0).unwrap();
        sample(&paper(), place_of, &mut out.as_mut());
        out
    }

    #[test]
    fn paper_follows_a_pan() {
        let still = shown(&Similarity::IDENTITY, (120, 80));
        let moved = shown(&Similarity::translation(-7.0, 4.0), (120, 80));
        for (x, y) in [(20, 20), (50, 60), (100, 9)] {
            assert_eq!(moved.as_ref().at(x + 7, y - 4), still.as_ref().at(x, y));
        }
    }

    #[test]
    fn paper_follows_zoom_and_roll() {
        let still = shown(&Similarity::IDENTITY, (200, 200));
        let scene = Similarity { scale: 1.3, rotation: 0.4, tx: 5.0, ty: -3.0 };
        let moved = shown(&scene.inverse(), (200, 200));
        for (x, y) in [(0.5f32, 0.5f32), (30.5, -20.5), (-41.5, 22.5)] {
            let (sx, sy) = scene.apply((x, y));
            let then = still.as_ref().at((x + 100.0) as isize, (y + 100.0) as isize);
            let now = moved.as_ref().at((sx + 100.0) as isize, (sy + 100.0) as isize);
            assert!(then.abs_diff(now) < 16, "{then} {now}");
        }
    }

    #[test]
    fn tiles_repeat_without_a_seam() {
        let far = shown(&Similarity::translation(SIDE as f32 * 3.0, -(SIDE as f32)), (64, 64));
        assert_eq!(far, shown(&Similarity::IDENTITY, (64, 64)));
        let across = shown(&Similarity::translation(128.0, 0.0), (64, 8));
        let steps = across.row(4).windows(2).map(|pair| pair[0].abs_diff(pair[1])).max();
        assert!(steps.unwrap() < 40);
    }

    #[test]
    fn strokes_run_along_the_structure() {
        let tiles = strokes_of(&noise(1), 21.0, 50.0);
        let stripes =
            Plane::from_fn(128, 128, |x, _| if x / 16 % 2 == 0 { 40 } else { 200 }).unwrap();
        let structure = Tensors::of(stripes.as_ref(), 3.0).directions();
        let mut out = Plane::new(128, 128, 0).unwrap();
        let (drift, run) = (Drift::still((128, 128)), Run { rest: 0.0, snap: 1.0 });
        strokes(&tiles, &Similarity::IDENTITY, (&structure, &drift), 4, run, &mut out.as_mut());
        let change = |dx: isize, dy: isize| -> u32 {
            let view = out.as_ref();
            (8..120)
                .flat_map(|y| (8..120).map(move |x| (x, y)))
                .map(|(x, y)| u32::from(view.at(x, y).abs_diff(view.at(x + dx, y + dy))))
                .sum()
        };
        assert!(2 * change(0, 1) < change(1, 0), "{} {}", change(0, 1), change(1, 0));
    }

    #[test]
    fn marks_go_along_with_what_moves_by_itself() {
        use crate::drift::Places;
        use crate::field::FlowField;
        let tiles = lines_of(&noise(2), 8.0, 5);
        let flat = Plane::new(128, 64, 90).unwrap();
        let structure = Tensors::of(flat.as_ref(), 2.0).directions();
        let run = Run { rest: 1.2, snap: 6.0 };
        let shown = |drift: &Drift| {
            let mut out = Plane::new(128, 64, 0).unwrap();
            let along = (&structure, drift);
            strokes(&tiles, &Similarity::IDENTITY, along, 4, run, &mut out.as_mut());
            out
        };
        let still = Drift::still((128, 64));
        let came = FlowField::from_fn((128, 64), 4, |_, _| (-6.0, 3.0)).unwrap();
        let here = Places { before: Similarity::IDENTITY, now: Similarity::IDENTITY };
        let moved = still.carried(&came, here, (128, 64));
        let (before, now) = (shown(&still), shown(&moved));
        for (x, y) in [(40, 20), (70, 40), (100, 31)] {
            let (a, b) = (before.as_ref().at(x, y), now.as_ref().at(x + 6, y - 3));
            assert!(a.abs_diff(b) < 4, "{a} {b}");
        }
    }

    #[test]
    fn turns_are_those_of_the_arctangent() {
        for k in 0..720 {
            let angle = k as f32 * std::f32::consts::TAU / 720.0;
            let found = turns(3.0 * libm::cosf(angle), 3.0 * libm::sinf(angle));
            let off = (found - k as f32 / 720.0).abs();
            assert!(off.min(1.0 - off) < 0.001, "{k}: {found}");
        }
    }
}
