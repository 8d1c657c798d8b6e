//! What is taken, when, and how much of it at a time.

use super::*;

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_its_own_messages_alone() {
    let world = World::new();
    world.host.on("/hang", Reply::hang());
    world.host.on("/hook", Reply::ok(""));
    let (slow, _) = ended(&world, None, &world.host.url("/hang")).await;
    let mut quick = None;
    for n in 1..6 {
        world.clock.advance_millis(1);
        ended(&world, Some(&slow), &world.host.url("/hang")).await;
        if n == 2 {
            // The fourth place of the first round: there is one left for the slow one then.
            quick = Some(ended(&world, None, &world.host.url("/hook")).await.0);
        }
    }
    let quick = quick.unwrap();
    let _running = Running::of(&world);
    assert_eq!(once(&world, &quick, is_over).await.standing, Standing::Delivered);
    let (later, _) = ended(&world, None, &world.host.url("/hook")).await;
    assert_eq!(once(&world, &later, is_over).await.standing, Standing::Delivered);
    let begun: Vec<u32> = messages(&world, &slow).await.iter().map(|m| m.attempts).collect();
    assert_eq!(begun, [1, 1, 1, 1, 0, 0], "four of one owner at a time");
}

#[tokio::test]
async fn as_many_attempts_as_there_are_places_and_no_more_than_four_of_one_owner() {
    let world = World::new();
    world.host.on("/hang", Reply::hang());
    let mut owners = Vec::new();
    for n in 0..60_usize {
        // Some have one message, some have ten.
        let owner = owners.get(n % 25 % 11).cloned();
        owners.push(ended(&world, owner.as_ref(), &world.host.url("/hang")).await.0);
        world.clock.advance_millis(1);
    }
    let _running = Running::of(&world);
    arrived(&world.host, ATTEMPTS).await;
    let mut begun: BTreeMap<OwnerId, u32> = BTreeMap::new();
    owners.sort();
    owners.dedup();
    for owner in owners {
        let attempts = messages(&world, &owner).await.iter().map(|m| m.attempts).sum();
        begun.insert(owner, attempts);
    }
    assert_eq!(begun.values().sum::<u32>(), ATTEMPTS as u32, "{begun:?}");
    assert!(begun.values().all(|count| *count <= ATTEMPTS_PER_OWNER as u32), "{begun:?}");
}

#[tokio::test]
async fn a_crash_before_the_answer_is_written_down_sends_the_message_again() {
    let world = World::new();
    world.host.script("/hook", [Reply::hang(), Reply::ok("")]);
    let (owner, _) = ended(&world, None, &world.host.url("/hook")).await;
    let running = Running::of(&world);
    arrived(&world.host, 1).await;
    running.kill().await;
    world.clock.advance_secs(LEASE_SECS);
    let _running = Running::of(&world);
    let message = once(&world, &owner, is_over).await;
    assert_eq!((message.standing, message.attempts), (Standing::Delivered, 2));
    let ids = world.host.requests();
    let ids: Vec<_> = ids.iter().map(|request| request.header("webhook-id")).collect();
    assert_eq!(ids, [Some(message.id.as_str()); 2]);
}

#[tokio::test]
async fn a_stop_lets_attempts_end_and_begins_no_more() {
    let world = World::new();
    let slow = Reply::ok("thank you").trickle(1, Duration::from_millis(5));
    world.host.on("/hook", slow);
    let (owner, _) = ended(&world, None, &world.host.url("/hook")).await;
    let running = Running::of(&world);
    arrived(&world.host, 1).await;
    running.stop.cancel();
    let (late, _) = ended(&world, None, &world.host.url("/hook")).await;
    running.stop().await;
    assert_eq!(messages(&world, &owner).await[0].standing, Standing::Delivered);
    assert_eq!(messages(&world, &late).await[0].attempts, 0);
}

#[tokio::test]
async fn a_clock_that_is_set_back_puts_off_no_message_and_sends_none_twice() {
    let world = World::new();
    let slow = Reply::ok("thank you").trickle(1, Duration::from_millis(20));
    world.host.on("/slow", slow);
    let busy = Reply::status(503).header("retry-after", "600");
    world.host.script("/busy", [busy, Reply::ok("")]);
    world.host.on("/hook", Reply::ok(""));
    let (patient, _) = ended(&world, None, &world.host.url("/busy")).await;
    let _running = Running::of(&world);
    once(&world, &patient, has_failed).await;
    let (slow, _) = ended(&world, None, &world.host.url("/slow")).await;
    arrived(&world.host, 2).await;
    world.clock.advance_secs(-3600);
    let (fresh, _) = ended(&world, None, &world.host.url("/hook")).await;
    for (owner, attempts) in [(patient, 2), (slow, 1), (fresh, 1)] {
        let message = once(&world, &owner, is_over).await;
        assert_eq!((message.standing, message.attempts), (Standing::Delivered, attempts));
    }
    assert_eq!(world.host.requests().len(), 4);
}

/// Shows tokio's time, which tests can pause.
struct TokioClock(Timestamp, Instant);

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        self.0.plus_millis(self.1.elapsed().as_millis() as i64)
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_is_tried_for_a_day_and_then_given_up() {
    let world = World::new();
    // Refused without a look at the network, which would not wait for paused time.
    let (owner, _) = ended(&world, None, "https://127.0.0.1/hook").await;
    let clock = Arc::new(TokioClock(world.now(), Instant::now()));
    let rng = Arc::new(SeededRng::new(7));
    let _running = Running::new(DeliverParts { clock, rng, ..parts(&world) });
    sleep(Duration::from_secs(GIVE_UP_SECS as u64 - 1)).await;
    let message = messages(&world, &owner).await.swap_remove(0);
    assert_eq!(message.standing, Standing::Pending);
    sleep(Duration::from_secs(2)).await;
    let message = messages(&world, &owner).await.swap_remove(0);
    assert_eq!(message.standing, Standing::Failed);
    assert!((12..=16).contains(&message.attempts), "{}", message.attempts);
    assert!(counted(&world, "failed", message.attempts));
}
