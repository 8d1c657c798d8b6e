//! Pictures put together of cells: tesserae in mortar, and pixels of a small palette.
//!
//! Tesserae lie in the scene and take the mean of what they cover, so they change as slowly as the
//! picture does. Pixels keep their grid upright, as a console's do, and move it by the scene's
//! shift; each keeps its colour until another one is clearly nearer, which stops the flicker that
//! dither makes of noise.

use crate::frame::{Yuv420Mut, Yuv420Ref};
use crate::geometry::Similarity;
use crate::hash;
use crate::plane::PlaneMut;
use crate::rows::for_rows;
use crate::texture::{self, SIDE, Tile};

/// Cells along a side of the tile that tesserae repeat in.
const ACROSS: usize = 16;

/// Side of a cell in px of the tile.
const PITCH: usize = SIDE / ACROSS;

/// Colours of a pixel palette at most.
pub const COLOURS: usize = 40;

/// Order of the dither, 4 x 4 (Bayer 1973), in sixteenths about 0.
const BAYER: [[i32; 4]; 4] = [[-15, 1, -11, 5], [9, -7, 13, -3], [-9, 7, -13, 3], [15, -1, 11, -5]];

/// A cell that a place in the tile belongs to: its number, and the repetition of the tile that
/// its centre lies in.
#[derive(Debug, Clone, Copy)]
struct Home {
    cell: u8,
    right: i8,
    down: i8,
}

/// A seamless layout of irregular cells.
#[derive(Debug, Clone)]
pub struct Tesserae {
    homes: Vec<Home>,
    edges: Tile,
}

/// A palette, and what each pixel showed last.
#[derive(Debug, Clone)]
pub struct Pixels {
    palette: Vec<[i32; 3]>,
    shown: Vec<u8>,
    columns: usize,
    first: (i64, i64),
}

// === impl Tesserae ===

impl Tesserae {
    /// A layout; `jitter` 0 gives squares, 1 fully irregular cells.
    pub fn new(jitter: f32, seed: u64) -> Self {
        let key = hash::mix(seed);
        let site = |cx: usize, cy: usize| {
            let word = hash::mix(key ^ (cy * ACROSS + cx) as u64);
            let off = |word| jitter * 0.8 * (hash::unit(word) - 0.5);
            (0.5 + off(word), 0.5 + off(hash::mix(word)))
        };
        let mut homes = Vec::with_capacity(SIDE * SIDE);
        let mut edges = Vec::with_capacity(SIDE * SIDE);
        for i in 0..SIDE * SIDE {
            let (x, y) = ((i % SIDE) as f32 + 0.5, (i / SIDE) as f32 + 0.5);
            let (bx, by) = (i % SIDE / PITCH, i / SIDE / PITCH);
            let mut best = [(f32::MAX, 0, 0); 2];
            for k in 0..9 {
                let (cx, cy) = (bx as isize + k % 3 - 1, by as isize + k / 3 - 1);
                let wrapped = |c: isize| c.rem_euclid(ACROSS as isize) as usize;
                let (sx, sy) = site(wrapped(cx), wrapped(cy));
                let dx = x / PITCH as f32 - (cx as f32 + sx);
                let dy = y / PITCH as f32 - (cy as f32 + sy);
                let distance = (dx * dx + dy * dy).sqrt();
                if distance < best[0].0 {
                    best = [(distance, cx, cy), best[0]];
                } else if distance < best[1].0 {
                    best[1] = (distance, cx, cy);
                }
            }
            let (_, cx, cy) = best[0];
            let side = ACROSS as isize;
            homes.push(Home {
                cell: (cy.rem_euclid(side) * side + cx.rem_euclid(side)) as u8,
                right: cx.div_euclid(side) as i8,
                down: cy.div_euclid(side) as i8,
            });
            edges.push(255.0 * (best[1].0 - best[0].0).min(1.0));
        }
        let edges = Tile::from_fn(|x, y| edges.get(y * SIDE + x).copied().unwrap_or_default());
        Self { homes, edges }
    }

    /// Paints every cell in its mean colour. `place_of` maps the screen (luma px, origin at the
    /// centre) to the tile, whose cells are 16 px wide. `edge` becomes 0 on the border of two
    /// cells to 255 in the middle of one. All frames have one size.
    pub fn lay(
        &self,
        src: Yuv420Ref<'_>,
        place_of: &Similarity,
        dst: &mut Yuv420Mut<'_>,
        edge: &mut PlaneMut<'_>,
    ) {
        let layout = Layout::of(self, place_of, src.size());
        let mut sums = vec![[0u32; 4]; layout.count];
        let (cw, ch) = src.u().size();
        for y in 0..ch {
            let (luma, u, v) = (src.y().row(2 * y), src.u().row(y), src.v().row(y));
            for x in 0..cw {
                if let Some(sum) = sums.get_mut(layout.cell(2 * x, 2 * y)) {
                    let luma = luma.get(2 * x).copied().unwrap_or_default();
                    for (sum, code) in sum.iter_mut().zip([luma, u[x], v[x], 1]) {
                        *sum += u32::from(code);
                    }
                }
            }
        }
        let means: Vec<[u8; 3]> = sums
            .iter()
            .map(|&[y, u, v, n]| [y, u, v].map(|sum| ((sum + n / 2) / n.max(1)) as u8))
            .collect();
        for (k, plane) in dst.planes_mut().into_iter().enumerate() {
            let step = if k == 0 { 1 } else { 2 };
            for_rows(
                plane,
                #[inline(always)]
                |y, row| {
                    for (x, out) in row.iter_mut().enumerate() {
                        let mean = means.get(layout.cell(step * x, step * y));
                        *out = mean.map_or(128, |mean| mean[k]);
                    }
                },
            );
        }
        texture::sample(&self.edges, place_of, edge);
    }
}

/// The cells on one screen, numbered without gaps.
struct Layout<'a> {
    homes: &'a [Home],
    a: f32,
    b: f32,
    origin: (f32, f32),
    first: (i32, i32),
    columns: i32,
    count: usize,
}

// === impl Layout ===

impl<'a> Layout<'a> {
    fn of(tesserae: &'a Tesserae, place_of: &Similarity, size: (usize, usize)) -> Self {
        let (a, b) = place_of.linear();
        let half = (size.0 as f32 / 2.0, size.1 as f32 / 2.0);
        let origin = place_of.apply((0.5 - half.0, 0.5 - half.1));
        let corners = [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)]
            .map(|(x, y)| place_of.apply((x * half.0, y * half.1)));
        let tile = |v: f32| libm::floorf(v / SIDE as f32) as i32;
        let least =
            |f: fn(&(f32, f32)) -> f32| tile(corners.iter().map(f).fold(f32::MAX, f32::min));
        let most = |f: fn(&(f32, f32)) -> f32| tile(corners.iter().map(f).fold(f32::MIN, f32::max));
        let first = (least(|c| c.0) - 1, least(|c| c.1) - 1);
        let columns = most(|c| c.0) + 2 - first.0;
        let rows = most(|c| c.1) + 2 - first.1;
        let count = (columns * rows) as usize * ACROSS * ACROSS;
        Self { homes: &tesserae.homes, a, b, origin, first, columns, count }
    }

    #[inline(always)]
    fn cell(&self, x: usize, y: usize) -> usize {
        let (x, y) = (x as f32, y as f32);
        let px =
            (self.a * x - self.b * y + self.origin.0 - (self.first.0 * SIDE as i32) as f32) as i32;
        let py =
            (self.b * x + self.a * y + self.origin.1 - (self.first.1 * SIDE as i32) as f32) as i32;
        let side = SIDE as i32;
        let place = (py & (side - 1)) * side + (px & (side - 1));
        let Some(home) = self.homes.get(place as usize) else { return usize::MAX };
        let column = (px >> 8) + i32::from(home.right);
        let row = (py >> 8) + i32::from(home.down);
        (row * self.columns + column) as usize * ACROSS * ACROSS + usize::from(home.cell)
    }
}

// === impl Pixels ===

impl Pixels {
    /// A palette of the colours of `src`, as a k-means of its pixels of `side` px finds them.
    pub fn of(src: Yuv420Ref<'_>, side: usize) -> Self {
        let (cells, _) = means(src, side, (0, 0));
        let mut sorted = cells.clone();
        sorted.sort_unstable();
        let count = COLOURS.min(sorted.len());
        let mut palette: Vec<[i32; 3]> = (0..count)
            .filter_map(|k| sorted.get((2 * k + 1) * sorted.len() / (2 * count)).copied())
            .collect();
        for _ in 0..8 {
            let mut sums = vec![[0i32; 4]; palette.len()];
            for cell in &cells {
                let [y, u, v] = *cell;
                let sum = &mut sums[nearest(&palette, *cell).0];
                *sum = [sum[0] + y, sum[1] + u, sum[2] + v, sum[3] + 1];
            }
            for (colour, [y, u, v, n]) in palette.iter_mut().zip(sums) {
                if n > 0 {
                    *colour = [y / n, u / n, v / n];
                }
            }
        }
        Self { palette, shown: Vec::new(), columns: 0, first: (0, 0) }
    }

    /// Shows a frame in pixels of `side` luma px (even, at least 2), on a grid that has moved by
    /// `shift` luma px with the scene. `dither` is the height of the pattern in codes.
    pub fn show(
        &mut self,
        src: Yuv420Ref<'_>,
        side: usize,
        shift: (i64, i64),
        dither: i32,
        dst: &mut Yuv420Mut<'_>,
    ) {
        let side = (side / 2 * 2).max(2);
        let into = |v: i64| (v / 2 * 2).rem_euclid(side as i64) as usize;
        let offset = ((side - into(shift.0)) % side, (side - into(shift.1)) % side);
        let from =
            |v: i64, into: usize| -((v / 2 * 2).div_euclid(side as i64)) - i64::from(into != 0);
        let first = (from(shift.0, into(shift.0)), from(shift.1, into(shift.1)));
        let (cells, columns) = means(src, side, offset);
        let mut shown = Vec::with_capacity(cells.len());
        for (i, &cell) in cells.iter().enumerate() {
            let (x, y) = (first.0 + (i % columns) as i64, first.1 + (i / columns) as i64);
            let ordered = BAYER[y.rem_euclid(4) as usize][x.rem_euclid(4) as usize] * dither / 32;
            let wanted = [cell[0] + ordered, cell[1] + ordered / 4, cell[2] + ordered / 4];
            let (best, distance) = nearest(&self.palette, wanted);
            let kept = self.before(x, y).filter(|&kept| {
                self.palette.get(kept).is_some_and(|&colour| far(colour, wanted) <= distance + 160)
            });
            shown.push(kept.unwrap_or(best) as u8);
        }
        for (k, plane) in dst.planes_mut().into_iter().enumerate() {
            let part = if k == 0 { 1 } else { 2 };
            let (side, offset) = (side / part, (offset.0 / part, offset.1 / part));
            for_rows(
                plane,
                #[inline(always)]
                |y, row| {
                    let line = shown.chunks(columns).nth((y + offset.1) / side).unwrap_or_default();
                    for (x, out) in row.iter_mut().enumerate() {
                        let colour = line.get((x + offset.0) / side).map_or(0, |&c| usize::from(c));
                        *out = self.palette.get(colour).map_or(128, |colour| colour[k] as u8);
                    }
                },
            );
        }
        (self.shown, self.columns, self.first) = (shown, columns, first);
    }

    /// What the pixel (x, y) of the scene showed last.
    fn before(&self, x: i64, y: i64) -> Option<usize> {
        let column = usize::try_from(x - self.first.0).ok().filter(|&c| c < self.columns)?;
        let row = usize::try_from(y - self.first.1).ok()?;
        self.shown.get(row * self.columns + column).map(|&colour| usize::from(colour))
    }
}

/// Mean colours of blocks of `side` px, the first one `offset` px outside; and blocks in a row.
fn means(src: Yuv420Ref<'_>, side: usize, offset: (usize, usize)) -> (Vec<[i32; 3]>, usize) {
    let (width, height) = src.size();
    let side = (side / 2 * 2).max(2);
    let columns = (width + offset.0).div_ceil(side);
    let rows = (height + offset.1).div_ceil(side);
    let mut out = Vec::with_capacity(columns * rows);
    for i in 0..columns * rows {
        let colour = std::array::from_fn(|k| {
            let part = if k == 0 { 1 } else { 2 };
            let plane = src.planes()[k];
            let side = side / part;
            let range = |block: usize, offset: usize, end: usize| {
                let from = (block * side).saturating_sub(offset / part).min(end - 1);
                from..((block + 1) * side - offset / part).clamp(from + 1, end.max(from + 1))
            };
            let xs = range(i % columns, offset.0, plane.width());
            let ys = range(i / columns, offset.1, plane.height());
            let count = (xs.len() * ys.len()) as i32;
            let sum: i32 = ys
                .map(|y| plane.row(y)[xs.clone()].iter().map(|&c| i32::from(c)).sum::<i32>())
                .sum();
            (sum + count / 2) / count
        });
        out.push(colour);
    }
    (out, columns)
}

/// Distance of two colours; hue counts twice as much as light.
#[inline]
fn far([ay, au, av]: [i32; 3], [by, bu, bv]: [i32; 3]) -> i32 {
    let (y, u, v) = (ay - by, au - bu, av - bv);
    y * y + 2 * (u * u + v * v)
}

fn nearest(palette: &[[i32; 3]], colour: [i32; 3]) -> (usize, i32) {
    let mut best = (0, i32::MAX);
    for (k, &entry) in palette.iter().enumerate() {
        let distance = far(entry, colour);
        if distance < best.1 {
            best = (k, distance);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Yuv420;
    use crate::plane::Plane;

    fn textured(w: usize, h: usize, shift: usize) -> Yuv420 {
        let luma = Plane::from_fn(w, h, |x, y| {
            let x = x + 64 - shift;
            (40 + (x / 9 * 37 + y / 7 * 61) % 170) as u8
        });
        let chroma = |k| {
            Plane::from_fn(w.div_ceil(2), h.div_ceil(2), move |x, _| (100 + (x / 8 + k) % 50) as u8)
        };
        Yuv420::from_planes(luma.unwrap(), chroma(0).unwrap(), chroma(9).unwrap()).unwrap()
    }

    #[test]
    fn a_tessera_has_one_colour_and_follows_the_scene() {
        let tesserae = Tesserae::new(1.0, 5);
        let laid = |shift: usize| {
            let src = textured(160, 96, shift);
            let (mut out, mut edge) = (src.clone(), Plane::new(160, 96, 0).unwrap());
            let place = Similarity::translation(300.0 - shift as f32, 17.0);
            tesserae.lay(src.as_ref(), &place, &mut out.as_mut(), &mut edge.as_mut());
            (out, edge)
        };
        let ((still, edge), (moved, moved_edge)) = (laid(0), laid(6));
        for (x, y) in [(40, 40), (80, 50), (110, 70)] {
            assert_eq!(edge.as_ref().at(x, y), moved_edge.as_ref().at(x + 6, y));
            let (a, b) = (still.as_ref().y().at(x, y), moved.as_ref().y().at(x + 6, y));
            assert!(a.abs_diff(b) < 12, "{a} {b}");
        }
        let mut colours = still.planes()[0].data().to_vec();
        colours.dedup();
        assert!(colours.len() < 160 * 96 / 5, "{}", colours.len());
    }

    #[test]
    fn pixels_are_flat_blocks_of_the_palette() {
        let src = textured(96, 64, 0);
        let mut pixels = Pixels::of(src.as_ref(), 4);
        let mut out = src.clone();
        pixels.show(src.as_ref(), 4, (0, 0), 12, &mut out.as_mut());
        let view = out.as_ref().y();
        for (x, y) in [(0, 0), (40, 20), (92, 60)] {
            assert!((0..16).all(|i| view.at(x + i % 4, y + i / 4) == view.at(x, y)));
        }
        let mut codes = out.planes()[0].data().to_vec();
        codes.sort_unstable();
        codes.dedup();
        assert!(codes.len() <= COLOURS);
    }

    #[test]
    fn pixels_move_with_a_pan_and_do_not_flicker_with_noise() {
        let src = textured(96, 64, 0);
        let mut pixels = Pixels::of(src.as_ref(), 4);
        let (mut first, mut second) = (src.clone(), src.clone());
        pixels.show(src.as_ref(), 4, (0, 0), 12, &mut first.as_mut());
        pixels.show(textured(96, 64, 6).as_ref(), 4, (6, 0), 12, &mut second.as_mut());
        let (a, b) = (first.as_ref(), second.as_ref());
        let same = (0..80).filter(|&x| a.y().at(x, 30) == b.y().at(x + 6, 30)).count();
        assert!(same > 72, "{same}");
        let noisy =
            src.planes()[0].data().iter().enumerate().map(|(i, &v)| v + (i % 2) as u8).collect();
        let noisy = Plane::from_vec(noisy, 96, 64).unwrap();
        let noisy =
            Yuv420::from_planes(noisy, src.planes()[1].clone(), src.planes()[2].clone()).unwrap();
        let mut pixels = Pixels::of(src.as_ref(), 4);
        pixels.show(src.as_ref(), 4, (0, 0), 12, &mut first.as_mut());
        pixels.show(noisy.as_ref(), 4, (0, 0), 12, &mut second.as_mut());
        assert_eq!(first, second);
    }

    #[test]
    fn a_frame_of_one_pixel_is_a_frame() {
        let src = textured(1, 1, 0);
        let (mut out, mut edge) = (src.clone(), Plane::new(1, 1, 0).unwrap());
        Pixels::of(src.as_ref(), 4).show(src.as_ref(), 4, (3, -9), 12, &mut out.as_mut());
        Tesserae::new(0.5, 1).lay(
            src.as_ref(),
            &Similarity::IDENTITY,
            &mut out.as_mut(),
            &mut edge.as_mut(),
        );
        assert_eq!(out.planes()[0].data(), src.planes()[0].data());
    }
}
