//! Files that are slow, and fail half of their calls, before they have done anything or after.

use std::collections::BTreeSet;
use std::sync::Arc;

use artifacts::Artifacts;
use domain::State;
use domain::invariants::audit;
use store::Store as _;
use testkit::Chaos;

use super::steps::Life;
use super::world::World;
use crate::Leftovers;

/// As many lives as it takes to see both ends.
const LIVES: u64 = 40;

#[tokio::test]
async fn a_clip_whose_files_fail_half_of_their_calls_is_whole_or_honestly_failed() {
    let (mut succeeded, mut failed) = (0, 0);
    for seed in 0..LIVES {
        let mut world = World::new();
        let mut chaos = None;
        world.artifacts = Artifacts::through(&world.path().join("files"), |disk| {
            Arc::new(chaos.insert(Chaos::new(disk, seed)).clone())
        })
        .unwrap();
        let (life, chaos) = (Life::of(world).await, chaos.unwrap());
        life.work().await;
        chaos.calm_down();
        let row = life.world.row(&life.id).await;
        match row.state {
            State::Succeeded => {
                life.audit("chaos").await;
                let path = &life.world.artifacts.list("outputs").await.unwrap()[0];
                let reading = life.world.artifacts.get(path, None).await.unwrap();
                assert!(reading.total > 0, "seed {seed}: an empty clip");
                succeeded += 1;
            }
            State::Failed => {
                let code = row.body.failure.as_ref().map(|failure| failure.code.as_str());
                assert_eq!(code, Some("attempts_exhausted"), "seed {seed}");
                let seen = life.world.store.audit(life.world.now()).await.unwrap();
                let wrong = audit(&seen, &BTreeSet::from([life.id.clone()]));
                assert!(wrong.is_empty(), "seed {seed}: {wrong:#?}");
                let leftovers = Leftovers::list(&life.world.artifacts).await.unwrap();
                let store = life.world.store.as_ref();
                leftovers.collect(store, &life.world.artifacts).await.unwrap();
                let outputs = life.world.artifacts.list("outputs").await.unwrap();
                assert!(outputs.is_empty(), "seed {seed}: {outputs:?}");
                failed += 1;
            }
            other => panic!("seed {seed}: it is {other:?}"),
        }
        assert!(chaos.failed() > 0 || row.state == State::Succeeded, "seed {seed}");
    }
    assert!(succeeded > 0 && failed > 0, "{succeeded} succeeded, {failed} failed");
}
