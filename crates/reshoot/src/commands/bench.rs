//! `reshoot bench quality`: the picture metrics, on the samples.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail};
use director::{Effect, ShotPlan, Want};
use engine::{Context, Engine, OutputKind, Report, Shot};
use kernels::{Rgb8, Rgba8};
use media::still::{ImageLimits, decode_image};
use media::{CancelToken, Toolchain};
use quality::{Asked, CASES, Case, Clips, Kind, Row};
use tokio_util::sync::CancellationToken;

use crate::cli::{Inputs, QualityArgs};
use crate::commands::local::Local;
use crate::commands::unless_told;
use crate::config::{self, Installation};
use crate::exit::{Coded, NO_INPUT, USAGE};
use crate::wiring;

/// Limits on a style picture of the samples.
const LIMITS: ImageLimits = ImageLimits { max_side: 8192, max_alloc: 256 << 20 };

/// Where the figures go, and what they are made with.
struct Bench<'a> {
    args: &'a QualityArgs,
    installation: &'a Installation,
    engine: &'a dyn Engine,
    tools: Toolchain,
    cancel: CancellationToken,
}

/// Listens to nothing but the wish to stop.
struct Quiet(CancellationToken);

impl Context for Quiet {
    fn progress(&self, _: &str, _: f64) {}

    fn cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

pub(crate) fn quality(args: &QualityArgs) -> anyhow::Result<ExitCode> {
    let cases = chosen(&args.only)?;
    let installation = config::installation(&args.place, &args.intake)?;
    let engines = wiring::engines(installation.require_sandbox)?;
    let engine = wiring::engine(&engines, "roto")?;
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("`{}` cannot be made", args.out.display()))?;
    let tools = wiring::toolchain(installation.require_sandbox)?;
    let cancel = CancellationToken::new();
    let engine = engine.as_ref();
    let bench = Bench { args, installation: &installation, engine, tools, cancel };
    let mut rows = Vec::with_capacity(cases.len());
    for (n, case) in cases.iter().enumerate() {
        say(&format!("{:>2}/{} {}", n + 1, cases.len(), case.name));
        let row = unless_told(&bench.cancel, bench.row(case))?;
        for gate in row.missed() {
            say(&format!("      {}: {:.3}, {}", gate.name, gate.value, gate.allowed));
        }
        rows.push(row);
        bench.write(&rows)?;
    }
    let missed: usize = rows.iter().map(|row| row.missed().count()).sum();
    let gates: usize = rows.iter().map(|row| row.gates.len()).sum();
    let broken: Vec<&Row> = rows.iter().filter(|row| !row.faults.is_empty()).collect();
    let out = args.out.display();
    say(&format!("{} of {gates} gates passed; table, plot and sheets in {out}", gates - missed));
    for row in &broken {
        say(&format!("{}: {}", row.case, row.faults.join("; ")));
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn chosen(only: &[String]) -> anyhow::Result<Vec<&'static Case>> {
    if let Some(name) = only.iter().find(|name| CASES.iter().all(|case| case.name != **name)) {
        let names: Vec<&str> = CASES.iter().map(|case| case.name).collect();
        bail!(Coded::new(
            USAGE,
            format!("there is no case `{name}`; there are {}", names.join(", "))
        ));
    }
    let wanted = |case: &&Case| only.is_empty() || only.iter().any(|name| name == case.name);
    Ok(CASES.iter().filter(wanted).collect())
}

/// Progress, on stderr.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

// === impl Bench ===

impl Bench<'_> {
    /// Renders a case and measures it.
    async fn row(&self, case: &Case) -> anyhow::Result<Row> {
        let scratch = tempfile::tempdir().context("no scratch folder")?;
        let inputs = self.inputs(case);
        let local = Local::take(self.installation, &inputs, scratch.path(), &self.cancel).await?;
        let dir = scratch.path().join("run");
        std::fs::create_dir(&dir)?;
        let mut shot =
            worker::shot::shot(local.model()?, &local.inputs, &local.facts, &dir, |input| {
                local.artifacts.local_path(&input.artifact)
            })?;
        strip(&mut shot.plan);
        self.resize(&mut shot);
        let asked = asked(&shot)?;
        let take = self.engine.generate(&shot, &Quiet(self.cancel.clone()))?;
        let made = take.outputs.first().ok_or_else(|| anyhow!("the engine made nothing"))?;
        let kept = self.args.out.join(format!("{}.mp4", case.name));
        std::fs::copy(&made.path, &kept)
            .with_context(|| format!("`{}` cannot be written", kept.display()))?;
        self.measured(case, &kept, asked, &take.report)
    }

    fn inputs(&self, case: &Case) -> Inputs {
        let file = |name: &&str| self.args.samples.join(name).display().to_string();
        Inputs {
            prompt: case.prompt.to_owned(),
            video: Some(file(&case.video)),
            image: case.images.iter().map(file).collect(),
            element: case.elements.iter().map(file).collect(),
            aspect_ratio: Some(case.ratio.to_owned()),
            duration: Some(case.secs.to_string()),
            keep_audio: true,
            model: self.args.model.clone(),
        }
    }

    /// Renders at another size, the shorter side given: for a quick look.
    fn resize(&self, shot: &mut Shot) {
        let Some(side) = self.args.side else { return };
        for output in &mut shot.outputs {
            if let OutputKind::Video { width, height, .. } = &mut output.kind {
                let shorter = (*width).min(*height).max(1);
                let scaled = |long: u32| (long * side / shorter / 2 * 2).max(16);
                (*width, *height) = (scaled(*width), scaled(*height));
            }
        }
    }

    fn measured(
        &self,
        case: &Case,
        clip: &Path,
        asked: Asked,
        report: &Report,
    ) -> anyhow::Result<Row> {
        let cancel = CancelToken::new();
        let source = self.args.samples.join(case.video);
        let clips = Clips::read(&self.tools, &source, clip, &cancel)?;
        let style = match (case.kind, case.images) {
            (Kind::Style, [image, ..]) => Some(picture(&self.args.samples.join(image))?),
            _ => None,
        };
        let mut scores = quality::scores(case, &clips, style.as_ref())?;
        scores.element_identity = report.metrics.get("element_identity").copied();
        quality::sheet(&clips, &self.args.out.join(format!("{}.png", case.name)))?;
        let probed = media::probe_video(&self.tools, &source, &cancel)?;
        let asked = Asked { sound: asked.sound && probed.audio.is_some(), ..asked };
        Ok(Row {
            case: case.name.to_owned(),
            prompt: case.prompt.to_owned(),
            passes: report.passes.iter().map(|pass| pass.name.clone()).collect(),
            unmet: report.unmet.iter().map(|u| format!("{}: {}", u.words, u.reason)).collect(),
            gates: scores.gates(case.kind),
            scores,
            faults: quality::technical(&self.tools, clip, asked, &cancel)?,
        })
    }

    fn write(&self, rows: &[Row]) -> anyhow::Result<()> {
        let file = |name: &str| -> PathBuf { self.args.out.join(name) };
        std::fs::write(file("quality.md"), quality::markdown(rows))?;
        std::fs::write(file("quality.svg"), quality::plot(rows))?;
        std::fs::write(file("quality.json"), serde_json::to_vec_pretty(rows)?)?;
        Ok(())
    }
}

/// Takes weather and grain out: they change every frame by design and hide what lies below.
fn strip(plan: &mut ShotPlan) {
    plan.wishes.retain(|wish| {
        !matches!(wish.want, Want::Weather { .. } | Want::Effect { effect: Effect::Grain })
    });
}

fn asked(shot: &Shot) -> anyhow::Result<Asked> {
    match shot.outputs.first().map(|output| output.kind) {
        Some(OutputKind::Video { width, height, fps, frames }) => {
            Ok(Asked { width, height, fps, frames, sound: shot.keep_sound })
        }
        _ => bail!("the model makes no video"),
    }
}

fn picture(path: &Path) -> anyhow::Result<Rgb8> {
    let missing = || Coded::new(NO_INPUT, format!("`{}` cannot be read", path.display()));
    let bytes = std::fs::read(path).map_err(|_| missing())?;
    let still = decode_image(&bytes, LIMITS)?;
    Ok(Rgba8::from_bytes(&still.rgba, still.width as usize, still.height as usize)?.to_rgb())
}
