//! The engine that needs no weights: it repaints, regrades, retimes, re-frames and extends the
//! reference with what the request brings, on a CPU, and never claims to invent content.
//!
//! ```text
//! plan -> sheet -> analysis -> timeline, windows, stages -> decode > time > frame > stages > encode
//! ```
//!
//! | module | what |
//! |---|---|
//! | `sheet` | which wish goes to which pass, and what is unmet |
//! | `analysis` | cuts, colours, likeness, subject, camera path; only what is asked for |
//! | `timeline`, `footage` | which moment each frame shows, and the frames between frames |
//! | `framing` | the window over the picture |
//! | `mask`, `movers` | which part of a frame is sky; which moves by itself, before its background |
//! | `scene` | where things of the scene are on the screen |
//! | `stages` | pictures, sky, background, elements, grade, weather, light, medium, wear, finish, in this order; strokes come before the grade and after the weather |
//! | `look` | named looks and colour transfer as one table a shot |
//! | `run` | the threads, the files, the report |
//! | `honours` | what it does in general, for people |
//!
//! Invariant: the frames of a clip are a function of the inputs, the plan and the seed; neither
//! threads nor time have a part in them.

mod analysis;
mod envelope;
mod fail;
mod footage;
mod framing;
#[cfg(test)]
mod golden;
mod honours;
mod look;
mod mask;
mod movers;
mod run;
mod scene;
mod sheet;
mod stages;
mod timeline;

use std::sync::Arc;

use director::{NeedKind, ShotPlan};
use domain::Clock;
use domain::facts::{Facts, InputFacts};
use engine::{Assessment, Context, Engine, EngineError, Honour, Report, Shot, Take};
use media::{CancelToken, Toolchain};

use run::Run;
use sheet::Sheet;

/// CPU seconds of decode and encode for one second of a 720p clip.
const BASE_CPU: f64 = 0.5;

/// The engine.
pub struct Roto {
    tools: Toolchain,
    clock: Arc<dyn Clock>,
}

// === impl Roto ===

impl Roto {
    /// An engine that starts ffmpeg through `tools` and takes times from `clock`.
    pub fn new(tools: Toolchain, clock: Arc<dyn Clock>) -> Self {
        Self { tools, clock }
    }
}

impl Engine for Roto {
    fn name(&self) -> &'static str {
        "roto"
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn honours(&self) -> &'static [Honour] {
        honours::HONOURS
    }

    fn assess(&self, plan: &ShotPlan, facts: Option<&Facts>) -> Assessment {
        let sheet = Sheet::of(plan, facts);
        Assessment {
            honoured: sheet.passes(plan),
            cpu_secs: cpu_secs(&sheet, plan),
            unmet: sheet.unmet,
        }
    }

    fn generate(&self, shot: &Shot, context: &dyn Context) -> Result<Take, EngineError> {
        if shot.outputs.is_empty() {
            return Err(EngineError::Unsupported { message: "no output is asked for".to_owned() });
        }
        let facts = facts_of(shot);
        let sheet = Sheet::of(&shot.plan, Some(&facts));
        let made_by = format!("reshoot, engine {} {}", self.name(), self.version());
        let cancel = CancelToken::new();
        let run = Run { tools: &self.tools, clock: &*self.clock, shot, context, cancel, made_by };
        let (take, recorder) = run.all(sheet)?;
        let (passes, metrics) = recorder.finish();
        context.progress("done", 1.0);
        let report = Report {
            engine: self.name().to_owned(),
            version: self.version().to_owned(),
            passes,
            metrics,
            unmet: take.report.unmet,
        };
        Ok(Take { report, ..take })
    }
}

/// What is known of a shot's inputs, as an assessment takes it.
fn facts_of(shot: &Shot) -> Facts {
    let facts = |input: &engine::ShotInput| InputFacts {
        pointer: String::new(),
        role: input.role,
        artifact: String::new(),
        bytes: 0,
        sha256: input.sha256.clone(),
        media: input.media.clone(),
    };
    Facts(shot.inputs.iter().map(facts).collect())
}

/// A guess, for ordering and display.
fn cpu_secs(sheet: &Sheet, plan: &ShotPlan) -> f64 {
    let needs = |wanted: fn(&NeedKind) -> bool| plan.needs.iter().any(|need| wanted(&need.kind));
    let mut a_second = BASE_CPU;
    let mut add = |wanted: bool, secs: f64| {
        if wanted {
            a_second += secs;
        }
    };
    let reframes = needs(|need| matches!(need, NeedKind::Reframe { .. }));
    let fits = needs(|need| matches!(need, NeedKind::FitLength { .. }));
    add(!sheet.looks.is_empty(), 0.45);
    add(sheet.framing.moves_frame() || reframes, 0.6);
    add(sheet.timing.changes_time() || fits, 0.6);
    add(!sheet.layers.is_empty(), 0.7);
    add(!sheet.apart.is_empty(), 2.0);
    add(!sheet.weather.is_empty(), 0.8);
    add(!sheet.styles.is_empty(), 8.0);
    add(!sheet.light.is_empty(), 0.4);
    add(!sheet.wear.is_empty(), 0.5);
    add(!sheet.media.is_empty(), 0.9);
    add(!sheet.finish.is_empty(), 0.25);
    a_second * f64::from(plan.length_secs)
}
