//! `GET`, `POST /v1/keys`; `PATCH`, `DELETE /v1/keys/{key_id}`
//!
//! A key of role user sees and changes its owner's keys, and gives nothing that it does not have:
//! what it makes or changes is bound at least as tightly as itself. An admin key sees and changes
//! everybody's, and alone sets the limits of owners.

use axum::Json;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use domain::admission::Limits;
use domain::key::{KeyRecord, KeyRole, SecretKey};
use domain::usage::Microdollars;
use domain::{KeyId, Timestamp};
use http::{StatusCode, request};
use serde::de::DeserializeOwned;
use store::{StoreError, Subject};
use wire::{ErrorCode, KeyChange, KeyCreated, KeyEntry, KeyList, LimitSet, NewKey};

use crate::app::App;
use crate::auth::Caller;
use crate::body;
use crate::json::{self, JsonError};
use crate::refusal::Refusal;

/// The key that the path names.
#[derive(Debug)]
pub(crate) struct Named(KeyId);

/// Why a key is not made, shown or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("there is no key with this id")]
    NotFound,
    #[error("{0}: this takes a key of role admin")]
    Role(&'static str),
    #[error("limits: a key may give nothing that it does not have itself; its limits are {0}")]
    Looser(String),
    #[error("name: 1 to {MAX_NAME_CHARS} characters are required")]
    Name,
    #[error("role: `{0}` was given, user or admin is required")]
    UnknownRole(String),
    #[error("budget_usd: a number from 0 to 1000000000 is required")]
    Budget,
    #[error("bytes_per_day: a whole number from 0 to {MAX_BYTES} is required")]
    Bytes,
    #[error("the body is not as this call reads it: {0}")]
    Body(#[from] serde_json::Error),
    #[error(transparent)]
    Json(#[from] JsonError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

const MAX_NAME_CHARS: usize = 128;
const MAX_BODY_BYTES: u64 = 64 << 10;
const MAX_BUDGET_USD: f64 = 1e9;
/// What a JSON number holds exactly: 2^53 - 1.
const MAX_BYTES: u64 = 9_007_199_254_740_991;

/// The owner's keys, oldest first; an admin sees everybody's.
pub(crate) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<KeyList>, Refusal> {
    let keys = visible(&app, &caller.0).await?;
    Ok(Json(KeyList { keys: keys.iter().map(|key| entry(&app, key)).collect() }))
}

/// Makes a key of the caller's owner.
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> Result<(StatusCode, Json<KeyCreated>), Refusal> {
    let new: NewKey = read(&app, request, MAX_BODY_BYTES).await?;
    Ok((StatusCode::CREATED, Json(created(&app, &caller.0, new).await?)))
}

/// Renames a key or sets limits.
pub(crate) async fn change(
    State(app): State<App>,
    caller: Caller,
    id: Named,
    request: Request,
) -> Result<Json<KeyEntry>, Refusal> {
    let change: KeyChange = read(&app, request, MAX_BODY_BYTES).await?;
    Ok(Json(changed(&app, &caller.0, &id.0, change).await?))
}

/// Revokes a key: it is refused from the next call on.
pub(crate) async fn revoke(
    State(app): State<App>,
    caller: Caller,
    id: Named,
) -> Result<StatusCode, Refusal> {
    let key = find(&app, &caller.0, &id.0).await?;
    app.store().revoke_key(&key.id, app.parts().clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn created(app: &App, caller: &KeyRecord, new: NewKey) -> Result<KeyCreated, KeyError> {
    let role = match new.role.as_deref().unwrap_or("user") {
        "user" => KeyRole::User,
        "admin" if caller.role == KeyRole::Admin => KeyRole::Admin,
        "admin" => return Err(KeyError::Role("role")),
        other => return Err(KeyError::UnknownRole(other.chars().take(64).collect())),
    };
    let limits = match new.limits {
        Some(limits) => allowed(caller, limits)?,
        None => caller.limits,
    };
    let (now, rng) = (app.parts().clock.now(), app.parts().rng.as_ref());
    let (secret, id) = (SecretKey::new(rng), KeyId::new(now, rng));
    let record = KeyRecord::new(id, caller.owner.clone(), name(new.name)?, role, now);
    let owner_limits = caller.owner_limits;
    let record = KeyRecord { limits, owner_limits, ..record };
    // Limits first: a key that has none for a moment could be used in it.
    app.store().set_limits(&Subject::Key(record.id.clone()), limits).await?;
    app.store().add_key(record.clone(), secret.hash()).await?;
    Ok(KeyCreated { key: secret.expose().to_owned(), entry: entry(app, &record) })
}

async fn changed(
    app: &App,
    caller: &KeyRecord,
    id: &KeyId,
    change: KeyChange,
) -> Result<KeyEntry, KeyError> {
    let key = find(app, caller, id).await?;
    if change.owner_limits.is_some() && caller.role != KeyRole::Admin {
        return Err(KeyError::Role("owner_limits"));
    }
    let limits = change.limits.map(|limits| allowed(caller, limits)).transpose()?;
    let owner_limits = change.owner_limits.map(parse).transpose()?;
    let name = change.name.map(name).transpose()?;
    if let Some(limits) = limits {
        app.store().set_limits(&Subject::Key(key.id.clone()), limits).await?;
    }
    if let Some(limits) = owner_limits {
        app.store().set_limits(&Subject::Owner(key.owner.clone()), limits).await?;
    }
    if let Some(name) = name {
        app.store().rename_key(&key.id, &name).await?;
    }
    Ok(entry(app, &find(app, caller, id).await?))
}

async fn visible(app: &App, caller: &KeyRecord) -> Result<Vec<KeyRecord>, StoreError> {
    let owner = (caller.role == KeyRole::User).then_some(&caller.owner);
    app.store().keys(owner).await
}

async fn find(app: &App, caller: &KeyRecord, id: &KeyId) -> Result<KeyRecord, KeyError> {
    let keys = visible(app, caller).await?;
    keys.into_iter().find(|key| key.id == *id).ok_or(KeyError::NotFound)
}

/// Limits as the caller may give them.
fn allowed(caller: &KeyRecord, limits: LimitSet) -> Result<Limits, KeyError> {
    let limits = parse(limits)?;
    if caller.role == KeyRole::Admin || limits.within(&caller.limits) {
        return Ok(limits);
    }
    let own = serde_json::to_string(&show(&caller.limits)).unwrap_or_default();
    Err(KeyError::Looser(own))
}

fn parse(limits: LimitSet) -> Result<Limits, KeyError> {
    let LimitSet { max_queued, max_running, submits_per_minute, bytes_per_day, budget_usd } =
        limits;
    if budget_usd.is_some_and(|usd| !(0.0..=MAX_BUDGET_USD).contains(&usd)) {
        return Err(KeyError::Budget);
    }
    if bytes_per_day.is_some_and(|bytes| bytes > MAX_BYTES) {
        return Err(KeyError::Bytes);
    }
    let budget = budget_usd.map(Microdollars::from_usd);
    Ok(Limits { max_queued, max_running, submits_per_minute, bytes_per_day, budget })
}

fn show(limits: &Limits) -> LimitSet {
    let Limits { max_queued, max_running, submits_per_minute, bytes_per_day, budget } = *limits;
    let budget_usd = budget.map(Microdollars::usd);
    LimitSet { max_queued, max_running, submits_per_minute, bytes_per_day, budget_usd }
}

fn name(text: String) -> Result<String, KeyError> {
    let chars = text.chars().count();
    if (1..=MAX_NAME_CHARS).contains(&chars) { Ok(text) } else { Err(KeyError::Name) }
}

fn entry(app: &App, key: &KeyRecord) -> KeyEntry {
    KeyEntry {
        id: key.id.to_string(),
        owner_id: key.owner.to_string(),
        name: key.name.clone(),
        role: key.role.as_str().to_owned(),
        created_at: key.created_at.to_string(),
        revoked_at: key.revoked_at.map(|at| at.to_string()),
        limits: show(&key.limits),
        owner_limits: show(&key.owner_limits),
        last_used_at: last_used(app, key).map(|at| at.to_string()),
        spent_usd: app.store().loads(&key.owner, &key.id).key.spent.usd(),
    }
}

/// What is in memory is newer than what is written.
fn last_used(app: &App, key: &KeyRecord) -> Option<Timestamp> {
    app.uses().last(&key.id).or(key.last_used_at)
}

/// A JSON body of at most `bytes` bytes.
pub(super) async fn read<T: DeserializeOwned>(
    app: &App,
    request: Request,
    bytes: u64,
) -> Result<T, Refusal> {
    json::check_headers(request.headers())?;
    let config = app.config();
    let limits = body::Limits { bytes, idle: config.body_idle, total: config.body_total };
    let (parts, body) = request.into_parts();
    let body = body::collect(app.budget(), &parts.headers, body, limits).await?;
    let value = json::parse(&body.bytes)?;
    Ok(serde_json::from_value(value).map_err(KeyError::Body)?)
}

impl FromRequestParts<App> for Named {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut request::Parts, app: &App) -> Result<Self, Refusal> {
        let params = RawPathParams::from_request_parts(parts, app).await;
        let params = params.map_err(|_| KeyError::NotFound)?;
        let text = params.iter().find(|(name, _)| *name == "key_id").map(|(_, text)| text);
        Ok(Self(text.and_then(|text| text.parse().ok()).ok_or(KeyError::NotFound)?))
    }
}

impl From<KeyError> for Refusal {
    fn from(error: KeyError) -> Self {
        let code = match error {
            KeyError::Json(error) => return error.into(),
            KeyError::Store(error) => return error.into(),
            KeyError::NotFound => ErrorCode::ResourceNotFound,
            KeyError::Role(_) | KeyError::Looser(_) => ErrorCode::PermissionDenied,
            KeyError::Name
            | KeyError::UnknownRole(_)
            | KeyError::Budget
            | KeyError::Bytes
            | KeyError::Body(_) => ErrorCode::Validation,
        };
        Self::new(code, error.to_string())
    }
}
