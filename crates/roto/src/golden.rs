//! The same inputs give the same pixels, on this machine and on any other.
//!
//! `golden/hashes.txt` holds a number for the frames of each pass. A change of any kernel or look
//! changes some of them: look at the frames, then take them anew with
//! `GOLDEN=retake cargo test -p roto golden`.

mod passes;

use std::collections::BTreeMap;
use std::sync::Arc;

use kernels::Rgb8;
use kernels::repaint::Mix;
use kernels::simd::{self, Level};
use kernels::stylize::{Exemplar, Picture, Settings};
use media::Frame;

use crate::analysis::{Analyst, Questions};
use crate::fail::Failure;
use crate::footage::{Footage, Source, view};
use crate::look::{Colourist, Look, Part};
use crate::scene::Scene;
use crate::sheet::{Finish, LookKind, LookWish, LookWishes};
use crate::stages::strips::Strip;
use crate::stages::{FinishStage, Grade, Likeness, Pace, Palette, Passing, Stage, Strokes};
use crate::timeline::{Cue, Join};

const SIZE: (u32, u32) = (96, 64);

/// A texture that moves by two px a frame.
struct Drifting {
    next: u32,
}

impl Source for Drifting {
    fn next(&mut self) -> Result<Option<Frame>, Failure> {
        let n = self.next;
        self.next += 1;
        Ok(Some(picture(n)))
    }

    fn go_to(&mut self, frame: usize) -> Result<(), Failure> {
        self.next = frame as u32;
        Ok(())
    }
}

fn picture(n: u32) -> Frame {
    let mut bytes = Vec::with_capacity(Frame::bytes(SIZE.0, SIZE.1));
    for y in 0..SIZE.1 {
        for x in 0..SIZE.0 {
            let (u, v) = ((x + 2 * n) / 5, y / 4);
            bytes.push((40 + (u * 37 + v * 61 + u * v * 7) % 170) as u8);
        }
    }
    bytes.extend((0..SIZE.0 * SIZE.1 / 2).map(|i| (100 + (i / 13) % 60) as u8));
    Frame::from_bytes(SIZE.0, SIZE.1, bytes).unwrap()
}

/// The hash of nothing.
fn start() -> u64 {
    0xcbf2_9ce4_8422_2325
}

/// FNV-1a, 64 bits.
fn hash(bytes: &[u8], start: u64) -> u64 {
    bytes.iter().fold(start, |hash, &b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

fn made() -> u64 {
    let mut analyst = Analyst::new(Questions { cuts: true, colours: true, ..Questions::default() });
    for n in 0..8 {
        analyst.see(view(&picture(n)).unwrap()).unwrap();
    }
    let analysis = Arc::new(analyst.finish());
    let look =
        |look| LookWish { look: LookKind::Named(look), strength: 0.7, part: Part::All, when: None };
    let wishes = LookWishes { wishes: vec![look(Look::GoldenHour), look(Look::TealOrange)] };
    let colours = analysis.colours.clone();
    let colourist = Colourist::new(&wishes, BTreeMap::new(), colours, 1.0);
    let finish = Finish { grain: 4.0, vignette: 0.5, ..Finish::default() };
    let mut stages: Vec<Box<dyn Stage>> = vec![
        Box::new(Grade::new(colourist, analysis, 24.0, &[])),
        Box::new(FinishStage::new(finish, (96, 64), 11)),
    ];
    let joined = Cue { at: 5.0, join: Some(Join { at: 6.0, share: 0.4 }) };
    let cues = [Cue::at(0.0), Cue::at(1.5), Cue::at(3.25), joined];
    let mut footage = Footage::new(Drifting { next: 0 }, &cues, true);
    cues.iter().enumerate().fold(start(), |sum, (n, cue)| {
        let mut frame = footage.show(n, cue, |frame, _| Ok(frame)).unwrap();
        for stage in &mut stages {
            stage.apply(n, cue, &mut frame).unwrap();
        }
        hash(frame.data(), sum)
    })
}

/// Eight painted frames: two keys, and what is carried between them.
fn painted() -> u64 {
    let frames = 8;
    let pixel = |x: usize, y: usize| {
        let stroke = 90 + (x * 13 + y * 5 + (x / 7) * (y / 5) * 11) % 120;
        [stroke as u8, (stroke / 2 + y) as u8, (200 - stroke / 2) as u8]
    };
    let picture_of = Rgb8::from_fn(96, 80, pixel).unwrap();
    let exemplar = Exemplar::new(&[Picture { image: &picture_of, weight: 1.0 }]).unwrap();
    let mut analyst = Analyst::new(Questions { tones: true, ..Questions::default() });
    for n in 0..frames {
        analyst.see(view(&picture(n)).unwrap()).unwrap();
    }
    let scene = Arc::new(Scene {
        analysis: Arc::new(analyst.finish()),
        cues: Arc::new((0..frames).map(|n| Cue::at(f64::from(n))).collect()),
        windows: Arc::new(None),
        picture: (96, 64),
        screen: (96, 64),
        rate: 24.0,
        seed: 11,
    });
    let mix = Mix { amount: 0.8, light: 1.0, colour: 1.0, detail: 0.3 };
    let parameters = serde_json::Value::Null;
    let palette = Palette { exemplar, settings: Settings::default(), mix, parameters };
    let strip = Strip { wish: 0, shot: 0, frames: 0..8, keys: vec![1, 6], weights: vec![1.0; 8] };
    let likeness = Likeness::new(&picture_of, 8, 24.0).unwrap();
    let mut stage = Strokes::new(vec![palette], vec![strip], scene, likeness);
    let mut sum = start();
    let mut give = |passing: Passing| {
        sum = hash(passing.frame.data(), sum);
        Ok(())
    };
    for n in 0..frames {
        let passing = Passing { n: n as usize, cue: Cue::at(f64::from(n)), frame: picture(n) };
        stage.take(passing, &Idle, &mut give).unwrap();
    }
    stage.end(&Idle, &mut give).unwrap();
    sum
}

struct Idle;

impl Pace for Idle {
    fn work(&self, _: f64) -> Result<(), Failure> {
        Ok(())
    }
}

/// Makes frames and gives their hash.
type Maker = fn() -> u64;

/// What is recorded, by name.
const RECORDED: [(&str, Maker); 9] = [
    ("grade, time, finish", made),
    ("strokes", painted),
    ("weather", passes::weather),
    ("light", passes::light),
    ("wear", passes::wear),
    ("sky", passes::sky),
    ("elements", passes::elements),
    ("medium", passes::medium),
    ("camera transfer", passes::camera_transfer),
];

const HASHES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/golden/hashes.txt");

#[test]
fn frames_are_the_same_at_any_simd_level_and_number_of_threads() {
    for (name, make) in RECORDED {
        let plain = make();
        for level in [Level::Baseline, Level::Avx2] {
            for threads in [1, 2] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let made = simd::at_most(level, || pool.install(make));
                assert_eq!(made, plain, "{name}: {level:?}, {threads} threads");
            }
        }
    }
}

#[test]
fn frames_are_what_they_were() {
    let lines = RECORDED.map(|(name, make)| format!("{name}: {:016x}\n", make()));
    if std::env::var_os("GOLDEN").is_some_and(|how| how == "retake") {
        std::fs::write(HASHES, lines.concat()).unwrap();
    }
    let recorded = std::fs::read_to_string(HASHES).unwrap();
    let changed: Vec<&String> =
        lines.iter().filter(|line| !recorded.contains(line.as_str())).collect();
    assert!(
        changed.is_empty() && recorded.lines().count() == lines.len(),
        "frames changed: look at them, then run `GOLDEN=retake cargo test -p roto golden`: \
         {changed:?}"
    );
}
