//! Colour spaces of single colours.
//!
//! "RGB" is gamma-coded R'G'B' with BT.709 primaries, 0 to 1. Stills are sRGB and video is shown
//! as if it were, so the sRGB curve (IEC 61966-2-1) stands between RGB and linear light for both.

/// BT.709 luma weights.
const KR: f32 = 0.2126;
const KB: f32 = 0.0722;
const KG: f32 = 1.0 - KR - KB;

/// White of the D65 illuminant, as the BT.709 primaries sum to it.
const WHITE: [f32; 3] = [0.950_47, 1.0, 1.088_83];

/// (6 / 29)^3 and its neighbours in the definition of CIE Lab.
const LAB_LINEAR_BELOW: f32 = 216.0 / 24389.0;
const LAB_SLOPE: f32 = 24389.0 / 27.0;

/// RGB from limited-range codes (16..235, 16..240); codes outside give values outside 0..1.
#[inline]
pub fn yuv_to_rgb([y, u, v]: [f32; 3]) -> [f32; 3] {
    let y = (y - 16.0) / 219.0;
    let (cb, cr) = ((u - 128.0) / 224.0, (v - 128.0) / 224.0);
    let r = y + 2.0 * (1.0 - KR) * cr;
    let b = y + 2.0 * (1.0 - KB) * cb;
    [r, (y - KR * r - KB * b) / KG, b]
}

/// Limited-range codes from RGB, as floats, not clamped.
#[inline]
pub fn rgb_to_yuv([r, g, b]: [f32; 3]) -> [f32; 3] {
    let y = KR * r + KG * g + KB * b;
    let cb = (b - y) / (2.0 * (1.0 - KB));
    let cr = (r - y) / (2.0 * (1.0 - KR));
    [16.0 + 219.0 * y, 128.0 + 224.0 * cb, 128.0 + 224.0 * cr]
}

/// Linear light from a gamma-coded value; odd-symmetric below 0.
pub fn srgb_to_linear(value: f32) -> f32 {
    let v = value.abs();
    let linear = if v <= 0.040_45 { v / 12.92 } else { libm::powf((v + 0.055) / 1.055, 2.4) };
    linear.copysign(value)
}

/// Gamma-coded value from linear light; odd-symmetric below 0.
pub fn linear_to_srgb(value: f32) -> f32 {
    let v = value.abs();
    let coded = if v <= 0.003_130_8 { v * 12.92 } else { 1.055 * libm::powf(v, 1.0 / 2.4) - 0.055 };
    coded.copysign(value)
}

/// CIE Lab (D65; L 0..100) from RGB.
pub fn rgb_to_lab(rgb: [f32; 3]) -> [f32; 3] {
    linear_to_lab(rgb.map(srgb_to_linear))
}

/// RGB from CIE Lab (D65); may lie outside 0..1.
pub fn lab_to_rgb([l, a, b]: [f32; 3]) -> [f32; 3] {
    let fy = (l + 16.0) / 116.0;
    let inverse = |f: f32| {
        let cube = f * f * f;
        if cube > LAB_LINEAR_BELOW { cube } else { (116.0 * f - 16.0) / LAB_SLOPE }
    };
    let x = WHITE[0] * inverse(fy + a / 500.0);
    let y = WHITE[1] * inverse(fy);
    let z = WHITE[2] * inverse(fy - b / 200.0);
    [
        3.240_454_2 * x - 1.537_138_5 * y - 0.498_531_4 * z,
        -0.969_266 * x + 1.876_010_8 * y + 0.041_556 * z,
        0.055_643_4 * x - 0.204_025_9 * y + 1.057_225_2 * z,
    ]
    .map(linear_to_srgb)
}

/// Euclidean distance of two Lab colours (CIE 1976): 2.3 is just noticeable.
pub fn lab_distance(a: [f32; 3], b: [f32; 3]) -> f32 {
    let d = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
    (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).sqrt()
}

/// Lab of eight-bit sRGB colours, the curve looked up.
#[derive(Debug, Clone)]
pub struct LabTable {
    linear: Vec<f32>,
}

impl LabTable {
    /// Fills the table.
    pub fn new() -> Self {
        Self { linear: (0..256u16).map(|v| srgb_to_linear(f32::from(v) / 255.0)).collect() }
    }

    /// CIE Lab of an sRGB colour.
    pub fn lab(&self, rgb: [u8; 3]) -> [f32; 3] {
        linear_to_lab(rgb.map(|v| self.linear[usize::from(v)]))
    }
}

impl Default for LabTable {
    fn default() -> Self {
        Self::new()
    }
}

fn linear_to_lab([r, g, b]: [f32; 3]) -> [f32; 3] {
    let x = (0.412_456_4 * r + 0.357_576_1 * g + 0.180_437_5 * b) / WHITE[0];
    let y = (0.212_672_9 * r + 0.715_152_2 * g + 0.072_175 * b) / WHITE[1];
    let z = (0.019_333_9 * r + 0.119_192 * g + 0.950_304_1 * b) / WHITE[2];
    let forward = |t: f32| {
        if t > LAB_LINEAR_BELOW { libm::cbrtf(t) } else { (LAB_SLOPE * t + 16.0) / 116.0 }
    };
    let (fx, fy, fz) = (forward(x), forward(y), forward(z));
    [116.0 * fy - 16.0, 500.0 * (fx - fy), 200.0 * (fy - fz)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_corners_are_where_the_standard_puts_them() {
        assert_eq!(rgb_to_yuv([1.0; 3]).map(f32::round), [235.0, 128.0, 128.0]);
        assert_eq!(rgb_to_yuv([1.0, 0.0, 0.0]).map(f32::round), [63.0, 102.0, 240.0]);
        let red = rgb_to_lab([1.0, 0.0, 0.0]);
        assert!(lab_distance(red, [53.24, 80.09, 67.20]) < 0.1, "{red:?}");
        assert!(lab_distance(rgb_to_lab([1.0; 3]), [100.0, 0.0, 0.0]) < 0.05);
    }

    proptest! {
        #[test]
        fn conversions_round_trip(r in 0.0f32..1.0, g in 0.0f32..1.0, b in 0.0f32..1.0) {
            let rgb = [r, g, b];
            let close = |a: [f32; 3]| a.iter().zip(rgb).all(|(x, y)| (x - y).abs() < 2e-4);
            prop_assert!(close(yuv_to_rgb(rgb_to_yuv(rgb))));
            prop_assert!(close(lab_to_rgb(rgb_to_lab(rgb))));
            prop_assert!(close(rgb.map(srgb_to_linear).map(linear_to_srgb)));
        }
    }
}
