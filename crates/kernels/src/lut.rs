//! One colour change for a whole shot.
//!
//! The lattice lies in the codes themselves, every 8th one, so a frame is graded without leaving
//! yuv420p. A block of four luma samples shares one pair of chroma codes: its place in the plane of
//! chroma is found once, as a triangle of three lattice points, and each sample then reads three
//! columns, which hold a value for every luma code (a prism, so along luma the table is exact).
//! A pair of chroma codes comes back hundreds of times in a frame and in every frame of a shot, so
//! its answers are kept once they have been worked out, and most samples are one look-up.
//! All in integers. A grade is a function of RGB; at lattice points outside of the RGB cube it is
//! continued by reflection, so that colours on the cube's faces come out right.

use crate::color;
use crate::frame::{Yuv420Mut, Yuv420Ref};
use crate::plane::ShapeError;
use rayon::prelude::*;
use std::sync::OnceLock;

/// Lattice points along each axis.
const SIDE: usize = 33;

/// Codes from one point to the next.
const STEP: usize = 8;

/// Codes of luma.
const CODES: usize = 256;

/// Fraction bits of a value in the table; interpolation adds 3.
const BITS: i32 = 5;

/// Chroma rows in one task.
const BAND_ROWS: usize = 8;

/// A table from code to code, 33 points an axis; luma is filled in between its points. With the
/// answers that it keeps it takes 2.5 MiB, and 768 bytes for each pair of chroma codes it has met:
/// a few MiB for a film, 51 MiB at the very most.
#[derive(Debug)]
pub struct Lut33 {
    /// For each point of chroma, u first, the luma of every code.
    luma: Vec<[i16; CODES]>,
    /// The same, the chroma of every code.
    chroma: Vec<[[i16; 2]; CODES]>,
    /// The answers for each pair of chroma codes that was asked for, u first.
    answers: Box<[OnceLock<Box<Answers>>]>,
}

/// Where every luma code goes beside one pair of chroma codes.
#[derive(Debug)]
struct Answers {
    luma: [u8; CODES],
    chroma: [[u8; 2]; CODES],
}

/// Three points of chroma and their weights in eighths.
#[derive(Clone, Copy)]
struct Triangle {
    at: [usize; 3],
    weight: [i32; 3],
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
        let columns: Vec<&[[i16; 3]]> = nodes.chunks_exact(SIDE).collect();
        let filled = |k: usize| {
            columns.par_iter().map(move |column| -> [i16; CODES] {
                std::array::from_fn(|code| along(column, k, code))
            })
        };
        let pairs = filled(1).zip(filled(2)).map(|(u, v)| std::array::from_fn(|c| [u[c], v[c]]));
        Self::holding(filled(0).collect(), pairs.collect())
    }

    fn holding(luma: Vec<[i16; CODES]>, chroma: Vec<[[i16; 2]; CODES]>) -> Self {
        let answers = std::iter::repeat_with(OnceLock::new).take(CODES * CODES).collect();
        Self { luma, chroma, answers }
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
        let (mut luma, mut chroma) = (self.luma.clone(), self.chroma.clone());
        for (out, other) in luma.iter_mut().zip(&other.luma) {
            out.iter_mut().zip(other).for_each(|(out, &b)| *out = blend(*out, b));
        }
        for (out, other) in chroma.iter_mut().zip(&other.chroma) {
            let values = out.as_flattened_mut().iter_mut().zip(other.as_flattened());
            values.for_each(|(out, &b)| *out = blend(*out, b));
        }
        Self::holding(luma, chroma)
    }

    /// Where one code goes.
    pub fn code(&self, [y, u, v]: [u8; 3]) -> [u8; 3] {
        let answers = self.answers(u, v);
        let [u, v] = answers.chroma[usize::from(y)];
        [answers.luma[usize::from(y)], u, v]
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
        let whole = above.len().min(below.len()) / 2;
        let (blocks, _) = above.as_chunks_mut::<2>();
        let blocks = blocks.iter_mut().zip(below.as_chunks_mut::<2>().0);
        for (((a, b), u), v) in blocks.zip(u.iter_mut()).zip(v.iter_mut()) {
            let answers = self.answers(*u, *v);
            let sum = [a[0], a[1], b[0], b[1]].map(u32::from).iter().sum::<u32>();
            for y in a.iter_mut().chain(b) {
                *y = answers.luma[usize::from(*y)];
            }
            [*u, *v] = answers.chroma[usize::from(((sum + 2) >> 2) as u8)];
        }
        if let (Some(u), Some(v)) = (u.get_mut(whole..), v.get_mut(whole..)) {
            self.border(&mut above[2 * whole..], below.get_mut(2 * whole..), u, v);
        }
    }

    /// What no whole block covers: an odd last column, or a last row without a second one.
    fn border(&self, above: &mut [u8], below: Option<&mut [u8]>, u: &mut [u8], v: &mut [u8]) {
        let below = below.unwrap_or_default();
        for (i, (u, v)) in u.iter_mut().zip(v.iter_mut()).enumerate() {
            let answers = self.answers(*u, *v);
            let end = (2 * i + 2).min(above.len());
            let (mut sum, mut count) = (0, 0);
            for row in [&mut *above, &mut *below] {
                for y in row.get_mut(2 * i..end).unwrap_or_default() {
                    sum += u32::from(*y);
                    count += 1;
                    *y = answers.luma[usize::from(*y)];
                }
            }
            let mean = (sum + count / 2).checked_div(count).unwrap_or(0);
            [*u, *v] = answers.chroma[usize::from(mean as u8)];
        }
    }

    #[inline(always)]
    fn answers(&self, u: u8, v: u8) -> &Answers {
        let at = usize::from(v) * CODES + usize::from(u);
        self.answers[at].get_or_init(|| self.work_out(Triangle::new(u, v)))
    }

    #[cold]
    fn work_out(&self, triangle: Triangle) -> Box<Answers> {
        let mut answers = Box::new(Answers { luma: [0; CODES], chroma: [[0; 2]; CODES] });
        let luma = triangle.at.map(|at| &self.luma[at]);
        let chroma = triangle.at.map(|at| &self.chroma[at]);
        for y in 0..CODES {
            answers.luma[y] = triangle.between(luma.map(|column| column[y]));
            let pair = chroma.map(|column| column[y]);
            answers.chroma[y] = [0, 1].map(|k| triangle.between(pair.map(|value| value[k])));
        }
        answers
    }
}

impl Triangle {
    /// The triangle about a pair of codes: the longer fraction's axis is gone first.
    fn new(u: u8, v: u8) -> Self {
        let start = usize::from(v >> 3) * SIDE + usize::from(u >> 3);
        let (fu, fv) = (i32::from(u & 7), i32::from(v & 7));
        let stride = if fu >= fv { 1 } else { SIDE };
        let (larger, smaller) = (fu.max(fv), fu.min(fv));
        Self {
            at: [start, start + stride, start + SIDE + 1],
            weight: [STEP as i32 - larger, larger - smaller, smaller],
        }
    }

    /// The code between the values at the three points.
    #[inline(always)]
    fn between(self, values: [i16; 3]) -> u8 {
        let weighed = values.into_iter().zip(self.weight).map(|(value, w)| i32::from(value) * w);
        let sum = weighed.sum::<i32>() + (1 << (BITS + 2));
        (sum >> (BITS + 3)).clamp(0, 255) as u8
    }
}

/// Value `k` of a luma code between the points of a column.
fn along(column: &[[i16; 3]], k: usize, code: usize) -> i16 {
    let (at, part) = (code / STEP, (code % STEP) as i32);
    let (low, high) = (i32::from(column[at][k]), i32::from(column[at + 1][k]));
    ((low * STEP as i32 + (high - low) * part + STEP as i32 / 2) >> 3) as i16
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
    use std::sync::LazyLock;

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

    /// Nothing, all and half of the grade.
    static TABLES: LazyLock<[Lut33; 3]> = LazyLock::new(|| {
        let (a, b) = (Lut33::identity(), Lut33::from_rgb(grade));
        let half = a.mix(&b, 0.5);
        [a, b, half]
    });

    proptest! {
        #[test]
        fn a_known_grade_is_close_to_its_formula(r: u8, g: u8, b: u8) {
            let lut = &TABLES[1];
            let code = convert::rgb_code([r, g, b]);
            let rgb = color::yuv_to_rgb(code.map(f32::from)).map(|c| c.clamp(0.0, 1.0));
            let exact = color::rgb_to_yuv(grade(rgb));
            for (out, exact) in lut.code(code).iter().zip(exact) {
                prop_assert!((f32::from(*out) - exact).abs() < 2.5, "{out} {exact}");
            }
        }

        #[test]
        fn half_way_lies_between(y: u8, u: u8, v: u8) {
            let [a, b, m] = [0, 1, 2].map(|k: usize| TABLES[k].code([y, u, v]));
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
