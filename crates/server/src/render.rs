//! What is stored, in the words of the wire.

use catalog::{Catalog, Model};
use domain::{Failure, Fault, State};
use serde_json::Value;
use store::RequestRow;
use wire::{Detail, ModelEntry, ResultReply, ResultWord, RunError, Summary, path};

use crate::base::Base;

/// The state as `result`, the list and the record say it.
pub(crate) const fn word(state: State) -> ResultWord {
    match state {
        State::Received | State::Ready => ResultWord::InQueue,
        State::Running => ResultWord::InProgress,
        State::Succeeded => ResultWord::Succeeded,
        State::Failed => ResultWord::Failed,
        State::Cancelled => ResultWord::Cancelled,
    }
}

/// A fault as a member of `detail`.
pub(crate) fn detail(fault: Fault) -> Detail {
    let Fault { loc, msg, kind, ctx, input } = fault;
    Detail { loc, msg, kind, ctx, input }
}

/// The `error` of a failed request.
pub(crate) fn run_error(failure: &Failure) -> RunError {
    RunError {
        code: failure.code.clone(),
        kind: failure.class.clone(),
        message: failure.message.clone(),
        detail: failure.detail.iter().cloned().map(detail).collect(),
    }
}

/// The `output` of a succeeded request, its paths made absolute.
pub(crate) fn output(row: &RequestRow, base: &Base) -> Option<Value> {
    let published = row.body.published.as_ref().filter(|_| row.state == State::Succeeded)?;
    Some(with_urls(&published.output, &|path| base.url(path)))
}

/// An output, with a URL in the place of each path.
pub(crate) fn with_urls(output: &Value, url: &impl Fn(&str) -> String) -> Value {
    match output {
        Value::String(path) if path.starts_with('/') => Value::from(url(path)),
        Value::Array(items) => items.iter().map(|item| with_urls(item, url)).collect(),
        Value::Object(fields) => Value::Object(
            fields.iter().map(|(name, item)| (name.clone(), with_urls(item, url))).collect(),
        ),
        other => other.clone(),
    }
}

/// What was charged, in USD: nothing unless it succeeded.
pub(crate) fn cost(row: &RequestRow) -> f64 {
    row.body.published.as_ref().map_or(0.0, |published| published.cost.usd())
}

/// The body of result, without the cost.
pub(crate) fn result(row: &RequestRow, base: &Base) -> ResultReply {
    ResultReply {
        request_id: row.id.to_string(),
        status: word(row.state),
        model_id: row.model.clone(),
        output: output(row, base),
        error: row.body.failure.as_ref().map(run_error),
        created_at: Some(row.created_at.to_string()),
        finished_at: row.finished_at.map(|at| at.to_string()),
        cost: None,
    }
}

/// What is posted to the webhook of a request that came to `state`: the body of result, as it
/// was then.
pub fn webhook_payload(row: &RequestRow, state: State, base: &str) -> Vec<u8> {
    let mut body = result(row, &Base(base.to_owned()));
    if state != row.state {
        (body.status, body.output, body.error, body.finished_at) = (word(state), None, None, None);
    }
    serde_json::to_vec(&body).unwrap_or_default()
}

/// The prompt of a request, where the model is still there to say which it is.
pub(crate) fn prompt<'a>(catalog: &Catalog, row: &'a RequestRow) -> Option<&'a str> {
    catalog.get(&row.model)?.prompt(&row.body.input)
}

/// One line of the list.
pub(crate) fn summary(
    catalog: &Catalog,
    row: &RequestRow,
    position: Option<u64>,
    base: &Base,
) -> Summary {
    let published = row.body.published.as_ref();
    Summary {
        request_id: row.id.to_string(),
        model_id: row.model.clone(),
        prompt: prompt(catalog, row).map(str::to_owned),
        status: word(row.state),
        queue_position: position,
        created_at: row.created_at.to_string(),
        finished_at: row.finished_at.map(|at| at.to_string()),
        output: output(row, base),
        poster_url: published.and_then(|p| p.poster.as_deref()).map(|path| base.url(path)),
        error: row.body.failure.as_ref().map(run_error),
    }
}

/// One entry of the catalogue.
pub(crate) fn model(model: &Model, base: &Base, with_schema: bool) -> ModelEntry {
    ModelEntry {
        model_id: model.id().to_owned(),
        display_name: model.display_name().to_owned(),
        description: model.description().to_owned(),
        kind: model.kind().to_owned(),
        categories: model.categories().to_vec(),
        base_price_usd: model.base_price_usd(),
        price_unit: model.price_unit().as_str().to_owned(),
        pricing_note: model.pricing_note().map(str::to_owned),
        model_url: base.url(&path::model(model.id())),
        inputs: model.input_names().map(str::to_owned).collect(),
        required_inputs: model.required_inputs().to_vec(),
        input_schema: with_schema.then(|| model.input_schema().clone()),
        output_schema: with_schema.then(|| model.output_schema().clone()),
        roles: None,
        readme: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_become_absolute_in_any_shape_of_output() {
        let base = Base("https://h".to_owned());
        let given = json!({"video": "/files/t/a.mp4", "stills": ["/files/t/b.png"], "seed": 7});
        let want = json!({"video": "https://h/files/t/a.mp4", "stills": ["https://h/files/t/b.png"], "seed": 7});
        assert_eq!(with_urls(&given, &|path| base.url(path)), want);
    }
}
