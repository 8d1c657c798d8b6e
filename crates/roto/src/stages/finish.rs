//! What lies over the picture: corners, grain, bars.

use kernels::grain::Stock;
use media::Frame;
use rayon::prelude::*;
use serde_json::{Value, json};

use super::Stage;
use crate::fail::Failure;
use crate::footage::view_mut;
use crate::sheet::Finish;
use crate::timeline::Cue;

/// Radius of the corners (1 is the frame's corner) at which a vignette begins.
const VIGNETTE_FROM: f32 = 0.35;

/// Darkening of the very corner at full strength.
const VIGNETTE_MOST: f32 = 0.75;

/// Lays corners, grain and bars over each frame.
pub(crate) struct FinishStage {
    finish: Finish,
    /// Share of light that stays at each luma pixel and each chroma pixel, in 1/256.
    shade: Option<(Vec<u16>, Vec<u16>)>,
    stock: Option<Stock>,
}

// === impl FinishStage ===

impl FinishStage {
    /// For frames of `size` px; `seed` decides the grain.
    pub(crate) fn new(finish: Finish, size: (usize, usize), seed: u64) -> Self {
        let shade = (finish.vignette > 0.0).then(|| {
            let half = (size.0 / 2, size.1 / 2);
            (shade(size, finish.vignette), shade(half, finish.vignette))
        });
        let crystals = finish.grain_size.max(0.5) * size.1 as f32 / 720.0;
        let stock = (finish.grain > 0.0).then(|| Stock::new(crystals, seed));
        Self { finish, shade, stock }
    }

    fn darken(&self, frame: &mut Frame) {
        let Some((luma, chroma)) = &self.shade else { return };
        let (y, u, v) = frame.planes_mut();
        let dim = |plane: &mut [u8], shade: &[u16], zero: i32| {
            plane.par_chunks_mut(1 << 15).zip(shade.par_chunks(1 << 15)).for_each(|(out, keep)| {
                for (code, &keep) in out.iter_mut().zip(keep) {
                    let light = (i32::from(*code) - zero) * i32::from(keep);
                    *code = (zero + ((light + 128) >> 8)).clamp(0, 255) as u8;
                }
            });
        };
        dim(y, luma, 16);
        dim(u, chroma, 128);
        dim(v, chroma, 128);
    }

    fn bars(&self, frame: &mut Frame) {
        let (width, height) = (frame.width() as usize, frame.height() as usize);
        let picture = width as f32 / self.finish.letterbox;
        let bar = (((height as f32 - picture) / 4.0).max(0.0) as usize) * 2;
        let (y, u, v) = frame.planes_mut();
        for (plane, width, bar, black) in
            [(y, width, bar, 16), (u, width / 2, bar / 2, 128), (v, width / 2, bar / 2, 128)]
        {
            let end = plane.len();
            plane[..bar * width].fill(black);
            plane[end - bar * width..].fill(black);
        }
    }
}

impl Stage for FinishStage {
    fn name(&self) -> &'static str {
        "finish"
    }

    fn parameters(&self) -> Value {
        json!({
            "grain": self.finish.grain,
            "grain_size": self.finish.grain_size,
            "vignette": self.finish.vignette,
            "letterbox": self.finish.letterbox,
        })
    }

    fn apply(&mut self, n: usize, _: &Cue, frame: &mut Frame) -> Result<(), Failure> {
        self.darken(frame);
        if let Some(stock) = &self.stock {
            stock.add(&mut view_mut(frame)?, self.finish.grain, n as u64);
        }
        if self.finish.letterbox > 0.0 {
            self.bars(frame);
        }
        Ok(())
    }
}

/// What stays of the light, by the distance from the middle.
fn shade((width, height): (usize, usize), amount: f32) -> Vec<u16> {
    let mut keep = Vec::with_capacity(width * height);
    for y in 0..height {
        let dy = 2.0 * (y as f32 + 0.5) / height as f32 - 1.0;
        for x in 0..width {
            let dx = 2.0 * (x as f32 + 0.5) / width as f32 - 1.0;
            let radius = (0.5 * dx * dx + 0.5 * dy * dy).sqrt();
            let t = ((radius - VIGNETTE_FROM) / (1.0 - VIGNETTE_FROM)).clamp(0.0, 1.0);
            let dark = VIGNETTE_MOST * amount.clamp(0.0, 1.0) * t * t * (3.0 - 2.0 * t);
            keep.push((256.0 * (1.0 - dark)) as u16);
        }
    }
    keep
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey() -> Frame {
        let mut bytes = vec![128u8; Frame::bytes(64, 64)];
        bytes[..4096].fill(140);
        Frame::from_bytes(64, 64, bytes).unwrap()
    }

    #[test]
    fn corners_darken_and_the_middle_stays() {
        let finish = Finish { vignette: 0.7, ..Finish::default() };
        let mut frame = grey();
        FinishStage::new(finish, (64, 64), 1).apply(0, &Cue::at(0.0), &mut frame).unwrap();
        assert!(frame.y()[0] < 100 && frame.y()[32 * 64 + 32] == 140);
    }

    #[test]
    fn bars_are_black_and_even() {
        let finish = Finish { letterbox: 2.0, ..Finish::default() };
        let mut frame = grey();
        FinishStage::new(finish, (64, 64), 1).apply(0, &Cue::at(0.0), &mut frame).unwrap();
        let rows: Vec<u8> = frame.y().chunks(64).map(|row| row[3]).collect();
        assert!(rows[..16].iter().chain(&rows[48..]).all(|&code| code == 16));
        assert_eq!((rows[15], rows[16], rows[47], rows[48]), (16, 140, 140, 16));
    }

    #[test]
    fn grain_differs_from_frame_to_frame_and_repeats_with_the_seed() {
        let finish = Finish { grain: 8.0, ..Finish::default() };
        let made = |seed, n| {
            let mut frame = grey();
            FinishStage::new(finish, (64, 64), seed).apply(n, &Cue::at(0.0), &mut frame).unwrap();
            frame
        };
        assert_eq!(made(5, 3), made(5, 3));
        assert_ne!(made(5, 3), made(5, 4));
        assert_ne!(made(5, 3), made(6, 3));
    }
}
