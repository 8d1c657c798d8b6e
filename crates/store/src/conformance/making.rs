//! What the suite puts into a store.

use std::sync::atomic::{AtomicU64, Ordering};

use domain::facts::Facts;
use domain::key::{KeyHash, KeyRecord, KeyRole};
use domain::usage::Microdollars;
use domain::{
    Failure, FileToken, KeyId, Lease, OwnerId, Priority, RequestId, Rng, ShareToken, Stage,
    Timestamp, WorkerId,
};
use serde_json::json;

use crate::row::{FileRow, NewRequest, Published, PublishedBody, Terms};
use crate::{Claim, Store};

/// The moment at which the suite's clock starts.
pub(super) const START: Timestamp = Timestamp::from_secs(1_800_000_000);

/// Pseudo-random numbers (splitmix64): the same from the same seed.
pub struct Dice(AtomicU64);

/// Makes ids and everything that carries them.
pub struct Maker {
    dice: Dice,
}

// === impl Dice ===

impl Dice {
    /// Numbers that follow from `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The next number.
    pub fn roll(&self) -> u64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// The next number, below `limit`.
    pub fn below(&self, limit: u64) -> u64 {
        self.roll() % limit.max(1)
    }
}

impl Rng for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.roll().to_le_bytes();
            for (byte, random) in chunk.iter_mut().zip(number) {
                *byte = random;
            }
        }
    }
}

// === impl Maker ===

impl Maker {
    /// A maker whose ids follow from `seed`.
    pub const fn new(seed: u64) -> Self {
        Self { dice: Dice::new(seed) }
    }

    /// An owner.
    pub fn owner(&self) -> OwnerId {
        OwnerId::new(START, &self.dice)
    }

    /// A key's id.
    pub fn key_id(&self) -> KeyId {
        KeyId::new(START, &self.dice)
    }

    /// A worker.
    pub fn worker(&self) -> WorkerId {
        WorkerId::new(START, &self.dice)
    }

    /// A key of `owner` and its hash.
    pub fn key(&self, owner: &OwnerId, created_at: Timestamp) -> (KeyRecord, KeyHash) {
        let mut hash = [0; 32];
        self.dice.fill(&mut hash);
        let (id, name) = (KeyId::new(created_at, &self.dice), "laptop".to_owned());
        let key = KeyRecord::new(id, owner.clone(), name, KeyRole::User, created_at);
        (key, KeyHash(hash))
    }

    /// A request of `owner`, accepted at [`START`].
    pub fn request(&self, owner: &OwnerId, priority: Priority) -> NewRequest {
        // A float whose shortest text is long, so that one lost digit shows.
        let length = self.dice.below(1 << 53) as f64 / 7.0e12;
        NewRequest {
            id: RequestId::new(START, &self.dice),
            owner: owner.clone(),
            key: KeyId::new(START, &self.dice),
            model: "maker/model/clip".to_owned(),
            input: json!({"prompt": "ä \"quoted\" \u{1F3A5}", "z": 1, "a": [null, length]}),
            warnings: vec!["`extra` is not known".to_owned()],
            priority,
            created_at: START,
            terms: Terms::default(),
        }
    }

    /// A file of `owner`.
    pub fn file(&self, owner: &OwnerId, request: Option<&RequestId>) -> FileRow {
        let token = FileToken::new(&self.dice);
        FileRow {
            path: format!("out/{token}"),
            token,
            name: "clip.mp4".to_owned(),
            owner: owner.clone(),
            request: request.cloned(),
            content_type: "video/mp4".to_owned(),
            bytes: 5_000_000_000,
            sha256: "00".repeat(32),
            created_at: START,
        }
    }

    /// A link.
    pub fn link(&self) -> ShareToken {
        ShareToken::new(&self.dice)
    }

    /// A finished clip with one file.
    pub fn published(&self, owner: &OwnerId, request: &RequestId) -> Published {
        let file = self.file(owner, Some(request));
        let body = PublishedBody {
            output: json!({"video": file.url_path()}),
            poster: None,
            plan: json!({"task": "restyle"}),
            report: json!({"engine": "none"}),
            cost: Microdollars(560_000),
        };
        Published { body, files: vec![file], units: 5, cost: Microdollars(560_000) }
    }

    /// Inserts a request of a new owner; its id.
    pub async fn insert(&self, store: &dyn Store) -> RequestId {
        let new = self.request(&self.owner(), Priority::Normal);
        store.insert(new).await.unwrap().status.id
    }

    /// Takes the first request through intake; its id.
    pub async fn ready(&self, store: &dyn Store) -> RequestId {
        let claim = claim(store, self, Stage::Intake).await;
        store.inputs_kept(&claim.lease, Facts::default(), Vec::new(), START).await.unwrap();
        claim.row.id
    }

    /// Inserts one request into an empty store and claims it for a run.
    pub async fn running(&self, store: &dyn Store) -> Claim {
        self.insert(store).await;
        self.ready(store).await;
        claim(store, self, Stage::Run).await
    }
}

/// What the first request that waits for `stage` is, claimed for 30 s at [`START`].
pub(super) async fn claim(store: &dyn Store, maker: &Maker, stage: Stage) -> Claim {
    store.claim(stage, &maker.worker(), START, 30).await.unwrap().unwrap()
}

/// A failure such as an engine reports.
pub(super) fn failure() -> Failure {
    Failure {
        code: "engine_failed".into(),
        class: "infrastructure".into(),
        message: "the engine stopped".into(),
        detail: Vec::new(),
    }
}

/// Whether a lease no longer holds.
pub(super) fn fenced<T>(answer: Result<T, crate::StoreError>) -> bool {
    matches!(answer, Err(crate::StoreError::Fenced))
}

/// Fails unless the store keeps the invariants.
pub(super) async fn audited(store: &dyn Store, now: Timestamp) {
    let seen = store.audit(now).await.unwrap();
    let wrong = domain::invariants::audit(&seen, &std::collections::BTreeSet::new());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A lease nobody was given.
pub(super) fn forged(lease: &Lease, epoch: i64) -> Lease {
    Lease { epoch: domain::Epoch(epoch), ..lease.clone() }
}

/// Some progress.
pub(super) fn progress() -> crate::Progress {
    crate::Progress { stage: "intake".to_owned(), fraction: 0.5 }
}
