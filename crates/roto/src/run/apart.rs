//! The stages for the subject or the background alone, if the reference has a subject that is sure.

use std::sync::Arc;

use kernels::scan;
use media::Frame;
use media::still::StillImage;

use super::Run;
use super::picture::{frame_of_rgb, over_grey};
use super::prepare::Prepared;
use crate::fail::Failure;
use crate::movers::{GATE, MoverMask, said};
use crate::scene::Scene;
use crate::sheet::{Apart, ApartWishes, LookWishes, Sheet};
use crate::stages::{ApartStage, BackgroundStage, MediumStage, Stage};

/// Size of a background's picture over that which covers the screen, at most.
const WIDER: f32 = 1.4;

/// What is set up for the subject or the background alone.
#[derive(Default)]
pub(super) struct SetApart {
    pub(super) picture: Option<BackgroundStage>,
    pub(super) grades: Vec<ApartStage>,
    pub(super) media: Vec<ApartStage>,
}

// === impl Run ===

impl Run<'_> {
    /// The stages for a new background and for changes of either alone. Where no shot's subject is
    /// sure, the wishes become unmet, with what is to blame.
    pub(super) fn apart(
        &self,
        scene: &Arc<Scene>,
        prepared: &Prepared,
        sheet: &mut Sheet,
    ) -> Result<SetApart, Failure> {
        let mut set = SetApart::default();
        if sheet.apart.is_empty() || !gated(scene, sheet) {
            return Ok(set);
        }
        let mask = MoverMask::new(Arc::clone(scene));
        if let Some(shown) = sheet.apart.picture.clone() {
            if let Some(image) = self.picture(shown.role)? {
                let frame = covering(&image, scene.screen)?;
                set.picture = Some(BackgroundStage::new(mask.clone(), shown.name(), &frame)?);
            } else {
                let reason = format!("`{}` is not among the inputs", shown.name());
                sheet.say(&shown.words, reason, false);
                sheet.apart.picture = None;
            }
        }
        let wishes = sheet.apart.clone();
        let mut grade = |part, name, looks: &LookWishes| -> Result<(), Failure> {
            let colours = prepared.analysis.colours.clone();
            if let Some(grade) = self.grade(looks, prepared, colours)? {
                let inner: Vec<Box<dyn Stage>> = vec![Box::new(grade)];
                set.grades.push(ApartStage { mask: mask.clone(), part, name, inner });
            }
            Ok(())
        };
        grade(Apart::Background, "background_grade", &wishes.behind)?;
        grade(Apart::Subject, "subject_grade", &wishes.subject)?;
        let media = [(Apart::Background, "background_medium"), (Apart::Subject, "subject_medium")];
        for (part, name) in media {
            let own = wishes.media.iter().filter(|(of, _)| *of == part);
            let inner: Vec<Box<dyn Stage>> = own
                .map(|(_, wish)| -> Box<dyn Stage> {
                    Box::new(MediumStage::new(wish, Arc::clone(scene)))
                })
                .collect();
            if !inner.is_empty() {
                set.media.push(ApartStage { mask: mask.clone(), part, name, inner });
            }
        }
        Ok(set)
    }
}

/// Says which shots have no subject that is sure; whether any has one.
fn gated(scene: &Scene, sheet: &mut Sheet) -> bool {
    let words = sheet.apart.words.clone();
    sheet.unmet.retain(|unmet| !(unmet.provisional && words.contains(&unmet.words)));
    let movers = &scene.analysis.movers;
    let (surest, doubt) = movers.surest();
    let mut reasons = Vec::new();
    if surest < GATE {
        reasons.push(format!(
            "no subject can be told from its background in the reference (sure to `{surest:.2}`, \
             `{GATE}` is needed): {}; a reference in which it moves before a background that \
             differs from it can",
            said(doubt)
        ));
    } else {
        for (shot, (sure, doubt)) in movers.sure.iter().enumerate().filter(|one| one.1.0 < GATE) {
            reasons.push(format!(
                "shot `{}` stays, its subject is not sure (`{sure:.2}`): {}",
                shot + 1,
                said(*doubt)
            ));
        }
    }
    for reason in reasons {
        for words in &words {
            sheet.say(words, reason.clone(), false);
        }
    }
    if surest < GATE {
        sheet.apart = ApartWishes::default();
    }
    surest >= GATE
}

/// A picture as large as a stage needs it to cover the screen, not larger than it is, and without
/// the margins of its scan.
fn covering(image: &StillImage, screen: (usize, usize)) -> Result<Frame, Failure> {
    let whole = over_grey(image)?;
    let inner = scan::without_margins(&whole)?.unwrap_or(whole);
    let native = (inner.width() as f32, inner.height() as f32);
    let cover = (screen.0 as f32 / native.0).max(screen.1 as f32 / native.1);
    let factor = (WIDER * cover).min(1.0);
    let even = |side: f32| ((side * factor / 2.0).round() as usize * 2).max(16);
    frame_of_rgb(&inner, (even(native.0), even(native.1)))
}
