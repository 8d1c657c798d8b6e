//! A file store that fails some of its calls, and is slow at others.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::Rng as _;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
    UploadPart,
};

use crate::SeededRng;

/// Of 256 calls so many fail: half of these before they have done anything, and half after.
const FAIL: u8 = 128;
/// And so many take their time.
const SLOW: u8 = 64;
const DELAY: Duration = Duration::from_millis(20);

/// Another store, with trouble. Cheap to clone; the clones are one.
#[derive(Clone)]
pub struct Chaos {
    inner: Arc<dyn ObjectStore>,
    trouble: Arc<Trouble>,
}

struct Trouble {
    rng: SeededRng,
    calm: AtomicBool,
    failed: AtomicU64,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Done,
    FailsBefore,
    FailsAfter,
}

/// An upload of it.
#[derive(Debug)]
struct Upload {
    inner: Box<dyn MultipartUpload>,
    chaos: Chaos,
}

// === impl Chaos ===

impl Chaos {
    /// Which calls fail follows from `seed`, as far as their order does.
    pub fn new(inner: Arc<dyn ObjectStore>, seed: u64) -> Self {
        let rng = SeededRng::new(seed);
        let trouble = Trouble { rng, calm: AtomicBool::new(false), failed: AtomicU64::new(0) };
        Self { inner, trouble: Arc::new(trouble) }
    }

    /// From now on nothing fails.
    pub fn calm_down(&self) {
        self.trouble.calm.store(true, Ordering::Relaxed);
    }

    /// How many calls have failed.
    pub fn failed(&self) -> u64 {
        self.trouble.failed.load(Ordering::Relaxed)
    }

    fn draw(&self) -> (Fate, Duration) {
        if self.trouble.calm.load(Ordering::Relaxed) {
            return (Fate::Done, Duration::ZERO);
        }
        let mut byte = [0];
        self.trouble.rng.fill(&mut byte);
        let fate = match byte[0] {
            n if n < FAIL / 2 => Fate::FailsBefore,
            n if n < FAIL => Fate::FailsAfter,
            n => return (Fate::Done, if n < FAIL + SLOW { DELAY } else { Duration::ZERO }),
        };
        self.trouble.failed.fetch_add(1, Ordering::Relaxed);
        (fate, Duration::ZERO)
    }

    /// Makes a call, or does not, and says what came of it.
    async fn call<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let (fate, delay) = self.draw();
        if fate == Fate::FailsBefore {
            return Err(refused());
        }
        tokio::time::sleep(delay).await;
        let out = work.await?;
        if fate == Fate::FailsAfter { Err(refused()) } else { Ok(out) }
    }
}

fn refused() -> Error {
    Error::Generic { store: "chaos", source: "the file store is in trouble".into() }
}

impl fmt::Debug for Chaos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chaos").finish_non_exhaustive()
    }
}

impl fmt::Display for Chaos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("chaos")
    }
}

#[async_trait]
impl ObjectStore for Chaos {
    async fn put_opts(
        &self,
        at: &Path,
        bytes: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.call(self.inner.put_opts(at, bytes, options)).await
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let inner = self.call(self.inner.put_multipart_opts(at, options)).await?;
        Ok(Box::new(Upload { inner, chaos: self.clone() }))
    }

    /// A read that fails late breaks off in the middle.
    async fn get_opts(&self, at: &Path, options: GetOptions) -> Result<GetResult> {
        let (fate, delay) = self.draw();
        if fate == Fate::FailsBefore {
            return Err(refused());
        }
        tokio::time::sleep(delay).await;
        let mut got = self.inner.get_opts(at, options).await?;
        if fate == Fate::FailsAfter {
            let broken = stream::iter([Ok(Bytes::from_static(b"half")), Err(refused())]);
            got.payload = GetResultPayload::Stream(broken.boxed());
        }
        Ok(got)
    }

    async fn get_ranges(&self, at: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.call(self.inner.get_ranges(at, ranges)).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        match self.draw().0 {
            Fate::FailsBefore => stream::once(async { Err(refused()) }).boxed(),
            Fate::FailsAfter => self.inner.delete_stream(paths).map(|_| Err(refused())).boxed(),
            Fate::Done => self.inner.delete_stream(paths),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.draw().0 {
            Fate::Done => self.inner.list(prefix),
            _ => stream::once(async { Err(refused()) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.call(self.inner.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.call(self.inner.copy_opts(from, to, options)).await
    }
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, bytes: PutPayload) -> UploadPart {
        let (chaos, part) = (self.chaos.clone(), self.inner.put_part(bytes));
        Box::pin(async move { chaos.call(part).await })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.chaos.call(self.inner.complete()).await
    }

    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await
    }
}
