//! The stages that change the sky, if the reference has one that is sure.

use std::sync::Arc;

use kernels::sky;
use media::still::StillImage;

use super::Run;
use super::picture::frame_of;
use super::prepare::Prepared;
use crate::analysis::PROXY_SIDE;
use crate::fail::Failure;
use crate::footage::view;
use crate::mask::{GATE, SkyMask};
use crate::scene::Scene;
use crate::sheet::{Sheet, SkyWishes};
use crate::stages::{SkyGrade, SkyStage};

/// Width of a sky's picture over that of the screen.
const WIDER: f32 = 1.25;

// === impl Run ===

impl Run<'_> {
    /// The stages for another sky and for its colours. Where no shot's sky is sure, the wishes
    /// become unmet, with how sure it is.
    pub(super) fn sky(
        &self,
        scene: &Arc<Scene>,
        prepared: &Prepared,
        sheet: &mut Sheet,
    ) -> Result<(Option<SkyStage>, Option<SkyGrade>), Failure> {
        if sheet.sky.is_empty() {
            return Ok((None, None));
        }
        let words = sheet.sky.words.clone();
        sheet.unmet.retain(|unmet| !(unmet.provisional && words.contains(&unmet.words)));
        let skies = &scene.analysis.skies;
        if skies.surest() < GATE {
            let reason = format!(
                "no clear sky is found in the reference (sure to `{:.2}`, `{GATE}` is needed)",
                skies.surest()
            );
            for words in &words {
                sheet.say(words, reason.clone(), false);
            }
            sheet.sky = SkyWishes::default();
            return Ok((None, None));
        }
        for (shot, sure) in skies.sure.iter().enumerate().filter(|(_, sure)| **sure < GATE) {
            let reason =
                format!("shot `{}` has no clear sky (sure to `{sure:.2}`) and stays", shot + 1);
            for words in &words {
                sheet.say(words, reason.clone(), false);
            }
        }
        let mask = SkyMask::new(Arc::clone(scene));
        let mut picture = None;
        if let Some(shown) = sheet.sky.picture.clone() {
            if let Some(image) = self.picture(shown.role)? {
                picture = Some(stage(mask.clone(), shown.name(), &image, scene)?);
            } else {
                let reason = format!("`{}` is not among the inputs", shown.name());
                sheet.say(&shown.words, reason, false);
                sheet.sky.picture = None;
            }
        }
        let looks = sheet.sky.looks.clone();
        let grade = self
            .grade(&looks, prepared, prepared.analysis.colours.clone())?
            .map(|grade| SkyGrade { mask, grade });
        Ok((picture, grade))
    }
}

fn stage(
    mask: SkyMask,
    name: String,
    image: &StillImage,
    scene: &Scene,
) -> Result<SkyStage, Failure> {
    let native = (image.width as f32, image.height as f32);
    let factor = (WIDER * scene.screen.0 as f32 / native.0).min(1.0);
    let even = |side: f32, factor: f32| ((side * factor / 2.0).round() as usize * 2).max(16);
    let frame = frame_of(image, (even(native.0, factor), even(native.1, factor)))?;
    // Of a picture with a ground of its own only what is above counts.
    let small = (PROXY_SIDE as f32 / native.0.max(native.1)).min(1.0);
    let copy = frame_of(image, (even(native.0, small), even(native.1, small)))?;
    let own = sky::find(view(&copy)?)?;
    let usable = if own.sureness >= GATE { sky::depth(&own.mask) } else { 1.0 };
    SkyStage::new(mask, name, &frame, usable)
}
