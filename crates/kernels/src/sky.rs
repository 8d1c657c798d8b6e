//! Where a frame shows clear sky, and how sure that is.
//!
//! A clear sky is smooth, touches the top of the frame, and its colour changes evenly across it.
//! So: smooth pixels that hang together with the top are found first, a quadratic surface of
//! colour is fitted to them, and what it explains is kept. The sureness falls with
//! whatever makes this doubtful: too small or too large an area, a rough fit, an edge below which
//! nothing changes, the green of grass and leaves. The edge is made soft by a guided filter (He,
//! Sun, Tang 2010) with its coefficients computed small and applied large (He, Sun 2015).

use crate::blur;
use crate::floats::Floats;
use crate::frame::Yuv420Ref;
use crate::plane::{Mask, Plane, PlaneRef, ShapeError};
use crate::resize;
use crate::rows::for_rows;

/// Difference of neighbours in luma codes up to which a pixel is smooth.
const SMOOTH: u8 = 9;

/// Part of the frame's height from which sky grows.
const TOP: f32 = 0.04;

/// Distance from the fitted colours, over the usual one, up to which a pixel is sky.
const LIKE: f32 = 4.0;

/// How much farther than that a glow in the sky may be.
const GLOW: f32 = 1.8;

/// Least usual distance in codes, since compression alone makes as much.
const LEAST_SPREAD: f32 = 2.5;

/// Terms of the surface of colour: 1, x, y, and their squares and product.
const TERMS: usize = 6;

/// What was found in a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Sky {
    /// 255 where sky is.
    pub mask: Mask,
    /// How sure it is, 0 to 1.
    pub sureness: f32,
    /// Part of the frame that it covers, 0 to 1.
    pub coverage: f32,
}

type Colour = [f32; 3];

/// A colour for every place, in luma and chroma codes.
struct Model {
    terms: [[f32; TERMS]; 3],
    spread: Colour,
}

/// Looks for clear sky. Meant for small copies (about 320 px wide): time goes with the area.
pub fn find(frame: Yuv420Ref<'_>) -> Result<Sky, ShapeError> {
    let (width, height) = frame.size();
    let colours = colours(frame);
    let smooth = smooth(frame.y());
    let top = ((TOP * height as f32) as usize).max(2);
    let mut region = grown(&smooth, width, top, |_| true);
    let mut model = None;
    for _ in 0..3 {
        let Some(fitted) = Model::fit(&colours, &region, width) else { break };
        region = grown(&smooth, width, top, |at| {
            fitted.distance(colours[at], place(at, width, height)) < LIKE
        });
        model = Some(fitted);
    }
    if let Some(model) = &model {
        // A glow or a thin cloud above what is sure is sky too; what is below may be a wall.
        let lowest: Vec<usize> = (0..width)
            .map(|x| (0..height).rev().find(|y| region[y * width + x]).unwrap_or(0))
            .collect();
        region = grown(&smooth, width, top, |at| {
            at / width <= lowest[at % width]
                && model.distance(colours[at], place(at, width, height)) < GLOW * LIKE
        });
    }
    let area = region.iter().filter(|&&inside| inside).count();
    let coverage = area as f32 / region.len() as f32;
    let sureness =
        model.map_or(0.0, |model| model.sureness(&colours, &region, (width, height), coverage));
    // Smoothness is measured beside edges too: the region ends a pixel before the sky does.
    let codes = region.iter().map(|&inside| if inside { 255 } else { 0 }).collect();
    let mask = dilated(Plane::from_vec(codes, width, height)?.as_ref());
    Ok(Sky { mask: Mask(mask), sureness, coverage })
}

/// A mask of any size brought to the size of `guide`, its edge on the guide's edges. `radius` is in
/// px of the mask.
pub fn refine(mask: PlaneRef<'_>, guide: PlaneRef<'_>, radius: usize) -> Result<Plane, ShapeError> {
    /// Variance in codes squared below which an edge is not followed.
    const EPSILON: f32 = 60.0;
    let (width, height) = mask.size();
    let small = resize::shrink(guide, width, height)?;
    let mean = |data: Vec<f32>| Floats { data, width, height }.box_mean(radius).data;
    let pairs =
        || mask.rows().flatten().zip(small.data()).map(|(&m, &g)| (f32::from(m), f32::from(g)));
    let m = mean(pairs().map(|(m, _)| m).collect());
    let g = mean(pairs().map(|(_, g)| g).collect());
    let mg = mean(pairs().map(|(m, g)| m * g).collect());
    let gg = mean(pairs().map(|(_, g)| g * g).collect());
    let slopes: Vec<f32> = (0..m.len())
        .map(|at| (mg[at] - m[at] * g[at]) / (gg[at] - g[at] * g[at] + EPSILON))
        .collect();
    let offsets = (0..m.len()).map(|at| m[at] - slopes[at] * g[at]).collect();
    let (slopes, offsets) = (mean(slopes), mean(offsets));
    let (out_w, out_h) = guide.size();
    let mut out = Plane::new(out_w, out_h, 0)?;
    let (kx, ky) = (width as f32 / out_w as f32, height as f32 / out_h as f32);
    for_rows(&mut out.as_mut(), |y, row| {
        let (above, below, v) = between(y, ky, height);
        for (x, (out, &code)) in row.iter_mut().zip(guide.row(y)).enumerate() {
            let (left, right, u) = between(x, kx, width);
            let at = |field: &[f32]| {
                let line = |row: usize| {
                    let (a, b) = (field[row * width + left], field[row * width + right]);
                    a + u * (b - a)
                };
                line(above) + v * (line(below) - line(above))
            };
            let alpha = at(&slopes) * f32::from(code) + at(&offsets);
            // Haze far from the edge is no sky.
            *out = ((alpha - 127.5) * 1.25 + 127.5 + 0.5).clamp(0.0, 255.0) as u8;
        }
    });
    Ok(out)
}

/// The samples that a position lies between, and where.
fn between(at: usize, factor: f32, side: usize) -> (usize, usize, f32) {
    let centre = ((at as f32 + 0.5) * factor - 0.5).clamp(0.0, side as f32 - 1.0);
    let first = centre as usize;
    (first, (first + 1).min(side - 1), centre - first as f32)
}

fn colours(frame: Yuv420Ref<'_>) -> Vec<Colour> {
    let (width, height) = frame.size();
    let luma = blur::box_mean(frame.y(), 1);
    (0..width * height)
        .map(|at| {
            let (x, y) = ((at % width) as isize, (at / width) as isize);
            let chroma = |plane: PlaneRef<'_>| f32::from(plane.at(x / 2, y / 2));
            [f32::from(luma.as_ref().at(x, y)), chroma(frame.u()), chroma(frame.v())]
        })
        .collect()
}

fn smooth(luma: PlaneRef<'_>) -> Vec<bool> {
    let (width, height) = luma.size();
    let step = |x: isize, y: isize| {
        let across = luma.at(x + 1, y).abs_diff(luma.at(x - 1, y));
        across.max(luma.at(x, y + 1).abs_diff(luma.at(x, y - 1)))
    };
    (0..width * height)
        .map(|at| step((at % width) as isize, (at / width) as isize) <= SMOOTH)
        .collect()
}

/// Smooth pixels that belong and hang together with the top.
fn grown(smooth: &[bool], width: usize, top: usize, belongs: impl Fn(usize) -> bool) -> Vec<bool> {
    let mut inside = vec![false; smooth.len()];
    let mut open: Vec<usize> = Vec::new();
    for at in 0..(top * width).min(smooth.len()) {
        if smooth[at] && belongs(at) {
            inside[at] = true;
            open.push(at);
        }
    }
    while let Some(at) = open.pop() {
        let x = at % width;
        let next = [
            (x > 0).then(|| at - 1),
            (x + 1 < width).then_some(at + 1),
            at.checked_sub(width),
            Some(at + width),
        ];
        for next in next.into_iter().flatten() {
            if smooth.get(next) == Some(&true) && !inside[next] && belongs(next) {
                inside[next] = true;
                open.push(next);
            }
        }
    }
    inside
}

fn dilated(mask: PlaneRef<'_>) -> Plane {
    let (width, height) = mask.size();
    let mut out = Plane::of_size(Vec::new(), (width, height));
    for_rows(&mut out.as_mut(), |y, row| {
        for (x, out) in row.iter_mut().enumerate() {
            let (x, y) = (x as isize, y as isize);
            let around = (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dx, dy)));
            *out = around.map(|(dx, dy)| mask.at(x + dx, y + dy)).max().unwrap_or(0);
        }
    });
    out
}

/// Terms at a place.
fn place(at: usize, width: usize, height: usize) -> [f32; TERMS] {
    let x = (at % width) as f32 / width as f32 - 0.5;
    let y = (at / width) as f32 / height as f32;
    [1.0, x, y, x * x, y * y, x * y]
}

fn smoothstep(from: f32, to: f32, x: f32) -> f32 {
    let t = ((x - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

// === impl Model ===

impl Model {
    /// Least squares over the region; `None` where it is too small.
    fn fit(colours: &[Colour], region: &[bool], width: usize) -> Option<Self> {
        let height = colours.len() / width;
        let inside: Vec<usize> = (0..colours.len()).filter(|&at| region[at]).collect();
        if inside.len() < colours.len() / 100 {
            return None;
        }
        let mut matrix = [[0.0f64; TERMS]; TERMS];
        let mut right = [[0.0f64; TERMS]; 3];
        for &at in &inside {
            let terms = place(at, width, height);
            for i in 0..TERMS {
                for j in 0..TERMS {
                    matrix[i][j] += f64::from(terms[i] * terms[j]);
                }
                for k in 0..3 {
                    right[k][i] += f64::from(terms[i] * colours[at][k]);
                }
            }
        }
        // A little of each term is held back, so that a sliver of sky can't bend it.
        let hold = 1e-3 * inside.len() as f64;
        for (i, row) in matrix.iter_mut().enumerate().skip(1) {
            row[i] += hold;
        }
        let terms = right.map(|right| solved(matrix, right).map(|v| v as f32));
        let mut model = Self { terms, spread: [1.0; 3] };
        let mut spread = [0.0f32; 3];
        for &at in &inside {
            let gap = model.gap(colours[at], place(at, width, height));
            (0..3).for_each(|k| spread[k] += gap[k].abs());
        }
        model.spread = spread.map(|sum| (1.25 * sum / inside.len() as f32).max(LEAST_SPREAD));
        Some(model)
    }

    fn gap(&self, colour: Colour, terms: [f32; TERMS]) -> Colour {
        std::array::from_fn(|k| {
            let model: f32 = self.terms[k].iter().zip(terms).map(|(a, b)| a * b).sum();
            colour[k] - model
        })
    }

    fn distance(&self, colour: Colour, terms: [f32; TERMS]) -> f32 {
        let gap = self.gap(colour, terms);
        (0..3).map(|k| (gap[k] / self.spread[k]).powi(2)).sum::<f32>().sqrt()
    }

    fn sureness(
        &self,
        colours: &[Colour],
        region: &[bool],
        (width, height): (usize, usize),
        coverage: f32,
    ) -> f32 {
        let size = smoothstep(0.02, 0.06, coverage) * (1.0 - smoothstep(0.85, 0.95, coverage));
        let rough = self.spread[0].max(1.5 * self.spread[1]).max(1.5 * self.spread[2]);
        let even = 1.0 - smoothstep(9.0, 18.0, rough);
        // How different it is a little below the region's lower end.
        let reach = (height / 40).max(3);
        let (mut edges, mut sharp, mut high) = (0usize, 0.0f32, 0usize);
        for x in 0..width {
            let Some(end) = (0..height).rev().find(|y| region[y * width + x]) else { continue };
            edges += 1;
            if end + reach >= height {
                continue;
            }
            high += 1;
            let at = (end + reach) * width + x;
            sharp += smoothstep(2.0, 5.0, self.distance(colours[at], place(at, width, height)));
        }
        let edge = if edges == 0 { 0.0 } else { sharp / edges as f32 };
        let ends = high as f32 / edges.max(1) as f32;
        let area = (coverage * region.len() as f32).max(1.0);
        let mean = |k: usize| {
            let inside = region.iter().zip(colours).filter(|(inside, _)| **inside);
            inside.map(|(_, colour)| colour[k]).sum::<f32>() / area
        };
        // Grass and leaves have less blue and less red than grey.
        let green = smoothstep(4.0, 14.0, (128.0 - mean(1)).min(128.0 - mean(2)));
        size * even * smoothstep(0.35, 0.75, edge) * smoothstep(0.2, 0.5, ends) * (1.0 - green)
    }
}

/// The solution of a small positive system by Gaussian elimination.
fn solved(mut matrix: [[f64; TERMS]; TERMS], mut right: [f64; TERMS]) -> [f64; TERMS] {
    for k in 0..TERMS {
        let (row, value) = (matrix[k], right[k]);
        let pivot = row[k].max(1e-9);
        for (below, right) in matrix.iter_mut().zip(&mut right).skip(k + 1) {
            let factor = below[k] / pivot;
            below.iter_mut().zip(row).for_each(|(cell, above)| *cell -= factor * above);
            *right -= factor * value;
        }
    }
    for k in (0..TERMS).rev() {
        let rest: f64 = (k + 1..TERMS).map(|j| matrix[k][j] * right[j]).sum();
        right[k] = (right[k] - rest) / matrix[k][k].max(1e-9);
    }
    right
}

/// The part of a mask's height that sky reaches down to in the median column.
pub fn depth(mask: &Mask) -> f32 {
    let plane = &mask.0;
    let end = |x: usize| {
        let is_sky = |y: &usize| plane.row(*y).get(x).is_some_and(|&code| code > 127);
        (0..plane.height()).rev().find(is_sky).map_or(0, |y| y + 1)
    };
    let mut ends: Vec<usize> = (0..plane.width()).map(end).collect();
    ends.sort_unstable();
    ends.get(ends.len() / 2).map_or(0.0, |&end| end as f32 / plane.height() as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Yuv420;

    fn noise(x: usize, y: usize) -> usize {
        (x * 7919 + y * 104_729 + x * y * 31) % 97
    }

    /// Whether a point lies above a skyline of towers.
    fn above(x: usize, y: usize) -> bool {
        y < [60, 95, 40, 110, 70, 88, 52, 100][x / 40 % 8]
    }

    fn scene(luma: impl Fn(usize, usize) -> u8 + Sync, chroma: [u8; 2]) -> Sky {
        let frame = Yuv420::from_planes(
            Plane::from_fn(320, 180, luma).unwrap(),
            Plane::new(160, 90, chroma[0]).unwrap(),
            Plane::new(160, 90, chroma[1]).unwrap(),
        );
        find(frame.unwrap().as_ref()).unwrap()
    }

    fn agreement(sky: &Sky) -> f32 {
        let (mut both, mut any) = (0, 0);
        for (x, y) in (0..180).flat_map(|y| (0..320).map(move |x| (x, y))) {
            let found = sky.mask.0.row(y)[x] > 127;
            both += usize::from(found && above(x, y));
            any += usize::from(found || above(x, y));
        }
        both as f32 / any as f32
    }

    #[test]
    fn a_skyline_by_day_and_by_night_is_found() {
        for (top, step, tower) in [(210, 1, 60), (40, 0, 22)] {
            let sky = scene(
                |x, y| {
                    let grain = (noise(x, y) % 3) as u8;
                    let wall = (noise(x / 3, y / 3) * 2 / 3) as u8;
                    if above(x, y) { top - step * (y / 4) as u8 + grain } else { tower + wall }
                },
                [140, 122],
            );
            assert!(sky.sureness > 0.7, "{}", sky.sureness);
            assert!(agreement(&sky) > 0.9, "{}", agreement(&sky));
        }
    }

    #[test]
    fn what_is_no_sky_is_not_sure() {
        let wall = scene(|_, _| 150, [128, 128]);
        let foliage = scene(|x, y| 60 + noise(x / 2, y / 2) as u8, [115, 118]);
        let lawn = scene(|x, y| if above(x, y) { 150 } else { noise(x, y) as u8 }, [90, 110]);
        for sky in [wall, foliage, lawn] {
            assert!(sky.sureness < 0.2, "{}", sky.sureness);
        }
    }

    #[test]
    fn a_refined_edge_lies_on_the_pictures_edge() {
        // The mask is some px off and coarse; the guide has the edge at row 200.
        let mask = Plane::from_fn(160, 90, |_, y| if y < 49 { 255 } else { 0 }).unwrap();
        let guide = Plane::from_fn(640, 360, |_, y| if y < 200 { 190 } else { 70 }).unwrap();
        let alpha = refine(mask.as_ref(), guide.as_ref(), 5).unwrap();
        let at = |y: usize| alpha.row(y)[320];
        assert!(at(197) > 180 && at(203) < 75, "{} {}", at(197), at(203));
        assert!(at(20) == 255 && at(340) == 0);
    }
}
