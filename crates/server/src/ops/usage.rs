//! `GET /v1/usage`

use axum::Json;
use axum::extract::State;
use domain::admission::DAY_SECS;
use domain::{KeyId, Timestamp};
use store::accounts::{GroupBy, UsageQuery};
use wire::{Usage, UsageLine, UsageSum};

use crate::app::App;
use crate::auth::Caller;
use crate::params::{BadParam, Params};
use crate::refusal::Refusal;

/// What is shown where no `from` is given.
const DEFAULT_DAYS: i64 = 30;

/// What the owner used, of one model or key or of all, added up by day, model or key.
pub(crate) async fn usage(
    State(app): State<App>,
    caller: Caller,
    params: Params,
) -> Result<Json<Usage>, Refusal> {
    let (query, group_by) = query(&app, caller, &params)?;
    let (from, to) = (query.from, query.to);
    let lines = app.store().usage(query.clone()).await?;
    let mut total = UsageSum::default();
    let mut micro = 0;
    let usage = lines.into_iter().map(|line| {
        let sum = UsageSum { requests: line.clips, seconds: line.units, cost: line.cost.usd() };
        total.requests += sum.requests;
        total.seconds += sum.seconds;
        micro += line.cost.0;
        UsageLine { group: label(query.group_by, line.group), sum }
    });
    let usage = usage.collect();
    total.cost = domain::usage::Microdollars(micro).usd();
    let (from, to) = (from.to_string(), to.to_string());
    Ok(Json(Usage { from, to, group_by: group_by.to_owned(), usage, total }))
}

fn query(
    app: &App,
    caller: Caller,
    params: &Params,
) -> Result<(UsageQuery, &'static str), BadParam> {
    let now = app.parts().clock.now();
    let today = now.unix_secs().div_euclid(DAY_SECS);
    let from = match params.text("from") {
        Some(text) => moment("from", text, 0)?,
        None => Timestamp::from_secs((today - DEFAULT_DAYS) * DAY_SECS),
    };
    let to = match params.text("to") {
        Some(text) => moment("to", text, 1)?,
        None => Timestamp::from_secs((today + 1) * DAY_SECS),
    };
    let (group_by, word) = match params.text("group_by").unwrap_or("day") {
        "day" => (GroupBy::Day, "day"),
        "model" => (GroupBy::Model, "model"),
        "key" => (GroupBy::Key, "key"),
        other => return Err(BadParam::new("group_by", other, "day, model or key")),
    };
    let model = params.text("model_id").map(str::to_owned);
    let key = params.text("key_id").map(key).transpose()?;
    Ok((UsageQuery { owner: caller.0.owner, from, to, model, key, group_by }, word))
}

/// A day, whose start lies `days` later, or a moment.
fn moment(name: &'static str, text: &str, days: i64) -> Result<Timestamp, BadParam> {
    if let Ok(start) = format!("{text}T00:00:00+00:00").parse::<Timestamp>() {
        return Ok(start.plus_secs(days * DAY_SECS));
    }
    let wanted = "a day such as 2026-11-22 or a moment such as 2026-11-22T05:43:01+00:00";
    text.parse().map_err(|_| BadParam::new(name, text, wanted))
}

fn key(text: &str) -> Result<KeyId, BadParam> {
    text.parse().map_err(|_| BadParam::new("key_id", text, "the `id` of a key"))
}

fn label(group_by: GroupBy, group: String) -> String {
    let day = || {
        let start = Timestamp::from_secs(group.parse::<i64>().ok()? * DAY_SECS);
        start.to_string().get(..10).map(str::to_owned)
    };
    match group_by {
        GroupBy::Day => day().unwrap_or(group),
        GroupBy::Model | GroupBy::Key => group,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_day_counts_whole_and_a_moment_is_exact() {
        let read = |text, days| moment("to", text, days).map(|at| at.to_string());
        assert_eq!(read("2026-11-22", 1).as_deref(), Ok("2026-11-23T00:00:00.000000+00:00"));
        let moment = "2026-11-22T05:00:00+00:00";
        assert_eq!(read(moment, 1).as_deref(), Ok("2026-11-22T05:00:00.000000+00:00"));
        assert!(read("yesterday", 0).is_err());
        assert_eq!(label(GroupBy::Day, "0".to_owned()), "1970-01-01");
    }
}
