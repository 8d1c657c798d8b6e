//! The stages of a clip, in their order, and the pictures that they need.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::facts::Role;
use kernels::transfer::ColorStats;
use kernels::{Rgba8, resize};
use media::still::{ImageLimits, StillImage, decode_image};

use super::Run;
use super::prepare::Prepared;
use crate::fail::Failure;
use crate::look::Colourist;
use crate::scene::Scene;
use crate::sheet::{LayerWish, LookKind, LookWishes, Sheet};
use crate::stages::{
    ApartStage, Elements, FinishStage, Grade, LightStage, MediumStage, Stage, View, WearStage,
    WeatherStage, cut_out, shines,
};

/// Limits on an input picture; intake has checked tighter ones.
const LIMITS: ImageLimits = ImageLimits { max_side: 16_384, max_alloc: 768 << 20 };

/// Longer side of a picture whose colours are read, in px.
const PALETTE_SIDE: usize = 384;

// === impl Run ===

impl Run<'_> {
    /// Sets the stages up. What turns out to be impossible is added to the sheet's unmet wishes.
    pub(super) fn stages(
        &self,
        prepared: &Prepared,
        sheet: &mut Sheet,
    ) -> Result<Vec<Box<dyn Stage>>, Failure> {
        let mut stages: Vec<Box<dyn Stage>> = Vec::new();
        let rate = f64::from(prepared.clip.fps);
        let screen = (prepared.clip.width as usize, prepared.clip.height as usize);
        let scene = Arc::new(self.scene(prepared, screen, rate));
        if let Some(ends) = self.ends(prepared, sheet)? {
            stages.push(Box::new(ends));
        }
        let (sky, sky_grade) = self.sky(&scene, prepared, sheet)?;
        if let Some(sky) = sky {
            stages.push(Box::new(sky));
        }
        let apart = self.apart(&scene, prepared, sheet)?;
        if let Some(background) = apart.picture {
            stages.push(Box::new(background));
        }
        let layers = grounded(self.layers(sheet)?, &scene, sheet);
        if !layers.is_empty() {
            stages.push(Box::new(Elements::new(layers, Arc::clone(&scene))?));
        }
        // Weather is painted too.
        let paints = !sheet.styles.is_empty();
        if paints && let Some(stage) = weather(sheet, &scene)? {
            stages.push(stage);
        }
        let strokes = self.strokes(&scene, sheet)?;
        let mut colours = prepared.analysis.colours.clone();
        if let Some(painting) = strokes {
            stages.push(painting.stage);
            // What is graded is the painting.
            colours.fill(painting.colours);
        }
        let looks = sheet.looks.clone();
        if let Some(grade) = self.grade(&looks, prepared, colours)? {
            stages.push(Box::new(grade));
        }
        if let Some(grade) = sky_grade {
            stages.push(Box::new(grade));
        }
        stages.extend(boxed(apart.grades));
        if !paints && let Some(stage) = weather(sheet, &scene)? {
            stages.push(stage);
        }
        if !shines(&prepared.analysis) {
            sheet.drop_sourceless();
        }
        if !sheet.light.is_empty() {
            stages.push(Box::new(LightStage::new(&sheet.light, Arc::clone(&scene))));
        }
        for wish in &sheet.media {
            stages.push(Box::new(MediumStage::new(wish, Arc::clone(&scene))));
        }
        stages.extend(boxed(apart.media));
        if !sheet.wear.is_empty() {
            let (frames, seed) = (prepared.cues.len(), self.shot.seed);
            stages.push(Box::new(WearStage::new(&sheet.wear, screen, rate, frames, seed)?));
        }
        if !sheet.finish.is_empty() {
            stages.push(Box::new(FinishStage::new(sheet.finish, screen, self.shot.seed)));
        }
        Ok(stages)
    }

    fn scene(&self, prepared: &Prepared, screen: (usize, usize), rate: f64) -> Scene {
        Scene {
            analysis: Arc::clone(&prepared.analysis),
            cues: Arc::clone(&prepared.cues),
            windows: Arc::clone(&prepared.windows),
            picture: prepared.picture,
            screen,
            rate,
            seed: self.shot.seed,
        }
    }

    /// The stage for changes of each shot's `colours`; `None` where there are none.
    pub(super) fn grade(
        &self,
        looks: &LookWishes,
        prepared: &Prepared,
        colours: Vec<ColorStats>,
    ) -> Result<Option<Grade>, Failure> {
        if looks.is_empty() {
            return Ok(None);
        }
        let mut pictures = BTreeMap::new();
        for role in looks.pictures() {
            if let Some(image) = self.picture(role)? {
                pictures.insert(role, palette(&image)?);
            }
        }
        let rate = f64::from(prepared.clip.fps);
        let secs = prepared.cues.len() as f64 / rate;
        let names: Vec<String> = looks.wishes.iter().map(|w| name_of(w.look)).collect();
        let colourist = Colourist::new(looks, pictures, colours, secs);
        let analysis = Arc::clone(&prepared.analysis);
        Ok(Some(Grade::new(colourist, analysis, rate, &names)))
    }

    /// The layers of which a view can be cut out, frontal ones first; the others become unmet.
    fn layers(&self, sheet: &mut Sheet) -> Result<Vec<(LayerWish, Vec<View>)>, Failure> {
        let mut layers = Vec::with_capacity(sheet.layers.len());
        for wish in std::mem::take(&mut sheet.layers) {
            sheet.unmet.retain(|unmet| !(unmet.provisional && unmet.words == wish.words));
            let mut refusal = format!("`{}` is not among the inputs", wish.name());
            let mut views = Vec::new();
            for role in self.views_of(wish.role) {
                let Some(image) = self.picture(role)? else { continue };
                match cut_out(&image) {
                    Ok(image) => views.push(View { role, image }),
                    Err(error) if views.is_empty() => {
                        refusal = format!("`{}` can't be cut out: {error}", wish.name());
                    }
                    Err(_) => {}
                }
            }
            if views.is_empty() {
                sheet.say(&wish.words, refusal, false);
            } else {
                sheet.layers.push(wish.clone());
                layers.push((wish, views));
            }
        }
        Ok(layers)
    }

    /// The files that show a layer, the one that was asked for first.
    fn views_of(&self, role: Role) -> Vec<Role> {
        let of = match role {
            Role::ElementFrontal { n } | Role::ElementView { n, .. } => n,
            Role::Image { .. } | Role::Video { .. } => return vec![role],
        };
        let mut views: Vec<Role> = self
            .shot
            .inputs
            .iter()
            .map(|input| input.role)
            .filter(|other| matches!(other, Role::ElementFrontal { n } | Role::ElementView { n, .. } if *n == of))
            .collect();
        views.sort_unstable();
        views.sort_by_key(|other| *other != role);
        views
    }

    pub(super) fn picture(&self, role: Role) -> Result<Option<StillImage>, Failure> {
        let Some(input) = self.shot.input(role) else { return Ok(None) };
        let bytes = std::fs::read(&input.path)
            .map_err(|cause| Failure::File { path: input.path.display().to_string(), cause })?;
        Ok(Some(decode_image(&bytes, LIMITS)?))
    }
}

fn boxed(stages: Vec<ApartStage>) -> impl Iterator<Item = Box<dyn Stage>> {
    stages.into_iter().map(|stage| -> Box<dyn Stage> { Box::new(stage) })
}

fn weather(sheet: &Sheet, scene: &Arc<Scene>) -> Result<Option<Box<dyn Stage>>, Failure> {
    if sheet.weather.is_empty() {
        return Ok(None);
    }
    Ok(Some(Box::new(WeatherStage::new(sheet.weather.clone(), Arc::clone(scene))?)))
}

/// The layers that have ground to stand on, or need none; the others become unmet.
fn grounded(
    layers: Vec<(LayerWish, Vec<View>)>,
    scene: &Scene,
    sheet: &mut Sheet,
) -> Vec<(LayerWish, Vec<View>)> {
    let shots: BTreeMap<usize, bool> =
        (0..scene.cues.len()).map(|n| (scene.shot(n), scene.lacks_ground(n))).collect();
    let without: Vec<usize> = shots.iter().filter(|shot| *shot.1).map(|shot| shot.0 + 1).collect();
    let stays = |wish: &LayerWish| without.len() < shots.len() || !wish.stands();
    for (wish, _) in layers.iter().filter(|(wish, _)| wish.stands() && !without.is_empty()) {
        let which = if stays(wish) { format!("shot {without:?}") } else { "it".to_owned() };
        let reason = format!(
            "{which} is seen from below: no ground is in the frame for `{}` to stand on",
            wish.name()
        );
        sheet.say(&wish.words, reason, false);
    }
    sheet.layers.retain(|wish| stays(wish));
    layers.into_iter().filter(|(wish, _)| stays(wish)).collect()
}

fn palette(image: &StillImage) -> Result<ColorStats, Failure> {
    let (width, height) = (image.width as usize, image.height as usize);
    let rgba = Rgba8::from_bytes(&image.rgba, width, height)?;
    let longer = width.max(height);
    let part = |side: usize| (side * PALETTE_SIDE.min(longer) / longer).max(1);
    let small = resize::rgba(&rgba, part(width), part(height), resize::Filter::Area)?;
    Ok(ColorStats::of_rgba(&small))
}

fn name_of(look: LookKind) -> String {
    match look {
        LookKind::Named(look) => format!("{look:?}"),
        LookKind::Colours { of: Role::Image { n }, .. } => format!("colours of @Image{n}"),
        LookKind::Colours {
            of: Role::ElementFrontal { n } | Role::ElementView { n, .. }, ..
        } => {
            format!("colours of @Element{n}")
        }
        LookKind::Colours { of: Role::Video { n }, .. } => format!("colours of @Video{n}"),
    }
}
