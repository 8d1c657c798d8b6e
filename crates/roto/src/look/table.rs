//! From wishes to one table a shot.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::facts::Role;
use kernels::Lut33;
use kernels::color::{lab_to_rgb, rgb_to_lab};
use kernels::transfer::{ColorStats, Transfer};

use super::tones::mix;
use crate::envelope;
use crate::sheet::{LookKind, LookWish, LookWishes};

/// Steps of a gradual wish: each is a table of its own.
const STEPS: f32 = 64.0;

/// Makes and keeps the tables of a clip.
pub(crate) struct Colourist {
    wishes: Vec<LookWish>,
    pictures: BTreeMap<Role, ColorStats>,
    shots: Vec<ColorStats>,
    length_secs: f64,
    kept: BTreeMap<usize, (Vec<u8>, Arc<Lut33>)>,
}

/// One change, ready to be applied to a colour.
enum Step<'a> {
    Look(&'a LookWish, crate::look::Look, f32),
    Transfer(&'a LookWish, Box<Transfer>, f32),
}

// === impl Colourist ===

impl Colourist {
    /// `pictures` are the colours of the input pictures, `shots` those of the reference's shots in
    /// their order. A picture that is missing changes nothing.
    pub(crate) fn new(
        wishes: &LookWishes,
        pictures: BTreeMap<Role, ColorStats>,
        shots: Vec<ColorStats>,
        length_secs: f64,
    ) -> Self {
        let wishes = wishes.wishes.clone();
        Self { wishes, pictures, shots, length_secs, kept: BTreeMap::new() }
    }

    /// The table of a shot at `secs` of the clip.
    pub(crate) fn table(&mut self, shot: usize, secs: f64) -> Arc<Lut33> {
        let key: Vec<u8> = self
            .wishes
            .iter()
            .map(|wish| (envelope::share(wish.when, secs, self.length_secs) * STEPS + 0.5) as u8)
            .collect();
        if let Some((kept, table)) = self.kept.get(&shot)
            && *kept == key
        {
            return Arc::clone(table);
        }
        let table = Arc::new(self.make(shot, &key));
        self.kept.insert(shot, (key, Arc::clone(&table)));
        table
    }

    fn make(&self, shot: usize, shares: &[u8]) -> Lut33 {
        let nothing = ColorStats::new();
        let scene = self.shots.get(shot).or(self.shots.first()).unwrap_or(&nothing);
        let lightness = scene.mean()[0] as f32;
        let steps: Vec<Step<'_>> = self
            .wishes
            .iter()
            .zip(shares)
            .filter_map(|(wish, &share)| self.step(wish, f32::from(share) / STEPS, scene))
            .collect();
        Lut33::from_rgb(|rgb| {
            let mut now = rgb;
            for step in &steps {
                now = step.apply(now, lightness);
            }
            now.map(|c| c.clamp(0.0, 1.0))
        })
    }

    fn step<'a>(&self, wish: &'a LookWish, share: f32, scene: &ColorStats) -> Option<Step<'a>> {
        match wish.look {
            LookKind::Named(look) => {
                Some(Step::Look(wish, look, share * look.share(wish.strength)))
            }
            LookKind::Colours { of, light } => {
                let goal = self.pictures.get(&of)?;
                let transfer = if light {
                    Transfer::refined(scene, goal)
                } else {
                    Transfer::between(scene, goal)
                };
                let strength = (wish.strength / 0.8).min(1.0);
                Some(Step::Transfer(wish, Box::new(transfer), share * strength))
            }
        }
    }
}

// === impl Step ===

impl Step<'_> {
    fn apply(&self, rgb: [f32; 3], lightness: f32) -> [f32; 3] {
        let clamped = rgb.map(|c| c.clamp(0.0, 1.0));
        match self {
            Self::Look(wish, look, share) => {
                let part = wish.part.weight(clamped);
                mix(rgb, look.full(clamped, lightness), share * part)
            }
            Self::Transfer(wish, transfer, share) => {
                let part = share * wish.part.weight(clamped);
                let lab = rgb_to_lab(clamped);
                let moved = transfer.lab(lab);
                lab_to_rgb(mix(lab, moved, part))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use director::When;

    use super::*;
    use crate::look::{Look, Part};

    fn wish(look: Look, when: Option<When>) -> LookWishes {
        let look = LookKind::Named(look);
        LookWishes { wishes: vec![LookWish { look, strength: 0.7, part: Part::All, when }] }
    }

    fn shot(lightness: f32) -> ColorStats {
        let mut stats = ColorStats::new();
        stats.add([lightness, 0.0, 0.0], 1.0);
        stats
    }

    #[test]
    fn a_shot_keeps_one_table() {
        let mut colourist =
            Colourist::new(&wish(Look::Night, None), BTreeMap::new(), vec![shot(60.0)], 5.0);
        let first = colourist.table(0, 0.0);
        assert!(Arc::ptr_eq(&first, &colourist.table(0, 4.9)));
    }

    #[test]
    fn shots_of_different_light_get_different_tables() {
        let shots = vec![shot(80.0), shot(20.0)];
        let mut colourist = Colourist::new(&wish(Look::Night, None), BTreeMap::new(), shots, 5.0);
        let grey = [126, 128, 128];
        let (bright, dark) =
            (colourist.table(0, 0.0).code(grey), colourist.table(1, 0.0).code(grey));
        assert!(bright[0] + 8 < dark[0], "{bright:?} {dark:?}");
    }

    #[test]
    fn a_gradual_look_starts_from_nothing() {
        let wishes = wish(Look::Mono, Some(When::Gradually));
        let mut colourist = Colourist::new(&wishes, BTreeMap::new(), vec![shot(50.0)], 5.0);
        let red = [90, 100, 180];
        assert!(colourist.table(0, 0.0).code(red)[2].abs_diff(180) <= 1);
        let end = colourist.table(0, 5.0).code(red);
        assert!(end[2].abs_diff(128) <= 1, "{end:?}");
    }

    #[test]
    fn a_picture_lends_its_colours() {
        let mut blue = ColorStats::new();
        let mut grey = ColorStats::new();
        for l in 20..80 {
            blue.add([l as f32 * 0.8, 5.0, -40.0], 1.0);
            grey.add([l as f32, 0.0, 0.0], 1.0);
        }
        let role = Role::Image { n: 1 };
        let look = LookKind::Colours { of: role, light: true };
        let wishes = LookWishes {
            wishes: vec![LookWish { look, strength: 0.8, part: Part::All, when: None }],
        };
        let pictures = BTreeMap::from([(role, blue)]);
        let mut colourist = Colourist::new(&wishes, pictures, vec![grey], 5.0);
        let moved = colourist.table(0, 0.0).code([126, 128, 128]);
        assert!(moved[1] > 150, "{moved:?}");
    }
}
