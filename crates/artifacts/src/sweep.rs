//! Removing bytes that nothing names.
//!
//! A process that is killed leaves files that no row names, and half-written ones, which the
//! store's own listing hides: so this looks at the disk itself. What is named is the caller's to
//! know; nothing is removed that the caller wants kept.

use std::io;
use std::path::Path;

use crate::{ArtifactError, Artifacts};

// === impl Artifacts ===

impl Artifacts {
    /// The folders directly below `kind`, by name: one for each request or upload that ever put
    /// bytes there.
    pub async fn folders(&self, kind: &str) -> Result<Vec<String>, ArtifactError> {
        let folder = self.root.join(kind);
        blocking(kind, move || names(&folder)).await
    }

    /// Removes the files below `folder` that `keeps` says no to, and folders that are empty then.
    /// `keeps` is given paths; that of a half-written file ends in `#` and a number. Returns how
    /// many files were removed.
    pub async fn sweep(
        &self,
        folder: &str,
        keeps: impl Fn(&str) -> bool + Send + 'static,
    ) -> Result<usize, ArtifactError> {
        let (root, path) = (self.root.clone(), folder.to_owned());
        blocking(folder, move || clear(&root, &path, &keeps)).await
    }

    /// Removes the folders above `path` that are empty. One directly below the root stays: others
    /// may be about to put something there.
    pub(crate) async fn tidy(&self, path: &str) -> Result<(), ArtifactError> {
        let (root, mut folder) = (self.root.clone(), path.to_owned());
        let climb = move || {
            while let Some(slash) = folder.rfind('/') {
                folder.truncate(slash);
                if !folder.contains('/') || std::fs::remove_dir(root.join(&folder)).is_err() {
                    break;
                }
            }
            Ok(())
        };
        blocking(path, climb).await
    }
}

async fn blocking<T: Send + 'static>(
    path: &str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, ArtifactError> {
    let failed = |e: &dyn std::fmt::Display| ArtifactError::Unavailable(format!("`{path}`: {e}"));
    tokio::task::spawn_blocking(work).await.map_err(|e| failed(&e))?.map_err(|e| failed(&e))
}

/// The names in a folder; none where there is no such folder. Names that are not UTF-8 were not
/// given by this program.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let named = |entry: io::Result<std::fs::DirEntry>| match entry {
        Ok(entry) => entry.file_name().into_string().ok().map(Ok),
        Err(e) => Some(Err(e)),
    };
    entries.filter_map(named).collect()
}

fn clear(root: &Path, folder: &str, keeps: &impl Fn(&str) -> bool) -> io::Result<usize> {
    let mut removed = 0;
    for name in names(&root.join(folder))? {
        let path = format!("{folder}/{name}");
        let full = root.join(&path);
        if std::fs::symlink_metadata(&full).is_ok_and(|found| found.is_dir()) {
            removed += clear(root, &path, keeps)?;
        } else if !keeps(&path) {
            match std::fs::remove_file(&full) {
                Ok(()) => removed += 1,
                // A writer that was dropped removes its file by itself.
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
    }
    // Refused by the system unless the folder is empty.
    let _ = std::fs::remove_dir(root.join(folder));
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[tokio::test]
    async fn what_is_not_kept_goes_with_its_empty_folders() {
        let dir = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::local(dir.path()).unwrap();
        for path in ["inputs/a/1/0", "inputs/a/2/0", "inputs/b/data/0"] {
            artifacts.put(path, Bytes::from_static(b"x")).await.unwrap();
        }
        let mut half = artifacts.writer("inputs/a/1/1").await.unwrap();
        half.write(&vec![0; 2 << 20]).await.unwrap();
        // As a kill would: nothing gets to clean up.
        std::mem::forget(half);
        let mut folders = artifacts.folders("inputs").await.unwrap();
        folders.sort();
        assert_eq!(folders, ["a", "b"]);

        let removed = artifacts.sweep("inputs/a", |path| path == "inputs/a/2/0").await.unwrap();
        assert_eq!(removed, 2);
        assert!(!dir.path().join("inputs/a/1").exists());
        assert_eq!(artifacts.list("inputs/a").await.unwrap(), ["inputs/a/2/0"]);
        assert_eq!(artifacts.sweep("inputs/b", |_| false).await.unwrap(), 1);
        assert_eq!(artifacts.folders("inputs").await.unwrap(), ["a"]);
        assert!(artifacts.folders("outputs").await.unwrap().is_empty());
    }
}
