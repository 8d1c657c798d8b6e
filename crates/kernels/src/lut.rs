//! One colour change for a whole shot.
//!
//! The lattice lies in the codes themselves, every 8th one, so a frame is graded without leaving
//! yuv420p: one lookup a luma sample, one a chroma pair, tetrahedral (Sakamoto and Itooka, US
//! 4275413, expired), in integers. A grade is a function of RGB; at lattice points outside of the
//! RGB cube it is continued by reflection, so that colours on the cube's faces come out right.

use crate::color;
use crate::frame::{Yuv420Mut, Yuv420Ref};
use crate::plane::ShapeError;
use rayon::prelude::*;

/// Lattice points along each axis.
const SIDE: usize = 33;

/// Codes from one point to the next.
const STEP: usize = 8;

/// Fraction bits of a value in the table; interpolation adds 3.
const BITS: i32 = 5;

/// Chroma rows in one task.
const BAND_ROWS: usize = 8;

/// A table from code to code, 33 points an axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lut33 {
    luma: Vec<i16>,
    chroma: Vec<[i16; 2]>,
}

/// The cell and the order of the axes, before luma is known.
#[derive(Clone, Copy)]
struct Column {
    base: usize,
    larger: i32,
    smaller: i32,
}

/// Four corners of a tetrahedron and their weights in eighths.
#[derive(Clone, Copy)]
struct Tetrahedron {
    at: [usize; 4],
    weight: [i32; 4],
}

impl Lut33 {
    /// The table of a grade: `grade` takes RGB in 0..1 and gives RGB (clamped where it must be).
    pub fn from_rgb(grade: impl Fn([f32; 3]) -> [f32; 3] + Sync) -> Self {
        let nodes: Vec<[i16; 3]> = (0..SIDE * SIDE * SIDE)
            .into_par_iter()
            .map(|index| {
                let code = [index % SIDE, index / SIDE % SIDE, index / (SIDE * SIDE)];
                let rgb = color::yuv_to_rgb(code.map(|c| (c * STEP) as f32));
                color::rgb_to_yuv(continued(&grade, rgb)).map(fixed)
            })
            .collect();
        Self {
            luma: nodes.iter().map(|n| n[0]).collect(),
            chroma: nodes.iter().map(|n| [n[1], n[2]]).collect(),
        }
    }

    /// Changes nothing.
    pub fn identity() -> Self {
        Self::from_rgb(|rgb| rgb)
    }

    /// The table the part `t` (0 to 1) of the way from `self` to `other`.
    #[must_use]
    pub fn mix(&self, other: &Self, t: f32) -> Self {
        let weight = libm::roundf(t.clamp(0.0, 1.0) * 256.0) as i32;
        let blend = |a: i16, b: i16| {
            let (a, b) = (i32::from(a), i32::from(b));
            ((a * 256 + (b - a) * weight + 128) >> 8) as i16
        };
        Self {
            luma: self.luma.iter().zip(&other.luma).map(|(&a, &b)| blend(a, b)).collect(),
            chroma: self
                .chroma
                .iter()
                .zip(&other.chroma)
                .map(|(a, b)| [blend(a[0], b[0]), blend(a[1], b[1])])
                .collect(),
        }
    }

    /// Where one code goes.
    pub fn code(&self, [y, u, v]: [u8; 3]) -> [u8; 3] {
        let corners = Column::new(u, v).at(y);
        let [u, v] = self.chroma_at(corners);
        [self.luma_at(corners), u, v]
    }

    /// Grades `src` into `dst`, both of one size.
    pub fn apply(&self, src: Yuv420Ref<'_>, dst: &mut Yuv420Mut<'_>) -> Result<(), ShapeError> {
        dst.copy_from(src)?;
        self.apply_in_place(dst);
        Ok(())
    }

    /// Grades a frame.
    pub fn apply_in_place(&self, frame: &mut Yuv420Mut<'_>) {
        let (width, _) = frame.size();
        let [y, u, v] = frame.planes_mut();
        let chroma_width = u.width();
        let ((y, ys), (u, us), (v, vs)) = (y.raw_mut(), u.raw_mut(), v.raw_mut());
        let bands = y
            .par_chunks_mut(ys * BAND_ROWS * 2)
            .zip(u.par_chunks_mut(us * BAND_ROWS))
            .zip(v.par_chunks_mut(vs * BAND_ROWS));
        bands.for_each(|((y, u), v)| {
            let rows = y.chunks_mut(ys * 2).zip(u.chunks_mut(us)).zip(v.chunks_mut(vs));
            for ((pair, u), v) in rows {
                let (above, below) = pair.split_at_mut(ys.min(pair.len()));
                let below = &mut below[..];
                let span = width.min(below.len());
                self.rows(
                    &mut above[..width],
                    &mut below[..span],
                    &mut u[..chroma_width],
                    &mut v[..chroma_width],
                );
            }
        });
    }

    /// Two rows of luma (the second may be missing) and the row of chroma between them.
    fn rows(&self, above: &mut [u8], below: &mut [u8], u: &mut [u8], v: &mut [u8]) {
        for (i, (u, v)) in u.iter_mut().zip(v.iter_mut()).enumerate() {
            let column = Column::new(*u, *v);
            let end = (2 * i + 2).min(above.len());
            let (mut sum, mut count) = (0, 0);
            for row in [&mut *above, &mut *below] {
                if let Some(block) = row.get_mut(2 * i..end) {
                    for y in block {
                        sum += u32::from(*y);
                        count += 1;
                        *y = self.luma_at(column.at(*y));
                    }
                }
            }
            let mean = match count {
                4 => (sum + 2) >> 2,
                2 => (sum + 1) >> 1,
                _ => sum,
            };
            [*u, *v] = self.chroma_at(column.at(mean as u8));
        }
    }

    #[inline]
    fn luma_at(&self, corners: Tetrahedron) -> u8 {
        let mut sum = 1 << (BITS + 2);
        for k in 0..4 {
            sum += i32::from(self.luma[corners.at[k]]) * corners.weight[k];
        }
        (sum >> (BITS + 3)).clamp(0, 255) as u8
    }

    #[inline]
    fn chroma_at(&self, corners: Tetrahedron) -> [u8; 2] {
        let mut sum = [1 << (BITS + 2); 2];
        for k in 0..4 {
            let [u, v] = self.chroma[corners.at[k]];
            sum[0] += i32::from(u) * corners.weight[k];
            sum[1] += i32::from(v) * corners.weight[k];
        }
        sum.map(|s| (s >> (BITS + 3)).clamp(0, 255) as u8)
    }
}

impl Column {
    #[inline]
    fn new(u: u8, v: u8) -> Self {
        let (iu, iv) = (usize::from(u >> 3), usize::from(v >> 3));
        let key_u = key(u, SIDE);
        let key_v = key(v, SIDE * SIDE);
        Self { base: (iv * SIDE + iu) * SIDE, larger: key_u.max(key_v), smaller: key_u.min(key_v) }
    }

    /// The tetrahedron about a luma code: the axes in falling order of their fractions.
    #[inline]
    fn at(self, y: u8) -> Tetrahedron {
        let key_y = key(y, 1);
        let first = self.larger.max(key_y);
        let second = self.larger.min(key_y).max(self.smaller);
        let third = self.smaller.min(key_y);
        let start = self.base + usize::from(y >> 3);
        let one = start + (first & 0xFFFF) as usize;
        let two = one + (second & 0xFFFF) as usize;
        let (f1, f2, f3) = (first >> 16, second >> 16, third >> 16);
        Tetrahedron {
            at: [start, one, two, two + (third & 0xFFFF) as usize],
            weight: [STEP as i32 - f1, f1 - f2, f2 - f3, f3],
        }
    }
}

/// Fraction of a code in its cell, above the stride of its axis.
#[inline]
fn key(code: u8, stride: usize) -> i32 {
    (i32::from(code & 7) << 16) | stride as i32
}

fn fixed(code: f32) -> i16 {
    libm::roundf(code.clamp(-512.0, 767.0) * (1 << BITS) as f32) as i16
}

/// The grade, and outside of the RGB cube its reflection at the nearest point of the cube.
fn continued(grade: &impl Fn([f32; 3]) -> [f32; 3], rgb: [f32; 3]) -> [f32; 3] {
    let face = rgb.map(|c| c.clamp(0.0, 1.0));
    let at_face = grade(face);
    if face == rgb {
        return at_face;
    }
    let outside: [f32; 3] = std::array::from_fn(|k| rgb[k] - face[k]);
    let furthest = outside.iter().fold(1.0f32, |far, d| far.max(d.abs()));
    let inside = grade(std::array::from_fn(|k| face[k] - outside[k] / furthest));
    std::array::from_fn(|k| at_face[k] + furthest * (at_face[k] - inside[k]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert;
    use crate::frame::Yuv420;
    use crate::plane::Plane;
    use proptest::prelude::*;

    fn noise(width: usize, height: usize) -> Yuv420 {
        let plane = |w: usize, h: usize, k: usize| {
            Plane::from_fn(w, h, move |x, y| ((x * 37 + y * 101 + x * y * k) % 256) as u8).unwrap()
        };
        let (cw, ch) = crate::frame::chroma_size((width, height));
        Yuv420::from_planes(plane(width, height, 3), plane(cw, ch, 5), plane(cw, ch, 7)).unwrap()
    }

    #[test]
    fn identity_keeps_every_code_within_one() {
        let lut = Lut33::identity();
        for y in (0..=255).step_by(5) {
            for u in (0..=255).step_by(3) {
                for v in (0..=255).step_by(3) {
                    let out = lut.code([y, u, v]);
                    let far = out.iter().zip([y, u, v]).any(|(a, b)| a.abs_diff(b) > 1);
                    assert!(!far, "{:?} -> {out:?}", [y, u, v]);
                }
            }
        }
        let frame = noise(33, 21);
        let mut out = frame.clone();
        lut.apply_in_place(&mut out.as_mut());
        for (a, b) in frame.planes().iter().zip(out.planes()) {
            assert!(a.data().iter().zip(b.data()).all(|(a, b)| a.abs_diff(*b) <= 1));
        }
    }

    fn grade([r, g, b]: [f32; 3]) -> [f32; 3] {
        [r * r * (3.0 - 2.0 * r), 0.9 * g, 0.2 + 0.8 * b * b]
    }

    proptest! {
        #[test]
        fn a_known_grade_is_close_to_its_formula(r: u8, g: u8, b: u8) {
            let lut = Lut33::from_rgb(grade);
            let code = convert::rgb_code([r, g, b]);
            let rgb = color::yuv_to_rgb(code.map(f32::from)).map(|c| c.clamp(0.0, 1.0));
            let exact = color::rgb_to_yuv(grade(rgb));
            for (out, exact) in lut.code(code).iter().zip(exact) {
                prop_assert!((f32::from(*out) - exact).abs() < 2.5, "{out} {exact}");
            }
        }

        #[test]
        fn half_way_lies_between(y: u8, u: u8, v: u8) {
            let (a, b) = (Lut33::identity(), Lut33::from_rgb(grade));
            let (a, m, b) = (a.code([y, u, v]), a.mix(&b, 0.5).code([y, u, v]), b.code([y, u, v]));
            for k in 0..3 {
                prop_assert!(m[k] >= a[k].min(b[k]).saturating_sub(1));
                prop_assert!(m[k] <= a[k].max(b[k]).saturating_add(1));
            }
        }
    }

    #[test]
    fn frames_follow_the_table_on_any_number_of_threads() {
        let lut = Lut33::from_rgb(grade);
        let frame = noise(131, 75);
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut out = Yuv420::new(131, 75, [0; 3]).unwrap();
            pool.install(|| lut.apply(frame.as_ref(), &mut out.as_mut())).unwrap();
            out
        };
        let out = run(1);
        assert_eq!(out, run(2));
        let [y, u, v] = frame.as_ref().planes();
        let code = [y.at(130, 74), u.at(65, 37), v.at(65, 37)];
        assert_eq!(out.as_ref().y().at(130, 74), lut.code(code)[0]);
        assert_eq!(out.as_ref().u().at(65, 37), lut.code(code)[1]);
    }
}
