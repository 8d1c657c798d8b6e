//! Collection: bytes that no row names are removed.
//!
//! A killed process leaves inputs of dead epochs, half-written files, outputs that were never
//! published, and bytes whose request was never inserted. Nobody else removes them.
//!
//! Invariant: nothing is removed that a row names, or that somebody may still come to name. Files
//! of an epoch are named while its lease is held or never; so those of a lease that is no longer
//! held are dead. A folder without any row may belong to a submit or an upload that is under way:
//! only folders that were there before the first call was taken are looked at.

use std::collections::HashSet;
use std::sync::Arc;

use artifacts::{ArtifactError, Artifacts};
use catalog::KEPT_SCHEME;
use domain::RequestId;
use serde_json::Value;
use store::{RequestRow, Store, StoreError};

/// Where requests keep their bytes, each in a folder with the request's id.
const OF_REQUESTS: [&str; 2] = ["inputs", "outputs"];

/// Where uploads are, each in a folder with its token.
const UPLOADS: &str = "uploads";

/// What was there before this process took its first call.
#[derive(Debug)]
pub struct Leftovers {
    requests: HashSet<String>,
    uploads: Vec<String>,
}

/// Why a collection ended early.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The files could not be listed or removed.
    #[error(transparent)]
    Artifacts(#[from] ArtifactError),
    /// The rows could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a request's row says of its files.
struct Names {
    named: HashSet<String>,
    /// Files of later epochs are not judged by this row.
    dead_up_to: i64,
}

// === impl Leftovers ===

impl Leftovers {
    /// Looks which folders there are. To be called before anything can be submitted or uploaded.
    pub async fn list(artifacts: &Artifacts) -> Result<Self, ArtifactError> {
        let mut requests = HashSet::new();
        for kind in OF_REQUESTS {
            requests.extend(artifacts.folders(kind).await?);
        }
        Ok(Self { requests, uploads: artifacts.folders(UPLOADS).await? })
    }

    /// Removes what no row names; how many files. May run beside everything else.
    pub async fn collect(
        self,
        store: &dyn Store,
        artifacts: &Artifacts,
    ) -> Result<usize, CollectError> {
        let mut removed = 0;
        for name in &self.requests {
            // What this program did not name it does not remove.
            let Ok(id) = name.parse::<RequestId>() else { continue };
            let names = match store.request(&id).await? {
                Some(row) => Names::of(&row, store).await?,
                None => Names::none(),
            };
            let names = Arc::new(names);
            for kind in OF_REQUESTS {
                let (folder, names) = (format!("{kind}/{name}"), Arc::clone(&names));
                removed += artifacts.sweep(&folder, move |path| names.keeps(path)).await?;
            }
        }
        for name in &self.uploads {
            let Ok(token) = name.parse() else { continue };
            let named = store.file(&token).await?.map(|file| file.path);
            let keeps = move |path: &str| named.as_deref() == Some(path);
            removed += artifacts.sweep(&format!("{UPLOADS}/{name}"), keeps).await?;
        }
        Ok(removed)
    }
}

// === impl Names ===

impl Names {
    /// Of a request that does not exist: every file is dead.
    fn none() -> Self {
        Self { named: HashSet::new(), dead_up_to: i64::MAX }
    }

    async fn of(row: &RequestRow, store: &dyn Store) -> Result<Self, StoreError> {
        let mut named = HashSet::new();
        kept(&row.body.input, &mut named);
        let facts = row.body.facts.iter().flat_map(|facts| &facts.0);
        named.extend(facts.map(|input| input.artifact.clone()));
        if let Some(published) = &row.body.published {
            let mut urls = Vec::new();
            texts(&published.output, &mut |text| urls.push(text.to_owned()));
            urls.extend(published.poster.clone());
            for url in urls {
                // `/files/{token}/{name}`
                let token = url.split('/').nth(2).and_then(|token| token.parse().ok());
                let Some(token) = token else { continue };
                named.extend(store.file(&token).await?.map(|file| file.path));
            }
        }
        Ok(Self { named, dead_up_to: row.epoch.0 - i64::from(row.held.is_some()) })
    }

    /// `inputs/{request}/{epoch}/…`, `outputs/{request}/{epoch}/…` or `inputs/{request}/data/…`.
    fn keeps(&self, path: &str) -> bool {
        let epoch = path.split('/').nth(2).and_then(|part| part.parse::<i64>().ok());
        self.named.contains(path) || epoch.is_some_and(|epoch| epoch > self.dead_up_to)
    }
}

/// The paths of bytes that came with the body.
fn kept(input: &Value, named: &mut HashSet<String>) {
    texts(input, &mut |text| named.extend(text.strip_prefix(KEPT_SCHEME).map(str::to_owned)));
}

/// Calls `see` with every text in `value`.
fn texts(value: &Value, see: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => see(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, see)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, see)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use domain::facts::{Facts, ImageFacts, InputFacts, MediaFacts, Role};
    use domain::lease::Stage;
    use domain::queue::Priority;
    use domain::usage::Microdollars;
    use domain::{FileToken, KeyId, Lease, OwnerId, Timestamp, WorkerId};
    use serde_json::json;
    use store::memory::MemoryStore;
    use store::row::PublishedBody;
    use store::{FileRow, NewRequest, Published, Terms};
    use testkit::SeededRng;

    use super::*;

    const NOW: Timestamp = Timestamp(0);

    struct World {
        store: MemoryStore,
        artifacts: Artifacts,
        rng: SeededRng,
        _dir: tempfile::TempDir,
    }

    impl World {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let artifacts = Artifacts::local(dir.path()).unwrap();
            Self { store: MemoryStore::new(), artifacts, rng: SeededRng::new(1), _dir: dir }
        }

        async fn put(&self, path: &str) {
            self.artifacts.put(path, Bytes::from_static(b"x")).await.unwrap();
        }

        /// A request that came with the bytes of its input.
        async fn submit(&self) -> RequestId {
            let id = RequestId::new(NOW, &self.rng);
            let kept = format!("inputs/{id}/data/0");
            self.put(&kept).await;
            let new = NewRequest {
                id: id.clone(),
                owner: OwnerId::new(NOW, &self.rng),
                key: KeyId::new(NOW, &self.rng),
                model: "m".into(),
                input: json!({"looks": [format!("{KEPT_SCHEME}{kept}")]}),
                warnings: Vec::new(),
                priority: Priority::Normal,
                created_at: NOW,
                terms: Terms::default(),
            };
            self.store.insert(new).await.unwrap();
            id
        }

        async fn claim(&self, stage: Stage) -> Lease {
            let worker = WorkerId::new(NOW, &self.rng);
            self.store.claim(stage, &worker, NOW, 60).await.unwrap().unwrap().lease
        }

        /// Ends an intake that fetched one file.
        async fn take_in(&self) -> String {
            let lease = self.claim(Stage::Intake).await;
            let path = format!("inputs/{}/{}/1", lease.request, lease.epoch.0);
            self.put(&path).await;
            let image = ImageFacts { width: 1, height: 1, format: "png".into(), has_alpha: false };
            let facts = Facts(vec![InputFacts {
                pointer: "/looks/0".into(),
                role: Role::Image { n: 1 },
                artifact: path.clone(),
                bytes: 1,
                sha256: String::new(),
                media: MediaFacts::Image(image),
            }]);
            self.store.inputs_kept(&lease, facts, Vec::new(), NOW).await.unwrap();
            path
        }

        fn file(&self, path: &str, request: Option<RequestId>) -> FileRow {
            FileRow {
                token: FileToken::new(&self.rng),
                name: "a.png".into(),
                owner: OwnerId::new(NOW, &self.rng),
                request,
                path: path.to_owned(),
                content_type: "image/png".into(),
                bytes: 1,
                sha256: String::new(),
                created_at: NOW,
            }
        }

        /// What is left after a collection.
        async fn left(&self) -> Vec<String> {
            let leftovers = Leftovers::list(&self.artifacts).await.unwrap();
            leftovers.collect(&self.store, &self.artifacts).await.unwrap();
            let mut left = Vec::new();
            for kind in ["inputs", "outputs", "uploads"] {
                left.extend(self.artifacts.list(kind).await.unwrap());
            }
            left.sort();
            left
        }
    }

    #[tokio::test]
    async fn what_a_row_names_stays() {
        let world = World::new();
        let id = world.submit().await;
        let fetched = world.take_in().await;
        let lease = world.claim(Stage::Run).await;
        let (clip, poster) =
            (format!("outputs/{id}/{}/clip", lease.epoch.0), format!("outputs/{id}/2/poster"));
        let upload = FileToken::new(&world.rng);
        let uploaded = format!("uploads/{upload}/a.png");
        for path in [&clip, &poster, &uploaded] {
            world.put(path).await;
        }
        let files = [&clip, &poster].map(|path| world.file(path, Some(id.clone())));
        let body = PublishedBody {
            output: json!({"images": [files[0].url_path()]}),
            poster: Some(files[1].url_path()),
            plan: Value::Null,
            report: Value::Null,
            cost: Microdollars(0),
        };
        let files = files.to_vec();
        let published = Published { body, files, units: 1, cost: Microdollars(0) };
        world.store.publish(&lease, published, NOW).await.unwrap();
        let row = FileRow { token: upload, ..world.file(&uploaded, None) };
        world.store.add_file(row, &KeyId::new(NOW, &world.rng)).await.unwrap();
        let data = format!("inputs/{id}/data/0");
        assert_eq!(world.left().await, [fetched, data, clip, poster, uploaded]);
    }

    #[tokio::test]
    async fn what_no_row_names_goes() {
        let world = World::new();
        let id = world.submit().await;
        let lease = world.claim(Stage::Intake).await;
        world.put(&format!("inputs/{id}/{}/1", lease.epoch.0)).await;
        world.store.void_leases(NOW).await.unwrap();
        let never_inserted = RequestId::new(NOW, &world.rng);
        world.put(&format!("inputs/{never_inserted}/data/0")).await;
        world.put(&format!("outputs/{id}/1/clip")).await;
        world.put(&format!("uploads/{}/a.png", FileToken::new(&world.rng))).await;
        world.put(&format!("inputs/{id}/data/1")).await;
        assert_eq!(world.left().await, [format!("inputs/{id}/data/0")]);
    }

    #[tokio::test]
    async fn what_is_being_made_stays() {
        let world = World::new();
        let id = world.submit().await;
        let lease = world.claim(Stage::Intake).await;
        let fetching = format!("inputs/{id}/{}/1", lease.epoch.0);
        world.put(&fetching).await;
        assert_eq!(world.left().await, [fetching, format!("inputs/{id}/data/0")]);
        let leftovers = Leftovers::list(&world.artifacts).await.unwrap();
        let arriving = format!("inputs/{}/data/0", RequestId::new(NOW, &world.rng));
        world.put(&arriving).await;
        leftovers.collect(&world.store, &world.artifacts).await.unwrap();
        assert!(world.artifacts.get(&arriving, None).await.is_ok(), "it came after the listing");
    }

    #[tokio::test]
    async fn what_this_program_did_not_name_stays() {
        let world = World::new();
        world.put("inputs/notes/readme").await;
        world.put("uploads/notes/readme").await;
        assert_eq!(world.left().await, ["inputs/notes/readme", "uploads/notes/readme"]);
    }
}
