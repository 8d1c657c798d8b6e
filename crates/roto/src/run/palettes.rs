//! From style pictures to what the style stage paints with.

use std::sync::Arc;

use domain::facts::Role;
use kernels::repaint::Mix;
use kernels::resize::{self, Filter};
use kernels::stylize::{Exemplar, Picture, Settings};
use kernels::transfer::ColorStats;
use kernels::{Rgb8, scan};
use media::still::StillImage;
use serde_json::json;

use super::Run;
use crate::fail::{Failure, internal};
use crate::scene::Scene;
use crate::sheet::{Sheet, StyleWish};
use crate::stages::{Likeness, Palette, Stage, Strokes, strips};

/// Longer side of a style picture over that of the clip: its strokes are a painting's seen at
/// about the clip's size.
const OF_CLIP: f64 = 1.0;

/// Most that a small picture is enlarged: beyond, its pixels show and not its strokes.
const MOST_ENLARGED: f64 = 2.0;

/// The stage that paints, and the colours of what it paints with.
pub(super) struct Painting {
    pub(super) stage: Box<dyn Stage>,
    pub(super) colours: ColorStats,
}

// === impl Run ===

impl Run<'_> {
    /// Sets up the painting where strokes are wished for.
    pub(super) fn strokes(
        &self,
        scene: &Arc<Scene>,
        sheet: &mut Sheet,
    ) -> Result<Option<Painting>, Failure> {
        let (mut palettes, mut colours, mut small) = (Vec::new(), ColorStats::new(), None);
        let legible = sheet.styles.legible;
        for wish in std::mem::take(&mut sheet.styles.wishes) {
            let mut pictures = Vec::with_capacity(wish.pictures.len());
            for &(role, weight) in &wish.pictures {
                let Some(image) = self.picture(role)? else {
                    let reason = "the style picture is not among the inputs".to_owned();
                    sheet.say(&name(role), reason, false);
                    continue;
                };
                let picture = prepared(&image, scene.screen)?;
                colours.merge(&ColorStats::of_rgba(&thumb(&picture)?.to_rgba()));
                small.get_or_insert(thumb(&picture)?);
                pictures.push((role, weight, picture));
            }
            if pictures.is_empty() {
                continue;
            }
            palettes.push(palette(&wish, legible, &pictures)?);
            sheet.styles.wishes.push(wish);
        }
        let Some(small) = small else { return Ok(None) };
        let strips = strips::plan(scene, &sheet.styles);
        let likeness = Likeness::new(&small, scene.cues.len(), scene.rate)?;
        let stage = Strokes::new(palettes, strips, Arc::clone(scene), likeness);
        Ok(Some(Painting { stage: Box::new(stage), colours }))
    }
}

fn palette(
    wish: &StyleWish,
    legible: bool,
    pictures: &[(Role, f32, Rgb8)],
) -> Result<Palette, Failure> {
    let exemplars: Vec<Picture<'_>> =
        pictures.iter().map(|(_, weight, image)| Picture { image, weight: *weight }).collect();
    let (light, colour) = wish.light_and_colour();
    let parameters = pictures.iter().map(|(role, weight, image)| {
        json!({ "of": name(*role), "size": [image.width(), image.height()], "weight": weight })
    });
    Ok(Palette {
        exemplar: Exemplar::new(&exemplars)?,
        settings: Settings { structure: wish.structure(legible), ..Settings::default() },
        mix: Mix { amount: wish.amount(), light, colour, detail: wish.detail(legible) },
        parameters: parameters.collect(),
    })
}

/// A style picture without the margins of its scan, at the size at which its strokes are used.
fn prepared(image: &StillImage, screen: (usize, usize)) -> Result<Rgb8, Failure> {
    let size = (image.width as usize, image.height as usize);
    // What is transparent is taken for paper.
    let paper = |&[r, g, b, a]: &[u8; 4]| {
        let over = |c: u8| ((u16::from(c) * u16::from(a) + 255 * (255 - u16::from(a))) / 255) as u8;
        [over(r), over(g), over(b)]
    };
    let (pixels, _) = image.rgba.as_chunks::<4>();
    let whole = Rgb8::new(pixels.iter().map(paper).collect(), size.0, size.1)?;
    let inner = scan::without_margins(&whole)?.unwrap_or(whole);
    let longer = inner.width().max(inner.height()) as f64;
    let factor = (OF_CLIP * screen.0.max(screen.1) as f64 / longer).min(MOST_ENLARGED);
    let side = |side: usize| ((side as f64 * factor).round() as usize).max(16);
    let filter = if factor < 1.0 { Filter::Area } else { Filter::Bicubic };
    let (width, height) = (side(inner.width()), side(inner.height()));
    if width.max(height) > kernels::plane::MAX_SIDE {
        return Err(internal("a style picture is too long for its width"));
    }
    Ok(resize::rgb(&inner, width, height, filter)?)
}

fn thumb(picture: &Rgb8) -> Result<Rgb8, Failure> {
    let longer = picture.width().max(picture.height());
    let part = |side: usize| (side * 256.min(longer) / longer).max(1);
    let size = (part(picture.width()), part(picture.height()));
    Ok(resize::rgb(picture, size.0, size.1, Filter::Area)?)
}

fn name(role: Role) -> String {
    match role {
        Role::Video { n } => format!("@Video{n}"),
        Role::Image { n } => format!("@Image{n}"),
        Role::ElementFrontal { n } | Role::ElementView { n, .. } => format!("@Element{n}"),
    }
}
