//! Keys and the names of files.

use super::making::{Maker, START};
use crate::{Store, StoreError};

/// Keys are found by hash, listed by owner, and refused twice.
pub async fn keys_are_kept(store: &dyn Store) {
    let maker = Maker::new(31);
    let (owner, other) = (maker.owner(), maker.owner());
    let (late, late_hash) = maker.key(&owner, START.plus_secs(5));
    let (early, early_hash) = maker.key(&owner, START);
    let (foreign, foreign_hash) = maker.key(&other, START.plus_secs(9));
    for (key, hash) in [(&late, late_hash), (&early, early_hash), (&foreign, foreign_hash)] {
        store.add_key(key.clone(), hash).await.unwrap();
        assert_eq!(store.key_by_hash(hash).await.unwrap().as_ref(), Some(key));
    }
    assert_eq!(store.keys(Some(&owner)).await.unwrap(), [early.clone(), late.clone()]);
    assert_eq!(store.keys(None).await.unwrap(), [early, late.clone(), foreign]);
    let (fresh, fresh_hash) = maker.key(&owner, START);
    assert_eq!(store.key_by_hash(fresh_hash).await.unwrap(), None);
    assert!(exists(store.add_key(fresh, late_hash).await), "the hash is taken");
    assert!(exists(store.add_key(late, fresh_hash).await), "the id is taken");
    assert_eq!(store.keys(None).await.unwrap().len(), 3);
    let ids: Vec<_> = store.keys(None).await.unwrap().into_iter().map(|key| key.id).collect();
    assert!(store.rename_key(&ids[0], "desk").await.unwrap());
    assert_eq!(store.key_by_hash(early_hash).await.unwrap().unwrap().name, "desk");
    assert!(!store.rename_key(&maker.key_id(), "desk").await.unwrap());
}

/// A revoked key is still found, and keeps the moment of its first revocation.
pub async fn keys_are_revoked(store: &dyn Store) {
    let maker = Maker::new(32);
    let (key, hash) = maker.key(&maker.owner(), START);
    assert!(!store.revoke_key(&key.id, START).await.unwrap());
    store.add_key(key.clone(), hash).await.unwrap();
    for secs in [1, 2] {
        assert!(store.revoke_key(&key.id, START.plus_secs(secs)).await.unwrap());
        let found = store.key_by_hash(hash).await.unwrap().unwrap();
        assert_eq!(found.revoked_at, Some(START.plus_secs(1)));
    }
}

/// Uses are listed as they were last written; a key that is not there is passed over, and a
/// successor was not used.
pub async fn uses_of_keys_are_kept(store: &dyn Store) {
    let maker = Maker::new(35);
    let owner = maker.owner();
    let ((one, one_hash), (two, two_hash)) =
        (maker.key(&owner, START), maker.key(&owner, START.plus_secs(1)));
    for (key, hash) in [(&one, one_hash), (&two, two_hash)] {
        store.add_key(key.clone(), hash).await.unwrap();
    }
    let uses = async || -> Vec<_> {
        store.keys(None).await.unwrap().into_iter().map(|key| key.last_used_at).collect()
    };
    assert_eq!(uses().await, [None, None]);
    let at = START.plus_secs(60);
    store.note_uses(&[(maker.key_id(), at), (two.id.clone(), at)]).await.unwrap();
    assert_eq!(uses().await, [None, Some(at)]);
    let later = at.plus_secs(60);
    store.note_uses(&[(one.id.clone(), at), (two.id.clone(), later)]).await.unwrap();
    assert_eq!(uses().await, [Some(at), Some(later)]);
    // A revocation and a name leave it alone.
    store.revoke_key(&one.id, later).await.unwrap();
    store.rename_key(&two.id, "desk").await.unwrap();
    assert_eq!(uses().await, [Some(at), Some(later)]);
    let (new, hash) = maker.key(&owner, START);
    let made = store.rotate_key(&two.id, new.id, hash, later).await.unwrap().unwrap();
    assert_eq!(made.last_used_at, None);
}

/// A successor takes over owner, name and role; a revoked key has none.
pub async fn keys_are_rotated(store: &dyn Store) {
    let maker = Maker::new(33);
    let (old, old_hash) = maker.key(&maker.owner(), START);
    let (new, new_hash) = maker.key(&maker.owner(), START);
    let later = START.plus_secs(60);
    let rotate = |hash| store.rotate_key(&old.id, new.id.clone(), hash, later);
    assert_eq!(rotate(new_hash).await.unwrap(), None);
    store.add_key(old.clone(), old_hash).await.unwrap();
    assert!(exists(rotate(old_hash).await), "the hash is taken");
    assert_eq!(store.key_by_hash(old_hash).await.unwrap().unwrap().revoked_at, None);
    let made = rotate(new_hash).await.unwrap().unwrap();
    assert_eq!((&made.id, &made.owner, &made.name), (&new.id, &old.owner, &old.name));
    assert_eq!((made.role, made.created_at, made.revoked_at), (old.role, later, None));
    assert_eq!(store.key_by_hash(new_hash).await.unwrap(), Some(made));
    let revoked = store.key_by_hash(old_hash).await.unwrap().unwrap();
    assert_eq!(revoked.revoked_at, Some(later));
    assert_eq!(rotate(new_hash).await.unwrap(), None, "it is revoked");
}

/// A token names one file for good.
pub async fn files_are_named_once(store: &dyn Store) {
    let maker = Maker::new(34);
    let file = maker.file(&maker.owner(), None);
    assert_eq!(store.file(&file.token).await.unwrap(), None);
    store.add_file(file.clone(), &maker.key_id()).await.unwrap();
    let again = crate::FileRow { path: "elsewhere".to_owned(), ..file.clone() };
    assert!(exists(store.add_file(again, &maker.key_id()).await));
    assert_eq!(store.file(&file.token).await.unwrap(), Some(file));
}

fn exists<T>(answer: Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Exists(_)))
}
