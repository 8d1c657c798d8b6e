//! What a cell looks like, for the exemplar and for a frame alike.

use crate::blur::{gaussian, gaussian_floats};
use crate::floats::Floats;
use crate::plane::{Plane, PlaneRef};
use crate::resize;
use crate::rows::for_items;

/// What guides a cell: broad luma, fine luma, direction (128 + 127 cos and sin of twice the angle
/// of the gradient, times coherence), broad blue and red difference, place within the picture
/// (0 to 255 on both axes).
pub(super) type Mark = [u8; 8];

/// Gaussian of the fine luma in cells: keeps the scene's lines, drops the brush's.
const FINE_SIGMA: f32 = 1.0;

/// Gaussian of the broad luma, in cells of half the resolution.
const BROAD_SIGMA: f32 = 2.0;

/// Gaussian of the colour differences, in cells of half the resolution.
const HUE_SIGMA: f32 = 1.0;

/// Gaussian of the structure tensor, in cells of half the resolution.
const TENSOR_SIGMA: f32 = 1.6;

/// Part of another picture's broad colours that is taken over, in 1/256, and the difference of
/// luma up to which it is.
const LEAN: u32 = 160;
const AS_LIGHT: u8 = 40;

/// Squared gradient (codes per two cells) below which a direction is noise.
const TENSOR_FLOOR: f32 = 24.0;

/// Features of a picture, one each a cell, row after row.
#[derive(Debug, Clone)]
pub(super) struct Features {
    /// Luma, slightly blurred.
    pub(super) fine: Plane,
    pub(super) marks: Vec<Mark>,
    /// Trust in the direction and strength of the edge, 0 to 255.
    pub(super) grips: Vec<[u8; 2]>,
}

impl Features {
    /// Of one code of luma a cell, and of colour differences of about half that resolution.
    pub(super) fn of(luma: PlaneRef<'_>, chroma: [PlaneRef<'_>; 2]) -> Self {
        let fine = gaussian(luma, FINE_SIGMA);
        let small = resize::halve(fine.as_ref());
        let broad = gaussian(small.as_ref(), BROAD_SIGMA);
        let tensor = tensor(small.as_ref());
        let (width, height) = luma.size();
        let [u, v] = chroma.map(|plane| gaussian(plane, HUE_SIGMA));
        let (hue_width, hue_height) = chroma[0].size();
        let mut marks = vec![[0u8; 8]; width * height];
        let small_width = small.as_ref().width();
        for_items(&mut marks, width, |y, row| {
            let (broad, fine) = (broad.row(y / 2), fine.row(y));
            let tensor = &tensor[y / 2 * small_width..][..small_width];
            let at = (y / 2).min(hue_height - 1);
            let (u, v) = (u.row(at), v.row(at));
            for (x, out) in row.iter_mut().enumerate() {
                let ([p, q], _) = tensor[x / 2];
                let at = (x / 2).min(hue_width - 1);
                let [across, down] = place(x, y, width, height);
                *out = [broad[x / 2], fine[x], p, q, u[at], v[at], across, down];
            }
        });
        let mut grips = vec![[0u8; 2]; width * height];
        for_items(&mut grips, width, |y, row| {
            let tensor = &tensor[y / 2 * small_width..][..small_width];
            for (x, out) in row.iter_mut().enumerate() {
                *out = tensor[x / 2].1;
            }
        });
        Self { fine, marks, grips }
    }

    /// Draws the broad luma and colours towards those of a picture of the same scale, where that
    /// is about as light.
    pub(super) fn lean(&mut self, luma: PlaneRef<'_>, chroma: [PlaneRef<'_>; 2]) {
        let width = luma.width();
        let broad = gaussian(resize::halve(luma).as_ref(), BROAD_SIGMA);
        let [u, v] = chroma.map(|plane| gaussian(plane, HUE_SIGMA));
        for_items(&mut self.marks, width, |y, row| {
            let at = (y / 2).min(u.height() - 1);
            let (broad, u, v) = (broad.row(y / 2), u.row(at), v.row(at));
            for (x, mark) in row.iter_mut().enumerate() {
                let at = (x / 2).min(u.len() - 1);
                if mark[0].abs_diff(broad[x / 2]) <= AS_LIGHT {
                    for (own, other) in [(0, broad[x / 2]), (4, u[at]), (5, v[at])] {
                        let mixed = (256 - LEAN) * u32::from(mark[own]) + LEAN * u32::from(other);
                        mark[own] = ((mixed + 128) >> 8) as u8;
                    }
                }
            }
        });
    }
}

/// Place of a cell within a picture, 0 to 255.
fn place(x: usize, y: usize, width: usize, height: usize) -> [u8; 2] {
    [((2 * x + 1) * 255 / (2 * width)) as u8, ((2 * y + 1) * 255 / (2 * height)) as u8]
}

/// Direction and grip of each cell, from the smoothed structure tensor (Bigun, Granlund 1987).
fn tensor(luma: PlaneRef<'_>) -> Vec<([u8; 2], [u8; 2])> {
    let (width, height) = luma.size();
    let product = |which: fn(f32, f32) -> f32| {
        let mut out = Floats::new(width, height);
        for_items(&mut out.data, width, |y, row| {
            let (above, here, below) =
                (luma.row(y.saturating_sub(1)), luma.row(y), luma.row(y + 1));
            for (x, out) in row.iter_mut().enumerate() {
                let (left, right) = (x.saturating_sub(1), (x + 1).min(width - 1));
                let dx = f32::from(here[right]) - f32::from(here[left]);
                let dy = f32::from(below[x]) - f32::from(above[x]);
                *out = which(dx, dy);
            }
        });
        gaussian_floats(out, TENSOR_SIGMA)
    };
    let (xx, yy, xy) = (product(|x, _| x * x), product(|_, y| y * y), product(|x, y| x * y));
    let mut out = vec![([128; 2], [0; 2]); width * height];
    for_items(&mut out, width, |y, row| {
        for (x, out) in row.iter_mut().enumerate() {
            let (a, b, c) = (xx.row(y)[x], yy.row(y)[x], xy.row(y)[x]);
            let (p, q) = (a - b, 2.0 * c);
            let length = (p * p + q * q).sqrt();
            let coherence = length / (a + b + TENSOR_FLOOR);
            let turn = |v: f32| (128.0 + 127.0 * coherence * v / (length + 1e-6)) as u8;
            let edge = (3.0 * (a + b).sqrt()).min(255.0);
            *out = ([turn(p), turn(q)], [(255.0 * coherence) as u8, edge as u8]);
        }
    });
    out
}
