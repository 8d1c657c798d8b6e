//! Film grain: measured, and added as a function of seed, place and frame.

use crate::blur;
use crate::floats::Floats;
use crate::frame::Yuv420Mut;
use crate::hash;
use crate::plane::PlaneRef;
use crate::rows::for_rows;

/// Blocks into which a frame is cut to measure noise.
const BLOCK: usize = 16;

/// Grain to add.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grain {
    /// Standard deviation in luma codes at mid grey.
    pub sigma: f32,
    /// Decides the pattern.
    pub seed: u64,
}

/// Standard deviation of a luma plane's noise in codes.
///
/// The operator of Immerkaer, "Fast noise variance estimation", CVIU 1996, on blocks; the lower
/// tenth of the blocks decides, so that texture is not taken for noise.
pub fn estimate(luma: PlaneRef<'_>) -> f32 {
    let (columns, rows) = (luma.width() / BLOCK, luma.height() / BLOCK);
    let mut sigmas: Vec<f32> = (0..columns * rows)
        .map(|k| block_sigma(luma, (k % columns) * BLOCK, (k / columns) * BLOCK))
        .collect();
    sigmas.sort_by(f32::total_cmp);
    sigmas.get(sigmas.len() / 10).copied().unwrap_or(0.0)
}

fn block_sigma(luma: PlaneRef<'_>, x0: usize, y0: usize) -> f32 {
    let mut sum = 0u32;
    for y in y0 + 1..y0 + BLOCK - 1 {
        let (above, row, below) = (luma.row(y - 1), luma.row(y), luma.row(y + 1));
        for x in x0 + 1..x0 + BLOCK - 1 {
            let at = |row: &[u8], x: usize| i32::from(row[x]);
            let corners = at(above, x - 1) + at(above, x + 1) + at(below, x - 1) + at(below, x + 1);
            let edges = at(above, x) + at(row, x - 1) + at(row, x + 1) + at(below, x);
            sum += (corners - 2 * edges + 4 * at(row, x)).unsigned_abs();
        }
    }
    let count = ((BLOCK - 2) * (BLOCK - 2)) as f32;
    libm::sqrtf(std::f32::consts::FRAC_PI_2) * sum as f32 / (6.0 * count)
}

/// Adds grain to the luma of frame `t`; it is strongest at mid grey and fades to black and white.
pub fn add(frame: &mut Yuv420Mut<'_>, grain: Grain, t: u64) {
    if grain.sigma <= 0.0 {
        return;
    }
    let strength: [i32; 256] = std::array::from_fn(|code| {
        let level = ((code as f32 - 16.0) / 219.0).clamp(0.0, 1.0);
        let fade = 0.35 + 0.65 * 4.0 * level * (1.0 - level);
        libm::roundf(grain.sigma * fade * 64.0) as i32
    });
    let key = hash::mix(grain.seed ^ hash::mix(t));
    let [luma, _, _] = frame.planes_mut();
    for_rows(luma, |y, row| {
        let row_key = hash::mix(key ^ y as u64);
        for (k, quad) in row.chunks_mut(4).enumerate() {
            let (low, high) = {
                let word = hash::mix(row_key ^ k as u64);
                (word, hash::mix(word))
            };
            for (n, out) in quad.iter_mut().enumerate() {
                let bits = if n < 2 { low >> (32 * n) } else { high >> (32 * (n - 2)) };
                let noise = bell(bits as u32);
                let change = (strength[usize::from(*out)] * noise + (1 << 13)) >> 14;
                *out = (i32::from(*out) + change).clamp(0, 255) as u8;
            }
        }
    });
}

/// About normal, standard deviation 256: the sum of four bytes less its mean, times 256 / 148.
fn bell(bits: u32) -> i32 {
    let sum: i32 = bits.to_le_bytes().into_iter().map(i32::from).sum();
    ((sum - 510) * 443) >> 8
}

/// Side of a stock's sheet in px.
const SHEET: usize = 512;

/// Side of the blocks of a frame that each take their own piece of the sheet.
const PIECE: usize = 256;

/// Standard deviation of a sheet's values.
const SPREAD: f32 = 36.0;

/// The grain of a film stock: crystals of a size, where white noise has none.
///
/// A sheet of noise is blurred once to the size of the crystals (the grain of film is correlated
/// over its crystals: Newson et al., "A stochastic film grain model", 2017); each block of each
/// frame shows another piece of it.
#[derive(Debug, Clone)]
pub struct Stock {
    sheet: Vec<i8>,
    seed: u64,
}

// === impl Stock ===

impl Stock {
    /// A stock whose crystals have a Gaussian radius of `size` px.
    pub fn new(size: f32, seed: u64) -> Self {
        let mut white = Floats::new(SHEET, SHEET);
        for (k, out) in white.data.iter_mut().enumerate() {
            *out = bell(hash::mix(seed ^ hash::mix(k as u64)) as u32) as f32;
        }
        let soft = blur::gaussian_floats(white, size);
        let square: f32 = soft.data.chunks(SHEET).map(sum_of_squares).sum();
        let gain = SPREAD / libm::sqrtf(square / (SHEET * SHEET) as f32).max(1e-3);
        let code = |v: &f32| libm::roundf(v * gain).clamp(-127.0, 127.0) as i8;
        Self { sheet: soft.data.iter().map(code).collect(), seed }
    }

    /// Adds grain of standard deviation `sigma` codes at mid grey to the luma of frame `t`; it is
    /// strongest a little below mid grey and fades to black and more so to white.
    pub fn add(&self, frame: &mut Yuv420Mut<'_>, sigma: f32, t: u64) {
        if sigma <= 0.0 {
            return;
        }
        let strength: [i32; 256] = std::array::from_fn(|code| {
            let level = ((code as f32 - 16.0) / 219.0).clamp(0.0, 1.0);
            let fade =
                0.25 + 0.75 * 3.08 * libm::sqrtf(level) * (1.0 - level) * (1.0 - 0.2 * level);
            libm::roundf(sigma * fade * 4096.0 / SPREAD) as i32
        });
        let key = hash::mix(self.seed ^ hash::mix(t));
        let [luma, _, _] = frame.planes_mut();
        for_rows(luma, |y, row| {
            for (k, piece) in row.chunks_mut(PIECE).enumerate() {
                let dice = hash::mix(key ^ ((y / PIECE) << 16 | k) as u64);
                let room = (SHEET - PIECE) as u64;
                let (left, top) = ((dice % room) as usize, (dice >> 32) as usize % room as usize);
                let start = (top + y % PIECE) * SHEET + left;
                for (out, &noise) in piece.iter_mut().zip(&self.sheet[start..start + PIECE]) {
                    let change = strength[usize::from(*out)] * i32::from(noise);
                    *out = (i32::from(*out) + ((change + 2048) >> 12)).clamp(0, 255) as u8;
                }
            }
        });
    }
}

fn sum_of_squares(row: &[f32]) -> f32 {
    row.iter().map(|v| v * v).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Yuv420;

    fn grained(sigma: f32, seed: u64, t: u64) -> Yuv420 {
        let mut frame = Yuv420::new(320, 180, [125, 128, 128]).unwrap();
        add(&mut frame.as_mut(), Grain { sigma, seed }, t);
        frame
    }

    #[test]
    fn what_is_added_is_measured() {
        for sigma in [1.5f32, 4.0, 8.0] {
            let found = estimate(grained(sigma, 1, 0).as_ref().y());
            assert!((found / sigma - 1.0).abs() < 0.2, "{sigma}: {found}");
        }
        assert_eq!(estimate(grained(0.0, 1, 0).as_ref().y()), 0.0);
    }

    #[test]
    fn grain_is_centred_and_follows_seed_and_time() {
        let frame = grained(6.0, 1, 0);
        let data = frame.planes()[0].data();
        let mean = data.iter().map(|&v| f64::from(v)).sum::<f64>() / data.len() as f64;
        assert!((mean - 125.0).abs() < 0.1, "{mean}");
        assert_eq!(frame, grained(6.0, 1, 0));
        assert_ne!(frame, grained(6.0, 1, 1));
        assert_ne!(frame, grained(6.0, 2, 0));
    }

    #[test]
    fn a_stock_has_crystals_of_its_size_and_the_asked_strength() {
        let of = |size: f32| {
            let mut frame = Yuv420::new(512, 288, [112, 128, 128]).unwrap();
            Stock::new(size, 4).add(&mut frame.as_mut(), 6.0, 2);
            let noise: Vec<f32> =
                frame.planes()[0].data().iter().map(|&v| f32::from(v) - 112.0).collect();
            let variance = sum_of_squares(&noise) / noise.len() as f32;
            let beside = noise.windows(2).map(|pair| pair[0] * pair[1]).sum::<f32>();
            (variance.sqrt(), beside / noise.len() as f32 / variance)
        };
        let ((fine, loose), (coarse, tied)) = (of(0.4), of(1.2));
        assert!((fine / 6.0 - 1.0).abs() < 0.15 && (coarse / 6.0 - 1.0).abs() < 0.15);
        assert!(loose < 0.3 && tied > 0.6, "{loose} {tied}");
    }
}
