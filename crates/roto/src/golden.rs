//! The same inputs give the same pixels, on this machine and on any other.

use std::collections::BTreeMap;
use std::sync::Arc;

use media::Frame;

use crate::analysis::{Analyst, Questions};
use crate::fail::Failure;
use crate::footage::{Footage, Source, view};
use crate::look::{Colourist, Look, Part};
use crate::sheet::{Finish, LookKind, LookWish, LookWishes};
use crate::stages::{FinishStage, Grade, Stage};
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
    let finish = Finish { grain: 4.0, vignette: 0.5, letterbox: 0.0 };
    let mut stages: Vec<Box<dyn Stage>> = vec![
        Box::new(Grade::new(colourist, analysis, 24.0, &[])),
        Box::new(FinishStage::new(finish, (96, 64), 11)),
    ];
    let joined = Cue { at: 5.0, join: Some(Join { at: 6.0, share: 0.4 }) };
    let cues = [Cue::at(0.0), Cue::at(1.5), Cue::at(3.25), joined];
    let mut footage = Footage::new(Drifting { next: 0 }, &cues, true);
    cues.iter().enumerate().fold(0xcbf2_9ce4_8422_2325, |sum, (n, cue)| {
        let mut frame = footage.show(n, cue, |frame, _| Ok(frame)).unwrap();
        for stage in &mut stages {
            stage.apply(n, cue, &mut frame).unwrap();
        }
        hash(frame.data(), sum)
    })
}

#[test]
fn frames_are_the_same_for_any_number_of_threads() {
    let with = |threads: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(made)
    };
    assert_eq!(with(1), with(2));
    assert_eq!(with(1), with(5));
}

#[test]
fn frames_are_what_they_were() {
    assert_eq!(
        made(),
        1_182_783_500_605_622_009,
        "a change of any kernel or look changes this number: look before you do"
    );
}
