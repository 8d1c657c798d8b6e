//! A compact rendering of a plan, for snapshots.

use std::fmt::Write as _;

use director::{Brief, DEFAULT_STRENGTH, ShotPlan, plan};

/// `prompt` for a request with two images and two elements.
pub(crate) fn brief(prompt: &str) -> Brief {
    Brief { prompt: prompt.to_owned(), images: 2, elements: 2, ..Brief::default() }
}

/// Plans each prompt and renders all plans.
pub(crate) fn render_all(prompts: &[&str]) -> String {
    prompts.iter().map(|prompt| render(&plan(&brief(prompt), None))).collect::<Vec<_>>().join("\n")
}

/// One plan: a line for each thing in it. Wishes that the prompt did not cause are left out.
pub(crate) fn render(plan: &ShotPlan) -> String {
    let mut out = format!("> {}\n", plan.prompt);
    let json = |value: serde_json::Value| match value {
        serde_json::Value::Object(map) => map
            .values()
            .map(|value| value.to_string().replace('"', ""))
            .collect::<Vec<_>>()
            .join(" "),
        other => other.to_string(),
    };
    for task in plan.tasks() {
        let _ = writeln!(out, "  task {}", json(value(task)));
    }
    for wish in &plan.wishes {
        let Some(words) = &wish.words else { continue };
        let _ = write!(out, "  wish {}", json(value(&wish.want)));
        if wish.strength != DEFAULT_STRENGTH {
            let _ = write!(out, " x{}", wish.strength);
        }
        if !wish.on.is_frame() {
            let _ = write!(out, " on {}", json(value(&wish.on)));
        }
        if let Some(when) = wish.when {
            let _ = write!(out, " at {}", json(value(when)));
        }
        let _ = writeln!(out, " ({}) <- {}", wish.confidence, words.text);
    }
    for keep in &plan.keeps {
        let what = json(value(&keep.what));
        let _ = writeln!(out, "  keep {what} <- {}", keep.words.text);
    }
    for overruled in plan.overruled.iter().filter(|overruled| overruled.wish.words.is_some()) {
        let _ = writeln!(out, "  overruled {} by {}", overruled.wish.said(), overruled.by.text);
    }
    for mention in &plan.references {
        let role = value(mention.role);
        let exists = if mention.exists { "" } else { " (missing)" };
        let _ = writeln!(out, "  {} {}{exists}", mention.handle, role.as_str().unwrap_or_default());
    }
    for words in &plan.not_understood {
        let _ = writeln!(out, "  ? {}", words.text);
    }
    out
}

fn value<T: serde::Serialize>(of: T) -> serde_json::Value {
    serde_json::to_value(of).unwrap_or_default()
}
