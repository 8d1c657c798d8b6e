//! `GET /v1/requests`

mod search;

use axum::Json;
use axum::extract::State;
use domain::{RequestId, State as Stand};
use store::{Listing, Page, RequestRow, StoreError};
use wire::{ErrorCode, RequestList};

use crate::app::App;
use crate::auth::Caller;
use crate::base::Base;
use crate::params::{BadParam, Params};
use crate::refusal::Refusal;
use crate::render;
use search::Words;

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
enum ListError {
    #[error(transparent)]
    Param(#[from] BadParam),
    #[error("cursor: this is no `next_cursor` of a list")]
    Cursor,
    #[error(transparent)]
    Store(#[from] StoreError),
}

const DEFAULT_LIMIT: u64 = 20;
const MAX_LIMIT: u64 = 100;

/// The owner's requests, newest first.
pub(crate) async fn requests(
    State(app): State<App>,
    caller: Caller,
    base: Base,
    params: Params,
) -> Result<Json<RequestList>, Refusal> {
    let listing = listing(&app, &caller, &params).await?;
    let words = params.text("search").map_or(Ok(None), Words::of)?;
    let catalog = app.parts().catalog.as_ref();
    let (rows, last) = match words {
        Some(words) => words.find(app.store(), catalog, &listing).await?,
        None => page(app.store().list(listing).await?),
    };
    let mut requests = Vec::with_capacity(rows.len());
    for row in &rows {
        requests.push(render::summary(catalog, row, position(&app, row).await?, &base));
    }
    // The cursor is an id, not its sequence number: that counts everybody's requests.
    let next_cursor = last.map(|id| id.to_string());
    Ok(Json(RequestList { requests, next_cursor }))
}

/// What is shown, and the last of it if there is more.
fn page(page: Page) -> (Vec<RequestRow>, Option<RequestId>) {
    let last = page.rows.last().filter(|_| page.next.is_some()).map(|row| row.id.clone());
    (page.rows, last)
}

/// The place in the queue of a request that has one.
pub(crate) async fn position(app: &App, row: &RequestRow) -> Result<Option<u64>, StoreError> {
    if !row.state.is_queued() {
        return Ok(None);
    }
    Ok(app.store().status(&row.id).await?.and_then(|status| status.position))
}

async fn listing(app: &App, caller: &Caller, params: &Params) -> Result<Listing, ListError> {
    let before = match params.text("cursor") {
        Some(cursor) => Some(sequence(app, caller, cursor).await?),
        None => None,
    };
    Ok(Listing {
        owner: Some(caller.0.owner.clone()),
        states: params.text("status").map_or(Ok(Vec::new()), states)?,
        model: params.text("model_id").map(str::to_owned),
        before,
        limit: params.number("limit", 1..=MAX_LIMIT)?.unwrap_or(DEFAULT_LIMIT) as u32,
    })
}

async fn sequence(app: &App, caller: &Caller, cursor: &str) -> Result<i64, ListError> {
    let id: RequestId = cursor.parse().map_err(|_| ListError::Cursor)?;
    let row = app.store().request(&id).await?.filter(|row| row.owner == caller.0.owner);
    Ok(row.ok_or(ListError::Cursor)?.order.seq)
}

/// The states that a word of either vocabulary means.
fn states(word: &str) -> Result<Vec<Stand>, BadParam> {
    Ok(match word {
        "in_queue" => vec![Stand::Received, Stand::Ready],
        "in_progress" => vec![Stand::Running],
        "completed" => vec![Stand::Succeeded, Stand::Failed],
        "succeeded" => vec![Stand::Succeeded],
        "failed" => vec![Stand::Failed],
        "cancelled" => vec![Stand::Cancelled],
        other => {
            let wanted = "one of in_queue, in_progress, completed, succeeded, failed and cancelled";
            return Err(BadParam::new("status", other, wanted));
        }
    })
}

impl From<ListError> for Refusal {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Param(error) => error.into(),
            ListError::Cursor => Self::new(ErrorCode::Malformed, error.to_string()),
            ListError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_found_by_the_words_that_are_said_of_it() {
        for state in Stand::ALL {
            let word = render::word(state);
            assert!(states(word.as_str()).unwrap().contains(&state), "{state:?}");
            assert!(states(word.status().as_str()).unwrap().contains(&state), "{state:?}");
        }
        assert!(states("done").is_err());
    }
}
