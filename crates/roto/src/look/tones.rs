//! The few operations that all looks are made of. RGB is gamma-coded, 0 to 1.

use kernels::color::{linear_to_srgb, srgb_to_linear};

/// BT.709 luma of a gamma-coded colour.
pub(crate) fn luma([r, g, b]: [f32; 3]) -> f32 {
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// 0 up to `from`, 1 from `to` on, smooth between; `from` may lie above `to`.
pub(crate) fn smoothstep(from: f32, to: f32, x: f32) -> f32 {
    let t = ((x - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// The part `t` of the way from `a` to `b`.
pub(crate) fn mix(a: [f32; 3], b: [f32; 3], t: f32) -> [f32; 3] {
    std::array::from_fn(|k| a[k] + t * (b[k] - a[k]))
}

/// Each channel of linear light times a gain, with a soft shoulder where it passes 1.
pub(crate) fn gain(rgb: [f32; 3], gains: [f32; 3]) -> [f32; 3] {
    std::array::from_fn(|k| {
        let lit = srgb_to_linear(rgb[k]) * gains[k];
        linear_to_srgb(shoulder(lit))
    })
}

/// Straight up to 0.7, then bending towards 1.
fn shoulder(x: f32) -> f32 {
    const KNEE: f32 = 0.7;
    if x <= KNEE {
        return x;
    }
    let over = (x - KNEE) / (1.0 - KNEE);
    KNEE + (1.0 - KNEE) * (1.0 - libm::expf(-over))
}

/// An S about `pivot`: `amount` 0 leaves all, above 0 steepens, below 0 flattens. Black and white
/// stay where they are.
pub(crate) fn contrast(rgb: [f32; 3], amount: f32, pivot: f32) -> [f32; 3] {
    let power = libm::exp2f(amount);
    rgb.map(|c| {
        let c = c.clamp(0.0, 1.0);
        if c < pivot {
            pivot * libm::powf(c / pivot, power)
        } else {
            1.0 - (1.0 - pivot) * libm::powf((1.0 - c) / (1.0 - pivot), power)
        }
    })
}

/// Distance from grey times `factor`.
pub(crate) fn saturate(rgb: [f32; 3], factor: f32) -> [f32; 3] {
    let grey = luma(rgb);
    rgb.map(|c| grey + factor * (c - grey))
}

/// Black moved up to `black` and white down to `white`.
pub(crate) fn squeeze(rgb: [f32; 3], black: f32, white: f32) -> [f32; 3] {
    rgb.map(|c| black + c * (white - black))
}

/// Colour added to the dark tones and to the bright ones; both are differences from grey.
pub(crate) fn split(rgb: [f32; 3], shadows: [f32; 3], highlights: [f32; 3]) -> [f32; 3] {
    let level = luma(rgb).clamp(0.0, 1.0);
    let dark = 4.0 * level * (1.0 - level) * (1.0 - smoothstep(0.15, 0.75, level));
    let bright = smoothstep(0.25, 0.75, level) * (1.0 - 0.6 * smoothstep(0.85, 1.0, level));
    // Near black there is no light to colour.
    let dark = dark.max(0.5 * smoothstep(0.02, 0.2, level) * (1.0 - smoothstep(0.2, 0.6, level)));
    std::array::from_fn(|k| rgb[k] + dark * shadows[k] + bright * highlights[k])
}

/// Grey by the given weights.
pub(crate) fn mono(rgb: [f32; 3], weights: [f32; 3]) -> [f32; 3] {
    let sum: f32 = weights.iter().sum();
    [(0..3).map(|k| rgb[k] * weights[k]).sum::<f32>() / sum; 3]
}

/// Middle tones raised (`gamma` above 1) or lowered.
pub(crate) fn gamma(rgb: [f32; 3], gamma: f32) -> [f32; 3] {
    rgb.map(|c| libm::powf(c.clamp(0.0, 1.0), 1.0 / gamma))
}
