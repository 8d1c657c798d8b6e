//! Many at once on one store.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::facts::Facts;
use domain::invariants::audit;
use domain::{Priority, Stage, State};

use super::making::{Maker, START};
use crate::Store;

/// Clients and workers at once, all on one store: every request ends, and is charged once.
pub async fn many_at_once(store: &dyn Store) {
    const EACH: usize = 20;
    let done = AtomicUsize::new(0);
    let client = async |seed: u64| {
        let maker = Maker::new(seed);
        let owner = maker.owner();
        for _ in 0..EACH {
            let status =
                store.insert(maker.request(&owner, Priority::Normal)).await.unwrap().status;
            assert!(store.status(&status.id).await.unwrap().is_some());
        }
    };
    let worker = async |seed: u64| {
        let maker = Maker::new(seed);
        let worker = maker.worker();
        while done.load(Ordering::SeqCst) < 4 * EACH {
            if let Some(held) = store.claim(Stage::Intake, &worker, START, 30).await.unwrap() {
                store.inputs_kept(&held.lease, Facts::default(), vec![], START).await.unwrap();
            }
            if let Some(held) = store.claim(Stage::Run, &worker, START, 30).await.unwrap() {
                let published = maker.published(&held.row.owner, &held.row.id);
                store.publish(&held.lease, published, START).await.unwrap();
                done.fetch_add(1, Ordering::SeqCst);
            }
            YieldOnce::default().await;
        }
    };
    let clients = both(both(client(51), client(52)), both(client(53), client(54)));
    both(clients, both(worker(55), both(worker(56), worker(57)))).await;
    let seen = store.audit(START).await.unwrap();
    assert_eq!(seen.len(), 4 * EACH);
    assert!(seen.iter().all(|one| one.state == State::Succeeded && one.charges == 1));
    let wrong = audit(&seen, &BTreeSet::new());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Two futures side by side on one task.
async fn both(a: impl Future<Output = ()>, b: impl Future<Output = ()>) {
    let (mut a, mut b) = (Box::pin(a), Box::pin(b));
    let (mut a_done, mut b_done) = (false, false);
    std::future::poll_fn(move |context| {
        a_done = a_done || a.as_mut().poll(context).is_ready();
        b_done = b_done || b.as_mut().poll(context).is_ready();
        if a_done && b_done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

/// Lets the others have a turn.
#[derive(Default)]
struct YieldOnce(bool);

impl Future for YieldOnce {
    type Output = ();

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<()> {
        if self.0 {
            return std::task::Poll::Ready(());
        }
        self.0 = true;
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    }
}
