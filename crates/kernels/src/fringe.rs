//! The border of something that moves, on a frame of any size: how much of each pixel it is, and
//! its own colours without those of what was behind it.
//!
//! As in [`crate::matting`], a pixel C of the border mixes C = alpha F + (1 - alpha) B (Porter and
//! Duff 1984), with F and B as local means of what is surely inside and outside. Here they are
//! found on the matte's own small grid, in Y'CbCr, and only alpha has the frame's resolution, so
//! that a frame of video costs little.

use crate::blur;
use crate::floats::Floats;
use crate::frame::{Yuv420Mut, Yuv420Ref};
use crate::matting::Spread;
use crate::plane::{Plane, PlaneRef, ShapeError, check_same};
use crate::resize::{shrink, to_byte};
use crate::rows::for_rows;

/// Reach in px of the matte up to which a pixel may mix.
const BAND: usize = 2;

/// Weight of pixels that are inside without being deep inside.
const SHALLOW: f32 = 0.02;

/// Squared distance of F and B in codes, chroma doubled, at which the colours count half.
const HALF_SURE: f32 = 20.0 * 20.0;

/// Alpha below this is nothing and above the rest is all: noise.
const NOISE: f32 = 0.08;

/// How far a colour may be from the usual one inside, in codes.
const MOST_OFF: f32 = 40.0;

/// A matte laid on a frame.
pub struct Fringe {
    alpha: Plane,
    fore: Spread,
    back: Spread,
    size: (usize, usize),
}

// === impl Fringe ===

impl Fringe {
    /// Lays a small matte (255 inside) on `frame`. The matte covers the same picture.
    pub fn of(frame: Yuv420Ref<'_>, matte: PlaneRef<'_>) -> Result<Self, ShapeError> {
        let (width, height) = matte.size();
        let mut small = Vec::with_capacity(3);
        for plane in frame.planes() {
            small.push(Floats::from_plane(shrink(plane, width, height)?.as_ref()));
        }
        let [y, u, v] = <[Floats; 3]>::try_from(small)
            .map_err(|found| ShapeError::Buffer { found: found.len(), needed: 3 })?;
        let small = [y, u, v];
        let inside = Floats::from_plane(matte);
        let depth = inside.box_mean(BAND);
        let (mut deep, mut outside) = (depth.clone(), depth.clone());
        for (i, &mean) in depth.data.iter().enumerate() {
            let shallow = if inside.data[i] > 200.0 { SHALLOW } else { 0.0 };
            deep.data[i] = if mean > 250.0 { 1.0 } else { shallow };
            outside.data[i] = if mean < 5.0 { 1.0 } else { 0.0 };
        }
        let fore = Spread::of(&small, &deep, 2 * BAND);
        let back = Spread::of(&small, &outside, 2 * BAND);
        let mut alpha = Plane::new(frame.y().width(), frame.y().height(), 0)?;
        let mut fringe = Self { alpha: alpha.clone(), fore, back, size: (width, height) };
        fringe.mixes(frame, &depth, &inside, &mut alpha);
        fringe.alpha = blur::gaussian(alpha.as_ref(), 0.7);
        Ok(fringe)
    }

    /// How much of each px of the frame is inside, 255 all of it.
    pub fn alpha(&self) -> &Plane {
        &self.alpha
    }

    fn mixes(&self, frame: Yuv420Ref<'_>, depth: &Floats, inside: &Floats, alpha: &mut Plane) {
        let factor = self.factor(frame.size());
        for_rows(&mut alpha.as_mut(), |y, row| {
            let (luma, us, vs) = (frame.y().row(y), frame.u().row(y / 2), frame.v().row(y / 2));
            for (x, out) in row.iter_mut().enumerate() {
                let at = Spot::of((x as f32 + 0.5, y as f32 + 0.5), factor, self.size);
                let mean = at.sample(&depth.data);
                if !(5.0..=250.0).contains(&mean) {
                    *out = if mean > 127.0 { 255 } else { 0 };
                    continue;
                }
                let code = |row: &[u8], x: usize| row.get(x).map_or(128.0, |&c| f32::from(c));
                let own = [code(luma, x), code(us, x / 2), code(vs, x / 2)];
                let (f, b) = (at.colour(&self.fore), at.colour(&self.back));
                let way: [f32; 3] = std::array::from_fn(|c| WEIGHT[c] * (f[c] - b[c]));
                let gone: f32 = (0..3).map(|c| WEIGHT[c] * (own[c] - b[c]) * way[c]).sum();
                let length: f32 = way.iter().map(|way| way * way).sum();
                let known = self.fore.knows(at.nearest) * self.back.knows(at.nearest);
                let sure = known * length / (length + HALF_SURE);
                let guess = ((at.sample(&inside.data) / 255.0 - 0.3) / 0.4).clamp(0.0, 1.0);
                let seen = (gone / length.max(1.0)).clamp(0.0, 1.0);
                let mixed = guess + sure * (seen - guess);
                let mixed = ((mixed - NOISE) / (1.0 - 2.0 * NOISE)).clamp(0.0, 1.0);
                *out = to_byte(255.0 * mixed);
            }
        });
    }

    fn factor(&self, frame: (usize, usize)) -> (f32, f32) {
        (self.size.0 as f32 / frame.0 as f32, self.size.1 as f32 / frame.1 as f32)
    }

    /// Puts `behind` where the frame is not inside; the border keeps the inside's colours alone.
    pub fn over(&self, frame: &mut Yuv420Mut<'_>, behind: Yuv420Ref<'_>) -> Result<(), ShapeError> {
        check_same(frame.size(), behind.size())?;
        check_same(frame.size(), self.alpha.size())?;
        let whole = frame.size();
        let planes = frame.planes_mut().into_iter().zip(behind.planes());
        for (channel, (plane, behind)) in planes.enumerate() {
            let step = if channel == 0 { 1 } else { 2 };
            let factor = self.factor(whole);
            for_rows(plane, |y, row| {
                for (x, (out, &new)) in row.iter_mut().zip(behind.row(y)).enumerate() {
                    let share = self.share(x * step, y * step, step);
                    *out = match share {
                        0 => new,
                        255 => *out,
                        _ => {
                            let middle = |at: usize| (at as f32 + 0.5) * step as f32;
                            let at = Spot::of((middle(x), middle(y)), factor, self.size);
                            self.dressed(channel, &at, f32::from(share) / 255.0, *out, new)
                        }
                    };
                }
            });
        }
        Ok(())
    }

    /// Alpha at a px of luma, or the mean over a px of chroma.
    fn share(&self, x: usize, y: usize, step: usize) -> u8 {
        if step == 1 {
            return self.alpha.row(y)[x];
        }
        let at = |x: usize, y: usize| u32::from(self.alpha.as_ref().at(x as isize, y as isize));
        ((at(x, y) + at(x + 1, y) + at(x, y + 1) + at(x + 1, y + 1) + 2) / 4) as u8
    }

    fn dressed(&self, channel: usize, at: &Spot, a: f32, code: u8, new: u8) -> u8 {
        let (f, b) = (at.colour(&self.fore)[channel], at.colour(&self.back)[channel]);
        let known = self.fore.knows(at.nearest) * self.back.knows(at.nearest);
        let code = f32::from(code);
        let own = (code - (1.0 - a) * b) / a.max(0.3);
        let near = own.clamp(f - MOST_OFF, f + MOST_OFF);
        let pure = code + known * (f + a * a * (near - f) - code);
        to_byte(a * pure + (1.0 - a) * f32::from(new))
    }
}

/// What luma and the chromas count in distances.
const WEIGHT: [f32; 3] = [1.0, 2.0, 2.0];

/// A place of the frame on the small grid.
struct Spot {
    corners: [(usize, f32); 4],
    nearest: usize,
}

// === impl Spot ===

impl Spot {
    fn of(point: (f32, f32), factor: (f32, f32), (width, height): (usize, usize)) -> Self {
        let split = |at: f32, side: usize| {
            let at = (at - 0.5).clamp(0.0, side as f32 - 1.0);
            let first = at as usize;
            (first, (first + 1).min(side - 1), at - first as f32)
        };
        let (left, right, u) = split(point.0 * factor.0, width);
        let (above, below, v) = split(point.1 * factor.1, height);
        let corners = [
            (above * width + left, (1.0 - u) * (1.0 - v)),
            (above * width + right, u * (1.0 - v)),
            (below * width + left, (1.0 - u) * v),
            (below * width + right, u * v),
        ];
        let column = if u < 0.5 { left } else { right };
        let row = if v < 0.5 { above } else { below };
        Self { corners, nearest: row * width + column }
    }

    fn colour(&self, spread: &Spread) -> [f32; 3] {
        let colours = self.corners.map(|(at, part)| (spread.at(at), part));
        std::array::from_fn(|c| colours.iter().map(|(colour, part)| part * colour[c]).sum())
    }

    fn sample(&self, data: &[f32]) -> f32 {
        self.corners.iter().map(|&(at, part)| part * data[at]).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Yuv420;

    const SIZE: (usize, usize) = (320, 180);
    const SUBJECT: [f32; 3] = [150.0, 130.0, 122.0];
    const GRASS: [f32; 3] = [110.0, 96.0, 118.0];

    /// Cover of a pixel by a disc, its edge two px soft.
    fn cover(x: usize, y: usize) -> f32 {
        let (x, y) = (x as f32 + 0.5, y as f32 + 0.5);
        ((60.0 - (x - 160.0).hypot(y - 90.0)) / 2.0 + 0.5).clamp(0.0, 1.0)
    }

    fn scene() -> (Yuv420, Plane) {
        let plane = |c: usize, step: usize| {
            Plane::from_fn(SIZE.0 / step, SIZE.1 / step, |x, y| {
                let a = cover(x * step, y * step);
                (a * SUBJECT[c] + (1.0 - a) * GRASS[c] + 0.5) as u8
            })
            .unwrap()
        };
        let frame = Yuv420::from_planes(plane(0, 1), plane(1, 2), plane(2, 2)).unwrap();
        // The matte is coarse, and a px of its own too large.
        let matte = Plane::from_fn(80, 45, |x, y| {
            let far = (x as f32 + 0.5 - 40.0).hypot(y as f32 + 0.5 - 22.5);
            (255.0 * (16.5 - far).clamp(0.0, 1.0)) as u8
        });
        (frame, matte.unwrap())
    }

    #[test]
    fn alpha_lies_on_the_frames_own_edge() {
        let (frame, matte) = scene();
        let fringe = Fringe::of(frame.as_ref(), matte.as_ref()).unwrap();
        let mut off = 0.0f32;
        for (x, y) in (0..SIZE.1).flat_map(|y| (0..SIZE.0).map(move |x| (x, y))) {
            off += (f32::from(fringe.alpha().row(y)[x]) / 255.0 - cover(x, y)).abs();
        }
        // In px of the border's length.
        assert!(off / 377.0 < 1.0, "{}", off / 377.0);
    }

    #[test]
    fn no_colour_of_the_old_background_stays() {
        let (frame, matte) = scene();
        let fringe = Fringe::of(frame.as_ref(), matte.as_ref()).unwrap();
        let blue = Yuv420::new(SIZE.0, SIZE.1, [60, 170, 110]).unwrap();
        let mut made = frame.clone();
        fringe.over(&mut made.as_mut(), blue.as_ref()).unwrap();
        let at = |x: usize, y: usize| {
            let [l, u, v] = made.planes();
            [l.row(y)[x], u.row(y / 2)[x / 2], v.row(y / 2)[x / 2]]
        };
        assert_eq!(at(20, 20), [60, 170, 110]);
        assert_eq!(at(160, 90), SUBJECT.map(|code| code as u8));
        // Grass has less of the first chroma than either.
        let least = made.planes()[1].data().iter().min().unwrap();
        assert!(*least > 122, "{least}");
    }
}
