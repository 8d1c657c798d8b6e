//! What a cell looks like, for the exemplar and for a frame alike.

use crate::blur::{gaussian, gaussian_floats};
use crate::floats::Floats;
use crate::plane::{Plane, PlaneRef};
use crate::resize;
use crate::rows::for_items;

/// Gaussian of the fine luma in cells: keeps the scene's lines, drops the brush's.
const FINE_SIGMA: f32 = 1.0;

/// Gaussian of the broad luma, in cells of half the resolution.
const BROAD_SIGMA: f32 = 2.0;

/// Gaussian of the structure tensor, in cells of half the resolution.
const TENSOR_SIGMA: f32 = 1.6;

/// Squared gradient (codes per two cells) below which a direction is noise.
const TENSOR_FLOOR: f32 = 24.0;

/// Features of a picture, one each a cell, row after row.
#[derive(Debug, Clone)]
pub(super) struct Features {
    /// Luma, slightly blurred.
    pub(super) fine: Plane,
    /// Broad luma, fine luma, direction: 128 + 127 cos and sin of twice the angle of the
    /// gradient, times coherence.
    pub(super) marks: Vec<[u8; 4]>,
    /// Trust in the direction and strength of the edge, 0 to 255.
    pub(super) grips: Vec<[u8; 2]>,
}

impl Features {
    pub(super) fn of(luma: PlaneRef<'_>) -> Self {
        let fine = gaussian(luma, FINE_SIGMA);
        let small = resize::halve(fine.as_ref());
        let broad = gaussian(small.as_ref(), BROAD_SIGMA);
        let tensor = tensor(small.as_ref());
        let (width, height) = luma.size();
        let mut marks = vec![[0u8; 4]; width * height];
        let small_width = small.as_ref().width();
        for_items(&mut marks, width, |y, row| {
            let (broad, fine) = (broad.row(y / 2), fine.row(y));
            let tensor = &tensor[y / 2 * small_width..][..small_width];
            for (x, out) in row.iter_mut().enumerate() {
                let (direction, _) = tensor[x / 2];
                *out = [broad[x / 2], fine[x], direction[0], direction[1]];
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
