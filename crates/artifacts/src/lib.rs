//! Bytes in and out: inputs, uploads and outputs, by path, durable before they are named.
//!
//! The invariant: when a `put` has returned, the bytes are on disk (file and folder are synced),
//! whole, and under their path; a put that fails, or a writer that is dropped before it finishes,
//! leaves nothing behind. Paths are relative, `/`-separated and made by this server
//! (`inputs/{request}/…`, `uploads/{token}/…`, `outputs/{request}/{epoch}/…`), never by a client.

mod sweep;

use std::ops::Range;
use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use domain::id::hex;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload,
};
use sha2::{Digest, Sha256};

/// Bytes gathered before one is written on.
const PART_BYTES: usize = 1 << 20;

/// Why bytes could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// There is nothing under the path.
    #[error("there is no file `{0}`")]
    NotFound(String),
    /// The disk or the object store failed.
    #[error("the file store is unavailable: {0}")]
    Unavailable(String),
}

/// What was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutInfo {
    /// Where.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the bytes, lower-case hexadecimal.
    pub sha256: String,
}

/// A file, or a range of it, being read.
pub struct Reading {
    /// Size of the whole file in bytes.
    pub total: u64,
    /// The range that is read.
    pub range: Range<u64>,
    /// Its bytes.
    pub body: BoxStream<'static, Result<Bytes, ArtifactError>>,
}

/// The store of bytes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Artifacts {
    store: Arc<dyn ObjectStore>,
    /// The disk below it.
    disk: Arc<LocalFileSystem>,
    root: Arc<FsPath>,
    /// Each check has a file of its own.
    checks: Arc<AtomicU64>,
}

/// A file being written; dropped before [`Writer::finish`], it leaves nothing behind.
#[must_use = "call finish to keep the bytes"]
pub struct Writer {
    path: String,
    upload: Option<Box<dyn MultipartUpload>>,
    pending: Vec<u8>,
    hash: Sha256,
    bytes: u64,
}

// === impl Artifacts ===

impl Artifacts {
    /// A store in the folder `root`, which is made if it is missing.
    pub fn local(root: &FsPath) -> Result<Self, ArtifactError> {
        Self::through(root, |disk| disk)
    }

    /// Such a store, whose calls go to what `on` makes of its disk.
    pub fn through(
        root: &FsPath,
        on: impl FnOnce(Arc<LocalFileSystem>) -> Arc<dyn ObjectStore>,
    ) -> Result<Self, ArtifactError> {
        let unavailable = |e: &dyn std::fmt::Display| {
            ArtifactError::Unavailable(format!("`{}`: {e}", root.display()))
        };
        std::fs::create_dir_all(root).map_err(|e| unavailable(&e))?;
        let disk = LocalFileSystem::new_with_prefix(root).map_err(|e| unavailable(&e))?;
        let disk = Arc::new(disk.with_fsync(true));
        let store = on(Arc::clone(&disk));
        Ok(Self { store, disk, root: root.into(), checks: Arc::default() })
    }

    /// Starts a file.
    pub async fn writer(&self, path: &str) -> Result<Writer, ArtifactError> {
        let upload = self.store.put_multipart(&Path::from(path)).await.map_err(from(path))?;
        Ok(Writer {
            path: path.to_owned(),
            upload: Some(upload),
            pending: Vec::with_capacity(PART_BYTES),
            hash: Sha256::new(),
            bytes: 0,
        })
    }

    /// Keeps bytes that are in memory.
    pub async fn put(&self, path: &str, bytes: Bytes) -> Result<PutInfo, ArtifactError> {
        let sha256 = hex(&Sha256::digest(&bytes));
        let len = bytes.len() as u64;
        self.store.put(&Path::from(path), PutPayload::from(bytes)).await.map_err(from(path))?;
        Ok(PutInfo { path: path.to_owned(), bytes: len, sha256 })
    }

    /// Keeps a copy of a local file.
    pub async fn put_file(&self, path: &str, source: &FsPath) -> Result<PutInfo, ArtifactError> {
        use tokio::io::AsyncReadExt;
        let failed = |e: std::io::Error| {
            ArtifactError::Unavailable(format!("reading `{}`: {e}", source.display()))
        };
        let mut file = tokio::fs::File::open(source).await.map_err(failed)?;
        let mut writer = self.writer(path).await?;
        let mut buffer = vec![0; PART_BYTES];
        loop {
            let read = file.read(&mut buffer).await.map_err(failed)?;
            match buffer.get(..read) {
                Some([]) | None => return writer.finish().await,
                Some(bytes) => writer.write(bytes).await?,
            }
        }
    }

    /// Reads a file, or the part of it that `range` names (cut at its end).
    pub async fn get(
        &self,
        path: &str,
        range: Option<Range<u64>>,
    ) -> Result<Reading, ArtifactError> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let got = self.store.get_opts(&Path::from(path), options).await.map_err(from(path))?;
        let (total, range) = (got.meta.size, got.range.clone());
        let owned = path.to_owned();
        let body = got.into_stream().map_err(move |e| from(&owned)(e)).boxed();
        Ok(Reading { total, range, body })
    }

    /// Where the bytes are on this machine's disk, for programs that read files by name.
    pub fn local_path(&self, path: &str) -> Result<PathBuf, ArtifactError> {
        self.disk.path_to_filesystem(&Path::from(path)).map_err(from(path))
    }

    /// Removes a file, and the folders that are empty then; one that is not there is no fault.
    pub async fn delete(&self, path: &str) -> Result<(), ArtifactError> {
        match self.store.delete(&Path::from(path)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => self.tidy(path).await,
            Err(e) => Err(from(path)(e)),
        }
    }

    /// The paths of all files below `prefix`.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, ArtifactError> {
        self.store
            .list(Some(&Path::from(prefix)))
            .map_ok(|meta| meta.location.to_string())
            .try_collect()
            .await
            .map_err(from(prefix))
    }

    /// Removes everything below `folder`, half-written files too.
    pub async fn delete_all(&self, folder: &str) -> Result<(), ArtifactError> {
        self.sweep(folder, |_| false).await?;
        self.tidy(folder).await
    }

    /// Fails if bytes cannot be written, read and removed now.
    pub async fn check(&self) -> Result<(), ArtifactError> {
        let path = format!("check/{}", self.checks.fetch_add(1, Ordering::Relaxed));
        self.put(&path, Bytes::from_static(b"reshoot")).await?;
        self.get(&path, None).await?;
        self.delete(&path).await
    }
}

// === impl Writer ===

impl Writer {
    /// Appends bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), ArtifactError> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= PART_BYTES { self.flush().await } else { Ok(()) }
    }

    /// Bytes written so far.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Makes the file durable and visible under its path.
    pub async fn finish(mut self) -> Result<PutInfo, ArtifactError> {
        self.flush().await?;
        if let Some(mut upload) = self.upload.take() {
            upload.complete().await.map_err(from(&self.path))?;
        }
        let path = std::mem::take(&mut self.path);
        let sha256 = hex(&std::mem::take(&mut self.hash).finalize());
        Ok(PutInfo { path, bytes: self.bytes, sha256 })
    }

    async fn flush(&mut self) -> Result<(), ArtifactError> {
        let part = std::mem::replace(&mut self.pending, Vec::with_capacity(PART_BYTES));
        if let (Some(upload), false) = (&mut self.upload, part.is_empty()) {
            upload.put_part(PutPayload::from(part)).await.map_err(from(&self.path))?;
        }
        Ok(())
    }
}

fn from(path: &str) -> impl Fn(object_store::Error) -> ArtifactError + '_ {
    move |e| match e {
        object_store::Error::NotFound { .. } => ArtifactError::NotFound(path.to_owned()),
        other => ArtifactError::Unavailable(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(reading: Reading) -> Vec<u8> {
        reading
            .body
            .try_fold(Vec::new(), |mut all, part| async move {
                all.extend_from_slice(&part);
                Ok(all)
            })
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn what_was_put_is_read_back_whole_and_by_range() {
        let dir = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::local(dir.path()).unwrap();
        let mut writer = artifacts.writer("outputs/a/b.mp4").await.unwrap();
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| n as u8).collect();
        for part in bytes.chunks(70_001) {
            writer.write(part).await.unwrap();
        }
        let info = writer.finish().await.unwrap();
        assert_eq!((info.bytes, info.sha256.len()), (3_000_000, 64));
        assert_eq!(info.sha256, hex(&Sha256::digest(&bytes)));
        assert_eq!(all(artifacts.get("outputs/a/b.mp4", None).await.unwrap()).await, bytes);
        let part = artifacts.get("outputs/a/b.mp4", Some(2_999_990..4_000_000)).await.unwrap();
        assert_eq!((part.total, part.range.clone()), (3_000_000, 2_999_990..3_000_000));
        assert_eq!(all(part).await, bytes[2_999_990..]);
    }

    #[tokio::test]
    async fn an_unfinished_write_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::local(dir.path()).unwrap();
        let mut writer = artifacts.writer("inputs/r/0").await.unwrap();
        writer.write(&vec![7; 3 << 20]).await.unwrap();
        drop(writer);
        assert!(matches!(artifacts.get("inputs/r/0", None).await, Err(ArtifactError::NotFound(_))));
        assert!(artifacts.list("inputs").await.unwrap().is_empty());
        artifacts.delete_all("inputs/r").await.unwrap();
        assert!(artifacts.folders("inputs").await.unwrap().is_empty());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn checks_do_not_disturb_one_another() {
        let dir = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::local(dir.path()).unwrap();
        let mut checks = tokio::task::JoinSet::new();
        for _ in 0..64 {
            let artifacts = artifacts.clone();
            checks.spawn(async move { artifacts.check().await });
        }
        for check in checks.join_all().await {
            check.unwrap();
        }
    }

    #[tokio::test]
    async fn deleting_twice_is_no_fault() {
        let dir = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::local(dir.path()).unwrap();
        artifacts.put("inputs/r/1/0", Bytes::from_static(b"x")).await.unwrap();
        artifacts.delete_all("inputs/r/1").await.unwrap();
        artifacts.delete("inputs/r/1/0").await.unwrap();
        assert!(artifacts.list("inputs").await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn folders_go_with_their_last_file() {
        let dir = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::local(dir.path()).unwrap();
        for path in ["inputs/r/1/0", "inputs/r/data/0"] {
            artifacts.put(path, Bytes::from_static(b"x")).await.unwrap();
        }
        artifacts.delete("inputs/r/1/0").await.unwrap();
        assert!(!dir.path().join("inputs/r/1").exists());
        assert_eq!(artifacts.folders("inputs").await.unwrap(), ["r"]);
        artifacts.delete_all("inputs/r/data").await.unwrap();
        assert!(artifacts.folders("inputs").await.unwrap().is_empty());
    }
}
