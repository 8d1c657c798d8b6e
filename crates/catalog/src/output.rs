//! What a model makes: kind, size and rate of its output, and the shape of the reply.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A size in pixels, as displayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Size {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// The asked ratio of width to height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ratio {
    /// The offered one nearest to the reference.
    Auto,
    /// Width to height, as in `16:9`.
    Fixed(u32, u32),
}

/// What kind of file comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputKind {
    /// An mp4.
    Video,
    /// A picture.
    Image,
}

/// The output of a model, with the quality that is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputSpec {
    /// The member of `output` that carries the URL.
    pub name: String,
    /// Video or image.
    pub kind: OutputKind,
    /// Whether the member is a list of URLs.
    pub list: bool,
    /// Frames a second of a video; 1 for an image.
    pub fps: u32,
    /// The offered ratios and the size of each; never empty.
    pub sizes: Vec<OfferedSize>,
}

/// One ratio on offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferedSize {
    /// Width to height in small numbers.
    pub ratio: (u32, u32),
    /// Its size.
    pub size: Size,
}

/// Distances closer than this are a tie. Sizes up to 8192 a side that differ in ratio differ by
/// more than 1e-8.
const TIE: f64 = 1e-9;

// === impl Ratio ===

impl Ratio {
    /// `auto`, or `W:H` with both at least 1.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text == "auto" {
            return Some(Self::Auto);
        }
        let (w, h) = text.split_once(':')?;
        let (w, h) = (w.parse().ok()?, h.parse().ok()?);
        (w > 0 && h > 0).then_some(Self::Fixed(w, h))
    }
}

// === impl OutputSpec ===

impl OutputSpec {
    /// The size for `ratio`.
    ///
    /// `Auto` takes the offered ratio at the least |ln(w/h) - ln(W/H)| from the reference's; of
    /// two at the same distance, the one that is landscape or portrait as the reference is.
    /// Without a reference, and for a ratio that is not on offer, it is the first on offer.
    pub fn size(&self, ratio: Ratio, reference: Option<Size>) -> Size {
        let first = self.sizes.first().map_or(Size { width: 1, height: 1 }, |offer| offer.size);
        match (ratio, reference) {
            (Ratio::Fixed(w, h), _) => {
                let found = self.sizes.iter().find(|offer| offer.ratio == (w, h));
                found.map_or(first, |offer| offer.size)
            }
            (Ratio::Auto, Some(reference)) => self.nearest(reference).unwrap_or(first),
            (Ratio::Auto, None) => first,
        }
    }

    fn nearest(&self, reference: Size) -> Option<Size> {
        let wanted = (f64::from(reference.width.max(1)) / f64::from(reference.height.max(1))).ln();
        let mut best: Option<(f64, f64, Size)> = None;
        for offer in &self.sizes {
            let lean = (f64::from(offer.ratio.0) / f64::from(offer.ratio.1)).ln();
            let distance = (lean - wanted).abs();
            let better = best.is_none_or(|(nearest, its_lean, _)| {
                distance < nearest - TIE
                    || (distance < nearest + TIE && lean * wanted > its_lean * wanted)
            });
            if better {
                best = Some((distance, lean, offer.size));
            }
        }
        best.map(|(_, _, size)| size)
    }

    /// The `output` object of a result: `{"video": url}`, or a list under the name.
    pub fn body(&self, url: &str) -> Value {
        let value = if self.list { json!([url]) } else { json!(url) };
        Value::Object(Map::from_iter([(self.name.clone(), value)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(ratio: (u32, u32), width: u32, height: u32) -> OfferedSize {
        OfferedSize { ratio, size: Size { width, height } }
    }

    fn spec() -> OutputSpec {
        OutputSpec {
            name: "video".to_owned(),
            kind: OutputKind::Video,
            list: false,
            fps: 24,
            sizes: vec![
                offer((16, 9), 1280, 720),
                offer((9, 16), 720, 1280),
                offer((1, 1), 960, 960),
            ],
        }
    }

    #[test]
    fn auto_is_the_nearest_by_log_distance_and_ties_follow_the_orientation() {
        for (width, height, want) in [
            (1920, 1080, (1280, 720)),
            (1080, 1920, (720, 1280)),
            (1000, 1000, (960, 960)),
            (2160, 720, (1280, 720)),
            // 4:3 lies exactly between 1:1 and 16:9; 3:4 between 1:1 and 9:16.
            (1440, 1080, (1280, 720)),
            (1080, 1440, (720, 1280)),
            // One pixel less wide is nearer to the square.
            (1439, 1080, (960, 960)),
            (1080, 1439, (960, 960)),
        ] {
            let got = spec().size(Ratio::Auto, Some(Size { width, height }));
            assert_eq!((got.width, got.height), want, "{width}x{height}");
        }
    }

    #[test]
    fn ties_do_not_depend_on_the_order_of_the_offers() {
        let mut reversed = spec();
        reversed.sizes.reverse();
        let got = reversed.size(Ratio::Auto, Some(Size { width: 1440, height: 1080 }));
        assert_eq!(got, Size { width: 1280, height: 720 });
    }

    #[test]
    fn a_fixed_ratio_does_not_look_at_the_reference() {
        let got = spec().size(Ratio::Fixed(9, 16), Some(Size { width: 1920, height: 1080 }));
        assert_eq!(got, Size { width: 720, height: 1280 });
        assert_eq!(spec().size(Ratio::Auto, None), Size { width: 1280, height: 720 });
    }

    #[test]
    fn the_reply_has_the_name_and_the_shape_of_the_manifest() {
        assert_eq!(spec().body("u"), json!({"video": "u"}));
        let stills = OutputSpec { name: "stills".to_owned(), list: true, ..spec() };
        assert_eq!(stills.body("u"), json!({"stills": ["u"]}));
    }

    #[test]
    fn reads_ratios() {
        assert_eq!(Ratio::parse("auto"), Some(Ratio::Auto));
        assert_eq!(Ratio::parse("16:9"), Some(Ratio::Fixed(16, 9)));
        for wrong in ["", "16", "0:9", "16:x", "1:1:1"] {
            assert_eq!(Ratio::parse(wrong), None, "{wrong}");
        }
    }
}
