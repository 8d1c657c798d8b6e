//! What becomes of one attempt.

use super::*;

#[tokio::test]
async fn a_message_is_signed_with_both_secrets_while_one_replaces_the_other() {
    let world = World::new();
    world.host.on("/hook", Reply::status(204));
    let (owner, id) = ended(&world, None, &world.host.url("/hook?token=1")).await;
    let [old, new] = [0, 1].map(|_| WebhookSecret::new(&*world.rng).expose());
    world.store.secrets(&owner, &old, world.now()).await.unwrap();
    let end = world.now().plus_secs(60);
    world.store.rotate_secret(&owner, &new, world.now(), end).await.unwrap();
    let running = Running::of(&world);
    let message = once(&world, &owner, is_over).await;
    assert_eq!((message.standing, message.last_status), (Standing::Delivered, Some(204)));

    let [first] = &world.host.requests_of("/hook")[..] else { panic!("one message was sent") };
    assert_eq!((first.method.as_str(), first.query.as_deref()), ("POST", Some("token=1")));
    assert_eq!(first.body, format!("https://reshoot.example {id} cancelled"));
    assert_eq!(first.header("content-type"), Some("application/json"));
    assert_eq!(first.header("webhook-id"), Some(message.id.as_str()));
    let now = world.now().unix_secs().to_string();
    assert_eq!(first.header("webhook-timestamp"), Some(now.as_str()));
    assert!(fits(first, &old) && fits(first, &new));
    assert!(counted(&world, "delivered", 1));

    world.clock.advance_secs(60);
    ended(&world, Some(&owner), &world.host.url("/hook")).await;
    arrived(&world.host, 2).await;
    let second = &world.host.requests_of("/hook")[1];
    assert!(fits(second, &new) && !fits(second, &old));
    running.stop().await;
}

#[tokio::test]
async fn a_receiver_that_is_busy_is_asked_again_when_it_said() {
    let world = World::new();
    let busy = Reply::status(503).header("retry-after", "600");
    world.host.script("/hook", [busy, Reply::ok("")]);
    let (owner, _) = ended(&world, None, &world.host.url("/hook")).await;
    let _running = Running::of(&world);
    let message = once(&world, &owner, has_failed).await;
    assert_eq!((message.standing, message.last_status), (Standing::Pending, Some(503)));
    assert_eq!(message.next_at, Some(world.now().plus_secs(600)));
    let error = message.last_error.unwrap();
    assert_eq!(error, "the receiver answered HTTP 503: `scripted 503`");

    world.clock.advance_secs(600);
    // Another message is reason enough to look.
    world.host.on("/other", Reply::ok(""));
    let (other, _) = ended(&world, None, &world.host.url("/other")).await;
    assert_eq!(once(&world, &other, is_over).await.standing, Standing::Delivered);
    let message = once(&world, &owner, is_over).await;
    assert_eq!((message.standing, message.attempts), (Standing::Delivered, 2));
    let seen = world.host.requests_of("/hook");
    let [first, second] = &seen[..] else { panic!("two attempts were made") };
    assert_eq!(first.header("webhook-id"), second.header("webhook-id"));
    assert_ne!(first.header("webhook-timestamp"), second.header("webhook-timestamp"));
    assert!(counted(&world, "failed", 1) && counted(&world, "delivered", 2));
    assert!(world.shows("reshoot_webhook_lag_seconds_sum 600.0"));
}

#[tokio::test]
async fn a_receiver_that_is_gone_gets_no_more() {
    let world = World::new();
    world.host.on("/hook", Reply::status(410));
    let (owner, _) = ended(&world, None, &world.host.url("/hook")).await;
    let running = Running::of(&world);
    assert_eq!(once(&world, &owner, is_over).await.standing, Standing::Disabled);
    ended(&world, Some(&owner), &world.host.url("/hook")).await;
    running.stop().await;
    assert_eq!(messages(&world, &owner).await[1].standing, Standing::Disabled);
    assert_eq!(world.host.requests().len(), 1);
    assert!(counted(&world, "gone", 1));
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_message_says_so() {
    let world = World::new();
    world.host.on("/hook", Reply::redirect(308, world.host.url("/elsewhere")));
    world.host.on("/elsewhere", Reply::ok(""));
    let (owner, _) = ended(&world, None, &world.host.url("/hook")).await;
    let running = Running::of(&world);
    let message = once(&world, &owner, has_failed).await;
    running.stop().await;
    assert_eq!((message.standing, message.last_status), (Standing::Pending, Some(308)));
    assert!(message.last_error.unwrap().ends_with("not followed; give the final URL"));
    assert!(world.host.requests_of("/elsewhere").is_empty());
}

#[tokio::test]
async fn a_stage_on_the_way_is_not_told_once_the_request_has_ended() {
    let world = World::new();
    world.host.on("/hook", Reply::ok(""));
    let url = world.host.url("/hook");
    let (owner, id) = submitted(&world, None, &url, true).await;
    world.pass_intake().await;
    drop(world.claim(Stage::Run).await);
    world.store.cancel(&id, true, world.now()).await.unwrap();
    let running = Running::of(&world);
    arrived(&world.host, 1).await;
    running.stop().await;
    let told: Vec<_> =
        messages(&world, &owner).await.iter().map(|m| (m.event, m.standing)).collect();
    let expected = [
        (State::Received, Standing::Superseded),
        (State::Running, Standing::Superseded),
        (State::Cancelled, Standing::Delivered),
    ];
    assert_eq!(told, expected);
    assert_eq!(world.host.requests().len(), 1);
}

#[tokio::test]
async fn nothing_is_sent_to_an_address_that_is_not_public() {
    let (world, ca) = (World::new(), TestCa::new());
    let host = MediaHost::https(&ca, &["127.0.0.1"]);
    host.on("/hook", Reply::ok(""));
    let (owner, _) = ended(&world, None, &host.url("/hook")).await;
    let options = Options { extra_roots: vec![ca.root()], ..Options::default() };
    let client = world.client_with(options.clone());
    let running = Running::new(DeliverParts { client, ..parts(&world) });
    let message = once(&world, &owner, has_failed).await;
    running.stop().await;
    assert_eq!((message.standing, message.last_status), (Standing::Pending, None));
    let error = message.last_error.unwrap();
    assert!(error.starts_with("`127.0.0.1` is not a public address"), "{error}");
    assert!(host.requests().is_empty());

    let exempt = vec![host.address().to_string().parse().unwrap()];
    let client = world.client_with(Options { exempt, ..options });
    world.clock.advance_secs(60);
    let _running = Running::new(DeliverParts { client, ..parts(&world) });
    assert_eq!(once(&world, &owner, is_over).await.standing, Standing::Delivered);
}

#[tokio::test]
async fn a_message_that_cannot_be_written_is_a_failed_attempt() {
    let world = World::new();
    let (owner, _) = ended(&world, None, &world.host.url("/hook")).await;
    let render = |_: &RequestRow, _: State, _: &str| -> Vec<u8> { panic!("a fault") };
    let _running = Running::new(DeliverParts { render: Arc::new(render), ..parts(&world) });
    let message = once(&world, &owner, has_failed).await;
    assert_eq!(message.last_error.as_deref(), Some("a fault of this server: see its log"));
    assert!(message.next_at.unwrap() < world.now().plus_secs(10));
}

#[tokio::test]
async fn the_log_names_of_a_webhook_its_host_alone() {
    let (log, world) = (Log::new(), World::new());
    let refusal = Reply::raw("HTTP/1.1 500 No\r\ncontent-length: 6\r\n\r\nanswer");
    world.host.script("/secret", [refusal, Reply::ok("")]);
    let (owner, id) = ended(&world, None, &world.host.url("/secret?token=hidden")).await;
    let running = Running::of(&world);
    let failed = once(&world, &owner, has_failed).await;
    world.store.replay_delivery(&owner, &failed.id, world.now()).await.unwrap();
    let message = once(&world, &owner, is_over).await;
    running.stop().await;
    let log = log.text();
    let of = |what: &str| log.lines().filter(|line| line.contains(what)).count();
    assert_eq!((of("not delivered"), of(" delivered")), (1, 2), "{log}");
    let line = log.lines().find(|line| line.contains("not delivered")).unwrap();
    for word in [id.as_str(), &message.id, "n=1", "127.0.0.1", "500"] {
        assert!(line.contains(word), "{word}: {line}");
    }
    for word in ["secret", "token", "hidden", "answer"] {
        assert!(!log.contains(word), "{word}: {log}");
    }
}
