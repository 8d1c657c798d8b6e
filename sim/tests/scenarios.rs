//! Histories with a point.

use domain::State;
use sim::plan::{Deed, Errand, Plan};
use sim::play::{Outcome, play};

fn plan(seed: u64, clients: Vec<Vec<Errand>>) -> Plan {
    Plan { clients, ..Plan::quiet(seed) }
}

fn well(plan: Plan) -> Outcome {
    let outcome = play(plan);
    assert!(outcome.wrong.is_empty(), "{}\n{:#?}", outcome.tail, outcome.wrong);
    outcome
}

/// So many, one each `every_millis`.
fn errands(name: &str, count: u64, every_millis: u64) -> Vec<Errand> {
    let errand =
        |n| Errand { key: format!("{name}-{n}"), at_millis: every_millis * n, ..Errand::default() };
    (0..count).map(errand).collect()
}

#[test]
fn one_request_does_not_wait_for_two_hundred_of_another_owner() {
    for seed in 0..3 {
        let many = errands("many", 200, 100);
        let one =
            Errand { key: "one".to_owned(), owner: 1, at_millis: 60_000, ..Errand::default() };
        let plan =
            Plan { slots: (4, 2), run_millis: (4000, 8000), ..plan(seed, vec![many, vec![one]]) };
        let outcome = well(plan);
        assert_eq!(outcome.ends.len(), 201);
        let waited = outcome.waits["one"];
        assert!(waited <= 8, "{waited} runs of the other owner came first");
        assert!(outcome.waits["many-199"] > 100, "there was no queue: {:?}", outcome.waits);
    }
}

#[test]
fn a_request_that_kills_its_workers_ends_and_does_not_stop_the_others() {
    for seed in 0..3 {
        let others = errands("other", 30, 4000);
        let poison =
            Errand { key: "poison".to_owned(), deeds: vec![Deed::Poison], ..Errand::default() };
        let outcome = well(plan(seed, vec![others, vec![poison]]));
        assert_eq!(outcome.ends["poison"], State::Failed);
        assert_eq!(outcome.counts["died of poison"], 10);
        let succeeded = outcome.ends.values().filter(|end| **end == State::Succeeded).count();
        assert_eq!(succeeded, 30, "{:?}", outcome.ends);
        let at = |what: &str| outcome.text.rfind(what).unwrap();
        assert!(at("other-29 done") < at("poison done"), "the others had to wait");
    }
}

#[test]
fn two_servers_on_one_store_give_one_request_for_one_key() {
    let twice = |n: u64| Errand {
        key: format!("twice-{n}"),
        at_millis: 1000 * n,
        deeds: vec![Deed::Twice, Deed::Again],
        ..Errand::default()
    };
    let plan = Plan { servers: 2, ..plan(1, vec![(0..30).map(twice).collect()]) };
    let outcome = well(plan);
    assert_eq!(outcome.ends.len(), 30);
    assert!(outcome.counts["submit repeated"] >= 60, "{:?}", outcome.counts);
}
