use bytes::Bytes;
use domain::{FileToken, KeyId, RequestId, Stage, State};
use store::{FileRow, Retention as _};
use tokio::task::JoinSet;

use super::*;
use crate::Launcher;
use crate::run_stage::make;
use crate::tests::world::{MODEL, World};

const HOUR: Duration = Duration::from_hours(1);

/// A look at everything has passed.
async fn a_minute_passes() {
    sleep(RETIRE_PERIOD + 2 * SHORTEST_SLEEP).await;
}

fn upkeep(world: &World, policy: Policy) -> JoinSet<()> {
    let upkeep = Upkeep::new(UpkeepParts {
        store: world.store.clone(),
        artifacts: world.artifacts.clone(),
        clock: world.clock.clone(),
        policy,
        metrics: world.metrics.clone(),
    });
    let mut tasks = JoinSet::new();
    tasks.spawn(upkeep.run(CancellationToken::new()));
    tasks
}

async fn put(world: &World, path: &str) {
    world.artifacts.put(path, Bytes::from_static(b"x")).await.unwrap();
}

/// A request that has ended.
async fn bare(world: &World) -> RequestId {
    let id = world.submit(world.request()).await;
    world.store.cancel(&id, false, world.now()).await.unwrap();
    id
}

/// A request that has ended, with an input and an output.
async fn ended(world: &World) -> RequestId {
    let id = bare(world).await;
    put(world, &format!("inputs/{id}/data/0")).await;
    put(world, &format!("outputs/{id}/1/v.mp4")).await;
    id
}

async fn left(world: &World, kind: &str) -> Vec<String> {
    world.artifacts.folders(kind).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_is_old_goes_with_its_bytes() {
    let world = World::new();
    let old = ended(&world).await;
    let policy = Policy { inputs: Some(HOUR), results: Some(2 * HOUR), uploads: None };
    let _upkeep = upkeep(&world, policy);
    world.clock.advance_secs(3599);
    a_minute_passes().await;
    assert_eq!(left(&world, "inputs").await, [old.as_str()]);

    world.clock.advance_secs(1);
    let new = ended(&world).await;
    a_minute_passes().await;
    assert_eq!(left(&world, "inputs").await, [new.as_str()]);
    assert_eq!(left(&world, "outputs").await.len(), 2);
    assert_eq!(world.row(&old).await.state, State::Cancelled);

    world.clock.advance_secs(3600);
    a_minute_passes().await;
    assert_eq!(left(&world, "outputs").await, [new.as_str()]);
    assert_eq!(world.store.request(&old).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_an_open_request_needs_is_kept_until_its_end() {
    let world = World::new();
    let token = FileToken::new(&*world.rng);
    let path = format!("uploads/{token}/a.mp4");
    put(&world, &path).await;
    let mut new = world.request();
    new.terms.uses = vec![token.clone()];
    let file = FileRow {
        token: token.clone(),
        name: "a.mp4".into(),
        owner: new.owner.clone(),
        request: None,
        path,
        content_type: "video/mp4".into(),
        bytes: 1,
        sha256: String::new(),
        created_at: world.now(),
    };
    world.store.add_file(file, &KeyId::new(world.now(), &*world.rng)).await.unwrap();
    let id = world.submit(new).await;
    let _upkeep = upkeep(&world, Policy { uploads: Some(HOUR), ..Policy::default() });
    world.clock.advance_secs(7200);
    a_minute_passes().await;
    assert_eq!(left(&world, "uploads").await, [token.to_string()]);
    world.store.cancel(&id, false, world.now()).await.unwrap();
    a_minute_passes().await;
    assert!(left(&world, "uploads").await.is_empty());
    assert_eq!(world.store.file(&token).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_for_ever_stays() {
    let world = World::new();
    let id = ended(&world).await;
    let _upkeep = upkeep(&world, Policy::default());
    world.clock.advance_secs(100 * 365 * 86_400);
    a_minute_passes().await;
    assert_eq!(left(&world, "inputs").await, [id.as_str()]);
    let for_ever = Policy { results: Some(Duration::MAX), ..Policy::default() };
    assert!(for_ever.cutoffs(world.now()).results.unwrap() < Timestamp(0));
}

#[tokio::test(start_paused = true)]
async fn bytes_of_what_its_owner_removes_go_within_two_seconds() {
    let world = World::new();
    // With two folders each, more than are looked at together.
    let mut ids = Vec::new();
    for _ in 0..BATCH / 2 {
        ids.push(bare(&world).await);
    }
    world.clock.advance_secs(1);
    ids.push(ended(&world).await);
    let _upkeep = upkeep(&world, Policy::default());
    sleep(5 * SHORTEST_SLEEP).await;
    for id in ids {
        let owner = world.row(&id).await.owner;
        world.store.remove(&owner, &id).await.unwrap();
    }
    sleep(2 * SHORTEST_SLEEP).await;
    assert!(left(&world, "inputs").await.is_empty() && left(&world, "outputs").await.is_empty());
    assert!(world.store.trash(9).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_cannot_be_deleted_is_left_for_the_next_look_and_holds_up_no_other() {
    let world = World::new();
    // More than are looked at together, all in front of the one that can be deleted.
    for _ in 0..BATCH {
        let id = bare(&world).await;
        std::fs::create_dir_all(world.artifacts.local_path("inputs").unwrap()).unwrap();
        std::fs::write(world.artifacts.local_path(&format!("inputs/{id}")).unwrap(), "").unwrap();
    }
    world.clock.advance_secs(1);
    let last = ended(&world).await;
    let _upkeep = upkeep(&world, Policy { inputs: Some(HOUR), ..Policy::default() });
    world.clock.advance_secs(3601);
    a_minute_passes().await;
    assert_eq!(world.store.trash(999).await.unwrap().len(), BATCH as usize);
    assert!(!left(&world, "inputs").await.contains(&last.to_string()));

    for path in left(&world, "inputs").await {
        let file = world.artifacts.local_path(&format!("inputs/{path}")).unwrap();
        std::fs::remove_file(file).unwrap();
    }
    a_minute_passes().await;
    assert!(world.store.trash(999).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn rounds_are_a_second_apart_and_outlast_a_failing_store() {
    let (changes, start) = (watch::Sender::new(0), Instant::now());
    let mut begun = Vec::new();
    let mut heard = changes.subscribe();
    let rounds = async {
        loop {
            heard.mark_unchanged();
            begun.push(start.elapsed().as_millis());
            let round = match begun.len() {
                1 | 2 => Err(StoreError::Unavailable("the disk is full".into())),
                3 => Ok(Duration::ZERO),
                _ => Ok(Duration::from_secs(20)),
            };
            rest(&mut heard, round).await;
        }
    };
    let script = async {
        sleep(Duration::from_secs(25)).await;
        for _ in 0..100 {
            changes.send_modify(|count| *count += 1);
            sleep(Duration::from_millis(20)).await;
        }
        sleep(Duration::from_secs(21)).await;
    };
    tokio::select! {
        () = rounds => {}
        () = script => {}
    }
    let expected = [0, 1000, 2000, 3000, 23_000, 25_000, 26_000, 27_000, 47_000];
    assert_eq!(begun, expected);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_ran_out_is_counted_and_its_request_waits_again() {
    let world = World::new();
    let id = world.submit(world.request()).await;
    world.pass_intake().await;
    drop(world.claim(Stage::Run).await);
    world.clock.advance_secs(31);
    let _upkeep = upkeep(&world, Policy::default());
    world.reaches(&id, State::Ready).await;
    sleep(SHORTEST_SLEEP).await;
    assert!(world.shows(r#"reshoot_lease_losses_total{stage="run"} 1"#));
    assert!(world.shows(r#"reshoot_retries_total{stage="run",why="lost"} 1"#));
}

#[tokio::test]
async fn a_deadline_kills_the_run() {
    let world = World::new();
    let mut new = world.request();
    new.terms.deadline = Some(world.now().plus_secs(60));
    let id = world.submit(new).await;
    world.pass_intake().await;
    let claim = world.claim(Stage::Run).await;
    world.clock.advance_secs(60);
    // Without the deadline this takes ten minutes.
    let run =
        make(Arc::new(world.parts(Launcher::shell("sleep 600"))), claim, CancellationToken::new());
    let _upkeep = upkeep(&world, Policy::default());
    run.await;
    let failure = world.row(&id).await.body.failure.unwrap();
    assert_eq!(failure.code, "deadline_exceeded");
    let ended = format!("{{model=\"{MODEL}\",state=\"failed\"}} 1");
    assert!(world.shows(&format!("reshoot_requests_finished_total{ended}")));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_ahead_ends_no_lease_whose_holder_lives() {
    let world = World::new();
    let (alive, dead) = (world.submit(world.request()).await, world.submit(world.request()).await);
    world.pass_intake().await;
    world.pass_intake().await;
    let lease = world.claim(Stage::Run).await.lease;
    assert_eq!(lease.request, alive);
    drop(world.claim(Stage::Run).await);
    let _upkeep = upkeep(&world, Policy::default());
    sleep(2 * SHORTEST_SLEEP).await;
    world.clock.advance_secs(3600);
    // A change wakes the loop; the holder's next beat comes five seconds later.
    world.submit(world.request()).await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(world.row(&dead).await.state, State::Running, "nobody is given up yet");
    let until = world.now().plus_secs(30);
    world.store.extend(&lease, until, None).await.unwrap();
    sleep(GRACE).await;
    assert_eq!(world.row(&alive).await.state, State::Running);
    assert_eq!(world.row(&dead).await.state, State::Ready);
}
