//! The strokes of style pictures, carried by the clip's own motion.
//!
//! Frames are held until the key that follows them is painted: then the painting runs back from
//! it, meets the one that ran forward from the key before, and the frames are let go. At most the
//! frames between two keys are held. Strips (see [`super::strips`]) are independent of each other.
//!
//! Every painting reads the frame as it comes in: elements and weather are painted too.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use kernels::flow::{self, FlowImage, FlowParams};
use kernels::interpolate;
use kernels::repaint::{self, Mix};
use kernels::stylize::{Exemplar, Guide, Painted, Painter, Settings, Tone};
use kernels::{FlowPair, ShapeError, Yuv420};
use media::Frame;
use serde_json::{Value, json};

use super::likeness::Likeness;
use super::strips::Strip;
use super::{Give, Pace, Passing, Stage};
use crate::fail::{Failure, internal};
use crate::footage::{view, view_mut};
use crate::scene::Scene;
use crate::timeline::Cue;

/// Cost of a painting in units of a plain frame's decoding and encoding.
const PAINTING: f64 = 5.0;

/// Cost of the motion between two frames, in the same units.
const MOTION: f64 = 1.0;

/// What one wish paints with.
pub(crate) struct Palette {
    pub(crate) exemplar: Exemplar,
    pub(crate) settings: Settings,
    pub(crate) mix: Mix,
    /// Names, sizes and weights, for the report.
    pub(crate) parameters: Value,
}

/// Paints the clip.
pub(crate) struct Strokes {
    palettes: Vec<Palette>,
    scene: Arc<Scene>,
    runs: Vec<Run>,
    held: VecDeque<Held>,
    before: Option<(usize, FlowImage)>,
    likeness: Likeness,
}

/// A strip and what of it is painted.
struct Run {
    strip: Strip,
    tone: Tone,
    latest: Option<(usize, Arc<Painted>)>,
    /// Paintings that ran forward, with their guides, and wait for those that run back.
    ahead: BTreeMap<usize, (Arc<Painted>, Guide)>,
}

/// A frame that waits.
struct Held {
    passing: Passing,
    /// Motion from the frame before to this one, and back.
    motion: Option<FlowPair>,
    /// Finished paintings, by run.
    painted: Vec<(usize, Yuv420)>,
}

// === impl Strokes ===

impl Strokes {
    /// One palette for each wish; `styles` are small copies of all pictures, to measure against.
    pub(crate) fn new(
        palettes: Vec<Palette>,
        strips: Vec<Strip>,
        scene: Arc<Scene>,
        likeness: Likeness,
    ) -> Self {
        let run = |strip: Strip| {
            let tones = scene.analysis.tones.get(strip.shot);
            let palette = palettes.get(strip.wish);
            let tone = match (palette, tones) {
                (Some(palette), Some(tones)) => Tone::of(&palette.exemplar, tones),
                _ => Tone::identity(),
            };
            Run { strip, tone, latest: None, ahead: BTreeMap::new() }
        };
        let runs = strips.into_iter().map(run).collect();
        Self { palettes, scene, runs, held: VecDeque::new(), before: None, likeness }
    }

    /// Motion to a frame from the one before it, where one strip holds both.
    fn motion(&mut self, n: usize, frame: &Frame) -> Result<Option<FlowPair>, Failure> {
        let image = FlowImage::new(view(frame)?.y(), FlowParams::default());
        let needed =
            self.runs.iter().any(|run| run.strip.frames.contains(&n) && n > run.strip.frames.start);
        let before = self.before.replace((n, image));
        match (before, &self.before) {
            (Some((m, from)), Some((_, to))) if needed && m + 1 == n => {
                Ok(Some(flow::pair(&from, to)?))
            }
            _ => Ok(None),
        }
    }

    /// Paints what frame `n`, the newest, allows to paint.
    fn advance(&mut self, index: usize, n: usize, pace: &dyn Pace) -> Result<(), Failure> {
        let (Some(run), Some(newest)) = (self.runs.get_mut(index), self.held.back()) else {
            return Ok(());
        };
        let Some(palette) = self.palettes.get(run.strip.wish) else { return Ok(()) };
        let frame = view(&newest.passing.frame)?;
        let painter = Painter::new(&palette.exemplar, frame.size(), palette.settings)?;
        let is_key = run.strip.is_key(n);
        if run.latest.is_none() && !is_key {
            return Ok(());
        }
        let guide = Guide::new(frame, &run.tone);
        if is_key {
            let seed = self.scene.seed ^ (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let motion = newest.motion.as_ref();
            let before = run.latest.as_ref().zip(motion).filter(|((m, _), _)| m + 1 == n);
            let before = before
                .map(|((_, latest), motion)| painter.carry(latest, &motion.backward, &guide))
                .transpose()?;
            let key = Arc::new(painter.key(&guide, before.as_ref(), seed)?);
            pace.work(PAINTING)?;
            back(index, run, &painter, (n, &key), &mut self.held, pace)?;
            finish(&mut self.held, n, index, painter.frame(&key)?);
            run.latest = Some((n, key));
            return Ok(());
        }
        let Some((m, latest)) = &run.latest else { return Ok(()) };
        let motion = newest.motion.as_ref().filter(|_| m + 1 == n);
        let Some(motion) = motion else { return Err(internal("a painting lost its motion")) };
        let painted = Arc::new(painter.carry(latest, &motion.backward, &guide)?);
        pace.work(PAINTING)?;
        if n > run.strip.last_key() {
            finish(&mut self.held, n, index, painter.frame(&painted)?);
        } else {
            run.ahead.insert(n, (Arc::clone(&painted), guide));
        }
        run.latest = Some((n, painted));
        Ok(())
    }

    /// Lets the frames go whose paintings are all there.
    fn release(&mut self, give: Give<'_>) -> Result<(), Failure> {
        while let Some(first) = self.held.front() {
            let n = first.passing.n;
            let wanted = self.runs.iter().filter(|run| run.strip.frames.contains(&n)).count();
            if first.painted.len() < wanted {
                return Ok(());
            }
            let Some(Held { mut passing, motion, painted }) = self.held.pop_front() else {
                return Ok(());
            };
            let source = passing.frame.clone();
            self.show(n, &painted, &mut passing.frame)?;
            self.likeness.see(&source, &passing.frame, motion.as_ref())?;
            give(passing)?;
        }
        Ok(())
    }

    /// Puts the paintings of a frame over it.
    fn show(
        &self,
        n: usize,
        painted: &[(usize, Yuv420)],
        frame: &mut Frame,
    ) -> Result<(), Failure> {
        let (mut sum, mut whole): (f32, Option<(Yuv420, Mix)>) = (0.0, None);
        for (index, picture) in painted {
            let Some(run) = self.runs.get(*index) else { continue };
            let Some(palette) = self.palettes.get(run.strip.wish) else { continue };
            let weight = run.strip.weight(n);
            sum += weight;
            whole = Some(match whole {
                None => (picture.clone(), palette.mix),
                Some((other, mix)) => {
                    let share = weight / sum.max(f32::MIN_POSITIVE);
                    (dissolve(&other, picture, share)?, between(mix, palette.mix, share))
                }
            });
        }
        let Some((picture, mix)) = whole else { return Ok(()) };
        let share = sum.min(1.0);
        let mix = Mix { amount: mix.amount * share, detail: mix.detail * share, ..mix };
        let source = frame.clone();
        let mut out = view_mut(frame)?;
        repaint::over(view(&source)?, picture.as_ref(), mix, &mut out)?;
        Ok(())
    }
}

/// Runs back from a key to the one before, or to the strip's start, and finishes what lies
/// between.
fn back(
    index: usize,
    run: &mut Run,
    painter: &Painter<'_>,
    (key_at, key): (usize, &Arc<Painted>),
    held: &mut VecDeque<Held>,
    pace: &dyn Pace,
) -> Result<(), Failure> {
    let before = run.strip.key_before(key_at);
    let first = before.map_or(run.strip.frames.start, |before| before + 1);
    let Some(oldest) = held.front().map(|held| held.passing.n) else { return Ok(()) };
    let mut latest = Arc::clone(key);
    for n in (first.max(oldest)..key_at).rev() {
        let at = n - oldest;
        let (Some(own), Some(next)) = (held.get(at), held.get(at + 1)) else { break };
        let Some(motion) = &next.motion else {
            return Err(internal("a painting lost its motion"));
        };
        let (ahead, guide) = match run.ahead.remove(&n) {
            Some((ahead, guide)) => (Some(ahead), guide),
            None => (None, Guide::new(view(&own.passing.frame)?, &run.tone)),
        };
        latest = Arc::new(painter.carry(&latest, &motion.forward, &guide)?);
        pace.work(PAINTING)?;
        let picture = match (before, ahead) {
            (Some(before), Some(ahead)) => {
                let share = (n - before) as f32 / (key_at - before) as f32;
                painter.between(&ahead, &latest, share)?
            }
            _ => painter.frame(&latest)?,
        };
        finish(held, n, index, picture);
    }
    run.ahead.clear();
    Ok(())
}

fn finish(held: &mut VecDeque<Held>, n: usize, index: usize, picture: Yuv420) {
    let oldest = held.front().map_or(0, |held| held.passing.n);
    if let Some(held) = n.checked_sub(oldest).and_then(|at| held.get_mut(at)) {
        held.painted.push((index, picture));
        held.painted.sort_by_key(|(index, _)| *index);
    }
}

fn dissolve(a: &Yuv420, b: &Yuv420, share: f32) -> Result<Yuv420, ShapeError> {
    let mut out = a.clone();
    interpolate::blend(a.as_ref(), b.as_ref(), share, &mut out.as_mut())?;
    Ok(out)
}

fn between(a: Mix, b: Mix, share: f32) -> Mix {
    let mix = |a: f32, b: f32| a + share * (b - a);
    Mix {
        amount: mix(a.amount, b.amount),
        light: mix(a.light, b.light),
        colour: mix(a.colour, b.colour),
        detail: mix(a.detail, b.detail),
    }
}

impl Stage for Strokes {
    fn name(&self) -> &'static str {
        "style"
    }

    fn parameters(&self) -> Value {
        let wishes: Vec<Value> = self
            .palettes
            .iter()
            .map(|palette| {
                json!({
                    "pictures": palette.parameters,
                    "painted": palette.mix.amount,
                    "light": palette.mix.light,
                    "colour": palette.mix.colour,
                    "source_detail": palette.mix.detail,
                    "structure": palette.settings.structure,
                    "colours": palette.settings.colour,
                })
            })
            .collect();
        let keys: Vec<&Vec<usize>> = self.runs.iter().map(|run| &run.strip.keys).collect();
        json!({ "styles": wishes, "keyframes": keys })
    }

    fn apply(&mut self, n: usize, _: &Cue, frame: &mut Frame) -> Result<(), Failure> {
        let mut painted = Vec::new();
        for (index, run) in self.runs.iter().enumerate() {
            let palette = self.palettes.get(run.strip.wish);
            let Some(palette) = palette.filter(|_| run.strip.frames.contains(&n)) else { continue };
            let frame = view(frame)?;
            let painter = Painter::new(&palette.exemplar, frame.size(), palette.settings)?;
            let key = painter.key(&Guide::new(frame, &run.tone), None, self.scene.seed)?;
            painted.push((index, painter.frame(&key)?));
        }
        self.show(n, &painted, frame)
    }

    fn take(&mut self, passing: Passing, pace: &dyn Pace, give: Give<'_>) -> Result<(), Failure> {
        let n = passing.n;
        let motion = self.motion(n, &passing.frame)?;
        pace.work(MOTION)?;
        self.held.push_back(Held { passing, motion, painted: Vec::new() });
        for index in 0..self.runs.len() {
            if self.runs.get(index).is_some_and(|run| run.strip.frames.contains(&n)) {
                self.advance(index, n, pace)?;
            }
        }
        self.runs.iter_mut().filter(|run| run.strip.frames.end <= n + 1).for_each(|run| {
            run.latest = None;
        });
        self.release(give)
    }

    fn end(&mut self, _: &dyn Pace, give: Give<'_>) -> Result<(), Failure> {
        self.release(give)?;
        if self.held.is_empty() { Ok(()) } else { Err(internal("a frame was not painted")) }
    }

    fn effort(&self) -> f64 {
        let paintings: usize = self.runs.iter().map(|run| run.strip.paintings()).sum();
        PAINTING * paintings as f64 + MOTION * self.scene.cues.len() as f64
    }

    fn metrics(&self) -> Vec<(&'static str, f64)> {
        self.likeness.metrics()
    }
}
