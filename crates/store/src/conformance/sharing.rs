//! Links that show a result.

use domain::{OwnerId, RequestId, ShareToken};

use super::making::{Maker, START};
use crate::Store;
use crate::retention::{Cutoffs, Removal};
use crate::sharing::Link;

/// A published request of a new owner.
async fn published(store: &dyn Store, maker: &Maker) -> (OwnerId, RequestId) {
    let run = maker.running(store).await;
    let (owner, id) = (run.row.owner, run.row.id);
    store.publish(&run.lease, maker.published(&owner, &id), START).await.unwrap();
    (owner, id)
}

async fn shared(store: &dyn Store, token: &ShareToken) -> Option<RequestId> {
    store.shared(token).await.unwrap().map(|row| row.id)
}

/// A result has one link, which its owner alone makes and takes back.
pub async fn a_result_has_one_link(store: &dyn Store) {
    let maker = Maker::new(91);
    let (owner, id) = published(store, &maker).await;
    let (_, other) = published(store, &maker).await;
    let (first, second, third) = (maker.link(), maker.link(), maker.link());
    assert_eq!(store.share(&maker.owner(), &id, &first).await.unwrap(), Link::NotFound);
    assert_eq!(store.link(&id).await.unwrap(), None);
    assert_eq!(store.share(&owner, &id, &first).await.unwrap(), Link::Stands(first.clone()));
    assert_eq!(store.share(&owner, &id, &second).await.unwrap(), Link::Stands(first.clone()));
    assert_eq!(store.link(&id).await.unwrap(), Some(first.clone()));
    assert_eq!(store.link(&other).await.unwrap(), None);
    let row = store.shared(&first).await.unwrap();
    assert_eq!(row, store.request(&id).await.unwrap());
    assert_eq!(shared(store, &second).await, None, "it was not needed");

    assert!(!store.unshare(&maker.owner(), &id).await.unwrap());
    assert_eq!(shared(store, &first).await, Some(id.clone()), "a stranger took nothing back");
    assert!(store.unshare(&owner, &id).await.unwrap());
    assert!(store.unshare(&owner, &id).await.unwrap(), "also where there is none");
    assert_eq!((shared(store, &first).await, store.link(&id).await.unwrap()), (None, None));
    assert_eq!(store.share(&owner, &id, &third).await.unwrap(), Link::Stands(third.clone()));
    assert_eq!((shared(store, &third).await, shared(store, &first).await), (Some(id), None));
}

/// Only what has succeeded is shared.
pub async fn nothing_but_a_result_is_shared(store: &dyn Store) {
    let maker = Maker::new(92);
    let (owner, link) = (maker.owner(), maker.link());
    let new = maker.request(&owner, domain::Priority::Normal);
    let id = store.insert(new).await.unwrap().status.id;
    assert_eq!(store.share(&owner, &id, &link).await.unwrap(), Link::NoResult);
    assert!(store.unshare(&owner, &id).await.unwrap());
    store.cancel(&id, false, START).await.unwrap();
    assert_eq!(store.share(&owner, &id, &link).await.unwrap(), Link::NoResult);
    assert_eq!(shared(store, &link).await, None);
    let unknown = maker.request(&owner, domain::Priority::Normal).id;
    assert_eq!(store.share(&owner, &unknown, &link).await.unwrap(), Link::NotFound);
    assert!(!store.unshare(&owner, &unknown).await.unwrap());
    assert_eq!(store.link(&unknown).await.unwrap(), None);
}

/// A link ends with its request, whether that is removed or retired, and with no other.
pub async fn a_link_ends_with_its_request(store: &dyn Store) {
    let maker = Maker::new(93);
    let mut kept = Vec::new();
    for _ in 0..3 {
        let ((owner, id), link) = (published(store, &maker).await, maker.link());
        store.share(&owner, &id, &link).await.unwrap();
        kept.push((owner, id, link));
    }
    let [first, second, third] = <[_; 3]>::try_from(kept).unwrap();
    assert_eq!(store.remove(&first.0, &first.1).await.unwrap(), Removal::Done);
    assert_eq!(shared(store, &first.2).await, None);
    assert_eq!(store.link(&first.1).await.unwrap(), None);
    assert_eq!(shared(store, &second.2).await, Some(second.1.clone()));
    assert_eq!(shared(store, &third.2).await, Some(third.1));
    let cutoffs = Cutoffs { now: START, results: Some(START), ..Cutoffs::default() };
    assert_eq!(store.retire(cutoffs, 1).await.unwrap(), 1);
    assert_eq!(
        (shared(store, &second.2).await, store.link(&second.1).await.unwrap()),
        (None, None)
    );
    assert!(shared(store, &third.2).await.is_some());
}
