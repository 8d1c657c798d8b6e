//! Passes over a small scene: a skyline under a clear sky, a box that moves, a camera that pans.

use std::collections::BTreeMap;
use std::sync::Arc;

use director::Medium;
use kernels::Rgba8;
use media::Frame;

use super::{hash, start};
use crate::analysis::{Analyst, Questions};
use crate::footage::{blank, view, view_mut};
use crate::framing::{Canvas, Travel, Window};
use crate::look::{Colourist, Look, Part};
use crate::mask::{GATE, SkyMask};
use crate::scene::Scene;
use crate::sheet::{
    Air, EffectWish, Effects, LayerWish, Light, LookKind, LookWish, LookWishes, MediumWish, Wear,
    WeatherWish,
};
use crate::stages::{
    Elements, Grade, LightStage, MediumStage, SkyGrade, SkyStage, Stage, View, WearStage,
    WeatherStage,
};
use crate::timeline::Cue;

const SIZE: (usize, usize) = (160, 96);
const FRAMES: usize = 8;

/// Frame `n`: the camera goes right by a px a frame, the box by two.
fn footage(n: usize) -> Frame {
    let (width, height) = SIZE;
    let mut bytes = Vec::with_capacity(Frame::bytes(width as u32, height as u32));
    for y in 0..height {
        for x in 0..width {
            let at = x + n;
            let roof = 36 + 10 * ((at / 20) % 3);
            let lit = if (at / 4) % 5 == 2 && (y / 4) % 4 == 1 { 120 } else { 0 };
            let wall = 40 + (at * 7 + y * 5 + (at / 3) * (y / 4) * 3) % 70;
            let boxed = (60 + 2 * n..84 + 2 * n).contains(&x) && (60..90).contains(&y);
            bytes.push(match (boxed, y < roof) {
                (true, _) => 150 + ((x * 3 + y * 2 - 6 * n) % 40) as u8,
                (false, true) => 200 - (y / 3) as u8,
                (false, false) => (wall + lit) as u8,
            });
        }
    }
    let half = |codes: [u8; 2]| {
        let row = move |y: usize| if y < height / 4 { codes[0] } else { codes[1] };
        (0..height / 2).flat_map(move |y| std::iter::repeat_n(row(y), width / 2))
    };
    bytes.extend(half([142, 122]));
    bytes.extend(half([120, 134]));
    Frame::from_bytes(width as u32, height as u32, bytes).unwrap()
}

fn scene() -> Arc<Scene> {
    let mut analyst = Analyst::new(Questions {
        cuts: true,
        colours: true,
        likeness: true,
        subject: true,
        path: true,
        sky: true,
        flows: true,
        ..Questions::default()
    });
    for n in 0..FRAMES {
        analyst.see(view(&footage(n)).unwrap()).unwrap();
    }
    Arc::new(Scene {
        analysis: Arc::new(analyst.finish()),
        cues: Arc::new((0..FRAMES).map(|n| Cue::at(n as f64)).collect()),
        windows: Arc::new(None),
        picture: SIZE,
        screen: SIZE,
        rate: 24.0,
        seed: 11,
    })
}

/// The frames that a stage makes; each pass changes some of them.
fn through(stage: &mut dyn Stage) -> u64 {
    let (mut made, mut plain) = (start(), start());
    for n in 0..FRAMES {
        let mut frame = footage(n);
        plain = hash(frame.data(), plain);
        stage.apply(n, &Cue::at(n as f64), &mut frame).unwrap();
        made = hash(frame.data(), made);
    }
    assert_ne!(made, plain, "`{}` changes nothing", stage.name());
    made
}

pub(super) fn weather() -> u64 {
    // No lightning strikes within so few frames.
    let airs = [Air::Rain, Air::Storm, Air::Snow, Air::Fog, Air::Dust, Air::Smoke];
    airs.into_iter().fold(start(), |sum, air| {
        let wish = WeatherWish { air, strength: 0.7, when: None };
        let mut stage = WeatherStage::new(vec![wish], scene()).unwrap();
        hash(&through(&mut stage).to_le_bytes(), sum)
    })
}

fn effects<K>(kinds: impl IntoIterator<Item = K>) -> Effects<K> {
    let wish = |kind| EffectWish { kind, strength: 0.8, when: None, words: String::new() };
    Effects(kinds.into_iter().map(wish).collect())
}

pub(super) fn light() -> u64 {
    let all = [
        Light::Bloom,
        Light::LitWindows,
        Light::Neon,
        Light::GodRays,
        Light::Flare,
        Light::Backlight,
        Light::Leak,
        Light::Focus,
        Light::Blur,
        Light::Sharpen,
        Light::MotionBlur,
        Light::Fringes,
    ];
    through(&mut LightStage::new(&effects(all), scene()))
}

pub(super) fn wear() -> u64 {
    let all = [Wear::Film, Wear::Flicker, Wear::Tape, Wear::ScanLines, Wear::Glitch];
    through(&mut WearStage::new(&effects(all), SIZE, 24.0, FRAMES, 11).unwrap())
}

pub(super) fn sky() -> u64 {
    let scene = scene();
    assert!(scene.analysis.skies.surest() >= GATE, "{}", scene.analysis.skies.surest());
    let mask = SkyMask::new(Arc::clone(&scene));
    let mut picture = blank((192, 64)).unwrap();
    let (luma, blue, _) = picture.planes_mut();
    luma.iter_mut().enumerate().for_each(|(at, code)| *code = (60 + (at * 13) % 120) as u8);
    blue.fill(160);
    let mut other = SkyStage::new(mask.clone(), "sky".to_owned(), &picture, 1.0).unwrap();
    let look = LookKind::Named(Look::GoldenHour);
    let wish = LookWish { look, strength: 0.8, part: Part::All, when: None };
    let wishes = LookWishes { wishes: vec![wish] };
    let colours = scene.analysis.colours.clone();
    let colourist = Colourist::new(&wishes, BTreeMap::new(), colours, 1.0);
    let grade = Grade::new(colourist, Arc::clone(&scene.analysis), 24.0, &[]);
    let replaced = through(&mut other);
    hash(&replaced.to_le_bytes(), through(&mut SkyGrade { mask, grade }))
}

pub(super) fn elements() -> u64 {
    let disc = |x: usize, y: usize| {
        let inside = x.abs_diff(30).pow(2) + y.abs_diff(30).pow(2) < 26 * 26;
        [200 - x as u8, 30 + y as u8, 40, if inside { 255 } else { 0 }]
    };
    let role = domain::facts::Role::ElementFrontal { n: 1 };
    let view = View { role, image: Rgba8::from_fn(60, 60, disc).unwrap() };
    let wish = LayerWish {
        role,
        words: String::new(),
        side: None,
        airborne: false,
        high: false,
        scale: 1.0,
        nearness: 1.0,
        landmark: None,
        from: None,
        appears: false,
        path: None,
        when: None,
    };
    through(&mut Elements::new(vec![(wish, vec![view])], scene()).unwrap())
}

pub(super) fn medium() -> u64 {
    let all = [Medium::Oil, Medium::Watercolour, Medium::Pencil, Medium::Ink, Medium::Anime];
    all.into_iter().fold(start(), |sum, medium| {
        let wish =
            MediumWish { medium, over: None, strength: 0.8, when: None, keeps_colours: false };
        hash(&through(&mut MediumStage::new(&wish, scene())).to_le_bytes(), sum)
    })
}

/// The scene's camera over a picture that is as wide as the way asks for.
pub(super) fn camera_transfer() -> u64 {
    let scene = scene();
    let path = scene.analysis.path.as_ref().unwrap();
    let travel = Travel::of(path, &(0..FRAMES), scene.analysis.size.0);
    assert!(travel.reach() > 0.01, "{}", travel.reach());
    let moments: Vec<f64> = (0..FRAMES).map(|n| 0.8 * n as f64).collect();
    let base = vec![Window::largest(SIZE, 4.0 / 3.0); FRAMES];
    let canvas = Canvas { picture: SIZE, screen: (96, 72), windows: &base };
    let picture = footage(3);
    travel.fitted(&moments, 24.0, canvas).windows.iter().fold(start(), |sum, window| {
        let mut shown = blank((96, 72)).unwrap();
        window.show(view(&picture).unwrap(), &mut view_mut(&mut shown).unwrap());
        hash(shown.data(), sum)
    })
}
