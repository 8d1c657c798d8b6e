//! `reshoot keys`: works beside a running server.

use std::process::ExitCode;

use anyhow::bail;
use domain::admission::Limits;
use domain::key::{KeyRecord, KeyRole, SecretKey};
use domain::usage::Microdollars;
use domain::{Clock, KeyId, OwnerId};
use store::{Store, Subject};
use store_sqlite::{OpenMode, SqliteStore};

use crate::cli::{Intake, KeysCommand, LimitChange, Place};
use crate::commands::{print_line, runtime};
use crate::config;
use crate::exit::{Coded, NO_INPUT, USAGE};
use crate::machine::{KernelRng, SystemClock};
use crate::wiring;

pub(crate) fn run(command: KeysCommand) -> anyhow::Result<ExitCode> {
    let runtime = runtime()?;
    match command {
        KeysCommand::Create { name, owner, role, place } => {
            let owner = owner.map(|id| id.parse::<OwnerId>()).transpose()?;
            let role = parse_role(&role)?;
            let secret = runtime.block_on(create(&open(&place)?, &name, owner, role))?;
            print_line(secret.expose())?;
        }
        KeysCommand::List { place } => {
            let keys = runtime.block_on(open(&place)?.keys(None))?;
            print_line(&format!(
                "{:<30} {:<30} {:<5} {:<7} {:<16} NAME",
                "ID", "OWNER", "ROLE", "STATE", "LAST USED"
            ))?;
            for key in keys {
                print_line(&line(&key))?;
            }
        }
        KeysCommand::Rotate { id, place } => {
            let (clock, rng) = (SystemClock, KernelRng);
            let now = clock.now();
            let secret = SecretKey::new(&rng);
            let new = KeyId::new(now, &rng);
            let rotating = open(&place)?;
            let old = parse_id(&id)?;
            let rotated = runtime.block_on(rotating.rotate_key(&old, new, secret.hash(), now))?;
            if rotated.is_none() {
                return Err(no_key(&id));
            }
            print_line(secret.expose())?;
        }
        KeysCommand::Revoke { id, place } => {
            let now = SystemClock.now();
            if !runtime.block_on(open(&place)?.revoke_key(&parse_id(&id)?, now))? {
                return Err(no_key(&id));
            }
        }
        KeysCommand::Limits { id, change, place } => {
            let subject = subject(&id)?;
            let store = open(&place)?;
            let limits = runtime.block_on(limit(&store, &id, &subject, &change))?;
            print_line(&serde_json::to_string_pretty(&shown(&limits))?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Changes what `change` names; gives what holds afterwards.
async fn limit(
    store: &dyn Store,
    id: &str,
    subject: &Subject,
    change: &LimitChange,
) -> anyhow::Result<Limits> {
    let known = match subject {
        Subject::Key(key) => store.keys(None).await?.iter().any(|one| one.id == *key),
        Subject::Owner(owner) => !store.keys(Some(owner)).await?.is_empty(),
    };
    if !known {
        return Err(no_key(id));
    }
    let before = store.limits(subject).await?;
    let usd = |text: &str| match text.parse::<f64>() {
        Ok(usd) if (0.0..=1e9).contains(&usd) => Some(Microdollars::from_usd(usd)),
        _ => None,
    };
    let limits = Limits {
        max_queued: changed("--max-queued", change.max_queued.as_ref(), before.max_queued, number)?,
        max_running: changed(
            "--max-running",
            change.max_running.as_ref(),
            before.max_running,
            number,
        )?,
        submits_per_minute: changed(
            "--submits-per-minute",
            change.submits_per_minute.as_ref(),
            before.submits_per_minute,
            number,
        )?,
        bytes_per_day: changed(
            "--bytes-per-day",
            change.bytes_per_day.as_ref(),
            before.bytes_per_day,
            number,
        )?,
        budget: changed("--budget-usd", change.budget_usd.as_ref(), before.budget, usd)?,
    };
    if limits != before {
        store.set_limits(subject, limits).await?;
    }
    Ok(limits)
}

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

/// A limit after a flag that was given or left out.
fn changed<T>(
    flag: &str,
    given: Option<&String>,
    before: Option<T>,
    read: impl Fn(&str) -> Option<T>,
) -> anyhow::Result<Option<T>> {
    match given.map(String::as_str) {
        None => Ok(before),
        Some("none") => Ok(None),
        Some(text) => match read(text) {
            Some(limit) => Ok(Some(limit)),
            None => bail!(Coded::new(
                USAGE,
                format!("{flag} `{text}` is neither a number from 0 nor `none`")
            )),
        },
    }
}

fn shown(limits: &Limits) -> serde_json::Value {
    serde_json::json!({
        "max_queued": limits.max_queued,
        "max_running": limits.max_running,
        "submits_per_minute": limits.submits_per_minute,
        "bytes_per_day": limits.bytes_per_day,
        "budget_usd": limits.budget.map(Microdollars::usd),
    })
}

fn subject(id: &str) -> anyhow::Result<Subject> {
    if let Ok(owner) = id.parse() {
        return Ok(Subject::Owner(owner));
    }
    Ok(Subject::Key(parse_id(id)?))
}

/// Makes and stores a key; of a new owner unless one is named.
pub(crate) async fn create(
    store: &dyn Store,
    name: &str,
    owner: Option<OwnerId>,
    role: KeyRole,
) -> anyhow::Result<SecretKey> {
    let (now, rng) = (SystemClock.now(), KernelRng);
    if let Some(owner) = &owner
        && store.keys(Some(owner)).await?.is_empty()
    {
        bail!(Coded::new(
            NO_INPUT,
            format!("there is no owner `{owner}`; see `reshoot keys list`")
        ));
    }
    let secret = SecretKey::new(&rng);
    let owner = owner.unwrap_or_else(|| OwnerId::new(now, &rng));
    let record = KeyRecord::new(KeyId::new(now, &rng), owner, name.to_owned(), role, now);
    store.add_key(record, secret.hash()).await?;
    Ok(secret)
}

fn open(place: &Place) -> anyhow::Result<SqliteStore> {
    let installation = config::installation(place, &Intake::default())?;
    wiring::store(&installation, OpenMode::Beside)
}

fn parse_role(word: &str) -> anyhow::Result<KeyRole> {
    match word {
        "user" => Ok(KeyRole::User),
        "admin" => Ok(KeyRole::Admin),
        _ => bail!(Coded::new(USAGE, format!("--role `{word}` is neither `user` nor `admin`"))),
    }
}

/// What is not even the form of an id names no key either.
fn parse_id(id: &str) -> anyhow::Result<KeyId> {
    id.parse().map_err(|_| no_key(id))
}

fn no_key(id: &str) -> anyhow::Error {
    Coded::new(NO_INPUT, format!("there is no valid key `{id}`; see `reshoot keys list`")).into()
}

fn line(key: &KeyRecord) -> String {
    let role = key.role.as_str();
    let state = if key.revoked_at.is_some() { "revoked" } else { "valid" };
    // To the minute, in UTC: `2026-11-22T05:43`.
    let used = key.last_used_at.map_or_else(String::new, |at| at.to_string());
    let used = used.get(..16).unwrap_or("never");
    format!("{:<30} {:<30} {role:<5} {state:<7} {used:<16} {}", key.id, key.owner, key.name)
}
