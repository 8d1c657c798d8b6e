//! `POST /v1/sign-in`
//!
//! The first start of an installation offers one link to whoever sits at the machine. The code in
//! it buys one admin key, once, within an hour, on this machine. Only the code's hash is kept, and
//! the key is made when it is asked for. Whoever comes from elsewhere is refused before a byte of
//! the body is read.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::extract::{FromRequestParts, Request, State};
use domain::id::hex;
use domain::key::{KeyRecord, KeyRole, SecretKey};
use domain::{KeyId, OwnerId, Rng, Timestamp};
use http::request;
use sha2::{Digest, Sha256};
use store::StoreError;
use wire::{ErrorCode, SignIn, SignedIn};

use crate::app::App;
use crate::base::Peer;
use crate::ops::keys;
use crate::refusal::Refusal;

/// The offer of an installation, if it has one.
#[derive(Debug, Default)]
pub(crate) struct Offered(Mutex<Option<Offer>>);

/// What one code buys.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Offer {
    /// SHA-256 of the code: how long a comparison takes tells nothing of the code itself.
    hash: [u8; 32],
    /// Whose key it is going to be.
    owner: OwnerId,
    made_at: Timestamp,
}

/// Somebody on this machine, with no proxy in between, while something is on offer.
#[derive(Debug)]
pub(crate) struct Neighbour;

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInError {
    #[error(
        "a link signs in on the server's own machine only, with no proxy in between: {OTHERWISE}"
    )]
    Elsewhere,
    #[error("no link is open here, each is good once and for an hour: {OTHERWISE}")]
    Closed,
    #[error("this code is not known here or was used: {OTHERWISE}")]
    Unknown,
    #[error(transparent)]
    Store(#[from] StoreError),
}

const OTHERWISE: &str =
    "paste a key, or make one on the server's machine with `reshoot keys create NAME --role admin`";
const GOOD_SECS: i64 = 3600;
const CODE_BYTES: usize = 24;
const MAX_BODY_BYTES: u64 = 4 << 10;

/// Makes an admin key for whoever has the code.
pub(crate) async fn sign_in(
    State(app): State<App>,
    _neighbour: Neighbour,
    request: Request,
) -> Result<Json<SignedIn>, Refusal> {
    let SignIn { code } = keys::read(&app, request, MAX_BODY_BYTES).await?;
    Ok(Json(signed_in(&app, &code).await?))
}

async fn signed_in(app: &App, code: &str) -> Result<SignedIn, SignInError> {
    let (now, rng) = (app.parts().clock.now(), app.parts().rng.as_ref());
    let offer = app.offered().take(code, now).ok_or(SignInError::Unknown)?;
    let secret = SecretKey::new(rng);
    let (id, owner) = (KeyId::new(now, rng), offer.owner.clone());
    let record = KeyRecord::new(id, owner, "pages".to_owned(), KeyRole::Admin, now);
    if let Err(error) = app.store().add_key(record, secret.hash()).await {
        app.offered().put(offer);
        return Err(error.into());
    }
    tracing::info!("somebody on this machine signed in with the link of the first start");
    Ok(SignedIn { key: secret.expose().to_owned() })
}

// === impl Offered ===

impl Offered {
    /// A code that is good once, for an hour, in place of any that was offered before.
    pub(crate) fn offer(&self, owner: OwnerId, now: Timestamp, rng: &dyn Rng) -> String {
        let mut bits = [0; CODE_BYTES];
        rng.fill(&mut bits);
        let code = hex(&bits);
        self.put(Offer { hash: hash(&code), owner, made_at: now });
        code
    }

    fn is_open(&self, now: Timestamp) -> bool {
        self.lock().as_ref().is_some_and(|offer| offer.is_good(now))
    }

    /// What the code buys; from then on it buys nothing.
    fn take(&self, code: &str, now: Timestamp) -> Option<Offer> {
        self.lock().take_if(|offer| offer.is_good(now) && offer.hash == hash(code))
    }

    fn put(&self, offer: Offer) {
        *self.lock() = Some(offer);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Offer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Offer ===

impl Offer {
    /// A clock that was set back ends it, too.
    const fn is_good(&self, now: Timestamp) -> bool {
        let secs = now.unix_secs() - self.made_at.unix_secs();
        secs >= 0 && secs < GOOD_SECS
    }
}

fn hash(code: &str) -> [u8; 32] {
    Sha256::digest(code.as_bytes()).into()
}

impl FromRequestParts<App> for Neighbour {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut request::Parts, app: &App) -> Result<Self, Refusal> {
        let peer = parts.extensions.get::<Peer>();
        let local = peer.is_some_and(|peer| peer.remote.ip().to_canonical().is_loopback());
        if !local || !app.config().trusted_proxies.is_empty() {
            return Err(SignInError::Elsewhere.into());
        }
        if !app.offered().is_open(app.parts().clock.now()) {
            return Err(SignInError::Closed.into());
        }
        Ok(Self)
    }
}

impl From<SignInError> for Refusal {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Store(error) => error.into(),
            SignInError::Elsewhere | SignInError::Closed | SignInError::Unknown => {
                Self::new(ErrorCode::UserAccountError, error.to_string())
            }
        }
    }
}
