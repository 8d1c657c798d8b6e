//! `reshoot keys`: works beside a running server.

use std::process::ExitCode;

use anyhow::bail;
use domain::key::{KeyRecord, KeyRole, SecretKey};
use domain::{Clock, KeyId, OwnerId};
use store::Store;
use store_sqlite::{OpenMode, SqliteStore};

use crate::cli::{Intake, KeysCommand, Place};
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
            print_line(&format!("{:<30} {:<30} {:<5} {:<7} NAME", "ID", "OWNER", "ROLE", "STATE"))?;
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
    }
    Ok(ExitCode::SUCCESS)
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
    format!("{:<30} {:<30} {role:<5} {state:<7} {}", key.id, key.owner, key.name)
}
