//! `GET /v1/requests/{id}`

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use domain::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use store::RequestRow;
use store::row::Moment;
use wire::{EngineInfo, Event, Pass, Record, StageTimes, path};

use crate::app::App;
use crate::auth::Caller;
use crate::base::Base;
use crate::hooks::Forecasted;
use crate::lookup::{self, Id};
use crate::ops::requests::position;
use crate::ops::share;
use crate::refusal::Refusal;
use crate::render;

/// Everything about one request.
pub(crate) async fn record(
    State(app): State<App>,
    caller: Caller,
    id: Id,
    base: Base,
) -> Result<Json<Record>, Refusal> {
    let row = lookup::row(&app, &caller, &id).await?;
    let position = position(&app, &row).await?;
    let link = app.store().link(&row.id).await?;
    let share_url = link.map(|token| share::url(&token, &base));
    Ok(Json(Record { share_url, ..of_row(&app, &row, position, &base) }))
}

fn of_row(app: &App, row: &RequestRow, position: Option<u64>, base: &Base) -> Record {
    let Made { plan, engine, unmet } = made(app, row);
    let report = row.body.published.as_ref().map(|published| &published.report);
    let id = row.id.as_str();
    Record {
        summary: render::summary(&app.parts().catalog, row, position, base),
        input: row.body.input.clone(),
        plan,
        engine,
        metrics: report.map(metrics),
        passes: report.map(passes),
        unmet,
        warnings: row.body.warnings.clone(),
        stages: stages(&row.body.timeline),
        events: row.body.timeline.iter().map(event).collect(),
        priority: Some(row.order.priority.as_str().to_owned()),
        attempts: runs(&row.body.timeline),
        cost: row.body.published.as_ref().map(|published| published.cost.usd()),
        share_url: None,
        expires_at: expires_at(app, row).map(|at| at.to_string()),
        status_url: base.url(&path::status(id)),
        result_url: base.url(&path::result(id)),
        cancel_url: base.url(&path::cancel(id)),
    }
}

/// When the record goes, with its outputs.
fn expires_at(app: &App, row: &RequestRow) -> Option<Timestamp> {
    Some(row.finished_at?.plus_secs(app.config().keep_results?.as_secs() as i64))
}

struct Made {
    plan: Option<Value>,
    engine: Option<EngineInfo>,
    unmet: Vec<Value>,
}

/// What was made of the prompt and by which engine; before that, what would be made of it.
fn made(app: &App, row: &RequestRow) -> Made {
    let Some(published) = &row.body.published else {
        let forecast = forecast(app, row);
        let unmet = forecast.as_ref().map_or_else(Vec::new, |f| f.unmet.clone());
        return Made { plan: forecast.map(|f| f.plan), engine: None, unmet };
    };
    let text = |name| published.report.get(name).and_then(Value::as_str).map(str::to_owned);
    let engine = text("engine").map(|name| EngineInfo {
        name,
        version: text("version").unwrap_or_default(),
        seed: published.report.get("seed").and_then(Value::as_u64),
    });
    let unmet = published.report.get("unmet").and_then(Value::as_array).cloned();
    Made { plan: Some(published.plan.clone()), engine, unmet: unmet.unwrap_or_default() }
}

/// What an engine measured; what is no number (such as one that is not finite) is left out.
fn metrics(report: &Value) -> BTreeMap<String, f64> {
    let measured = report.get("metrics").and_then(Value::as_object);
    let numbers = measured.into_iter().flatten();
    numbers.filter_map(|(name, value)| Some((name.clone(), value.as_f64()?))).collect()
}

/// What an engine did; what cannot be read is left out.
fn passes(report: &Value) -> Vec<Pass> {
    let done = report.get("passes").and_then(Value::as_array).into_iter().flatten();
    done.filter_map(|pass| Pass::deserialize(pass).ok()).collect()
}

/// `None` where the model has gone from the catalogue, or has changed its fields.
fn forecast(app: &App, row: &RequestRow) -> Option<Forecasted> {
    let model = app.parts().catalog.get(&row.model)?;
    let inputs = model.inputs(&row.body.input).ok()?;
    Some(app.parts().forecast.forecast(model, &inputs, row.body.facts.as_ref()))
}

fn event(moment: &Moment) -> Event {
    let (kind, message) = (moment.event.clone(), moment.note.clone());
    Event { at: moment.at.to_string(), kind, message }
}

/// Each try of each stage: from its start to whatever came next.
fn stages(timeline: &[Moment]) -> Vec<StageTimes> {
    let mut out: Vec<StageTimes> = Vec::new();
    for moment in timeline {
        if let Some(last) = out.last_mut().filter(|last| last.finished_at.is_none()) {
            last.finished_at = Some(moment.at.to_string());
        }
        let name = match moment.event.as_str() {
            "intake_started" => "intake",
            "run_started" => "run",
            _ => continue,
        };
        let started_at = moment.at.to_string();
        out.push(StageTimes { name: name.to_owned(), started_at, finished_at: None });
    }
    out
}

fn runs(timeline: &[Moment]) -> u32 {
    timeline.iter().filter(|moment| moment.event == "run_started").count() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_report_is_read_as_far_as_it_can_be() {
        let report = json!({
            "metrics": {"warp_error": 2, "motion_epe_px": null},
            "passes": [{"name": "grade", "parameters": null, "millis": 40}, {"name": "old"}, 7],
        });
        assert_eq!(metrics(&report), BTreeMap::from([("warp_error".to_owned(), 2.0)]));
        let pass = Pass { name: "grade".to_owned(), parameters: Value::Null, millis: 40 };
        assert_eq!(passes(&report), [pass]);
        for none in [json!({}), Value::Null, json!({"metrics": [1], "passes": {}})] {
            assert_eq!((metrics(&none).len(), passes(&none).len()), (0, 0), "{none}");
        }
    }

    #[test]
    fn a_stage_lasts_until_the_next_event() {
        let events =
            ["received", "intake_started", "ready", "run_started", "set_back", "run_started"];
        let moment = |(secs, event): (i64, &str)| Moment {
            n: 0,
            at: Timestamp::from_secs(secs),
            event: event.to_owned(),
            note: String::new(),
        };
        let timeline: Vec<Moment> = (0..).zip(events).map(moment).collect();
        let seen: Vec<String> = stages(&timeline)
            .iter()
            .map(|stage| {
                let end = stage.finished_at.as_deref().map_or("-", |at| &at[17..19]);
                format!("{} {} {end}", stage.name, &stage.started_at[17..19])
            })
            .collect();
        assert_eq!(seen, ["intake 01 02", "run 03 04", "run 05 -"]);
        assert_eq!(runs(&timeline), 2);
    }
}
