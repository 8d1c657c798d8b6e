//! The rules of a row: whatever is done to it in whatever order, they hold.
#![expect(clippy::unwrap_used, reason = "a failed call is a failed test")]

use domain::facts::Facts;
use domain::lease::{Lease, MAX_ATTEMPTS, MAX_LOSSES, Setback};
use domain::usage::Microdollars;
use domain::{Epoch, Failure, OrderKey, Priority, Stage, State, Timestamp};
use proptest::prelude::*;
use serde_json::Value;
use store::conformance::Maker;
use store::row::{Progress, PublishedBody, RequestRow};
use store::{StoreError, transition};

const START: Timestamp = Timestamp::from_secs(1_800_000_000);
const LEASE_SECS: i64 = 30;

/// Something that somebody does to a row, `secs` after what came before.
#[derive(Debug, Clone)]
enum Deed {
    Claim(Stage),
    Extend,
    InputsKept,
    Publish,
    Fail,
    SetBack(Setback),
    Expire,
    Void,
    Cancel { force: bool },
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => Just(Deed::Claim(Stage::Intake)),
        6 => Just(Deed::Claim(Stage::Run)),
        2 => Just(Deed::Extend),
        4 => Just(Deed::InputsKept),
        1 => Just(Deed::Publish),
        1 => Just(Deed::Fail),
        2 => Just(Deed::SetBack(Setback::Fault)),
        3 => Just(Deed::SetBack(Setback::Lost)),
        3 => Just(Deed::SetBack(Setback::HandedBack)),
        2 => Just(Deed::Expire),
        1 => Just(Deed::Void),
        1 => any::<bool>().prop_map(|force| Deed::Cancel { force }),
    ]
}

fn new_row() -> RequestRow {
    let maker = Maker::new(1);
    let order = OrderKey { priority: Priority::Normal, finish: 1, seq: 1 };
    transition::received(maker.request(&maker.owner(), Priority::Normal), order)
}

fn clip() -> PublishedBody {
    PublishedBody {
        output: Value::Null,
        poster: None,
        plan: Value::Null,
        report: Value::Null,
        cost: Microdollars(1),
    }
}

fn failure() -> Failure {
    let (code, class) = ("input_invalid".to_owned(), "input".to_owned());
    Failure { code, class, message: "too long".to_owned(), detail: Vec::new() }
}

/// Whether the deed was done; `lease` is what its doer holds.
fn act(
    row: &mut RequestRow,
    deed: &Deed,
    lease: Option<&Lease>,
    now: Timestamp,
) -> (Option<Lease>, Result<bool, StoreError>) {
    let worker = Maker::new(2).worker();
    match (deed, lease) {
        (Deed::Claim(stage), _) => {
            if !transition::claimable(row, *stage, now) {
                return (None, Ok(false));
            }
            let end = now.plus_secs(LEASE_SECS);
            (Some(transition::claim(row, *stage, &worker, now, end)), Ok(true))
        }
        (Deed::Expire, _) => (None, transition::expire(row, now)),
        (Deed::Void, _) => (None, transition::void(row, now)),
        (Deed::Cancel { force }, _) => (None, Ok(transition::cancel(row, *force, now).changed)),
        (_, None) => (None, Ok(false)),
        (leased, Some(lease)) => (None, act_leased(row, leased, lease, now).map(|()| true)),
    }
}

fn act_leased(
    row: &mut RequestRow,
    deed: &Deed,
    lease: &Lease,
    now: Timestamp,
) -> Result<(), StoreError> {
    let progress = Progress { stage: "pass".to_owned(), fraction: 0.5 };
    match deed {
        Deed::Extend => transition::extend(row, lease, now.plus_secs(LEASE_SECS), Some(progress)),
        Deed::InputsKept => transition::inputs_kept(row, lease, Facts::default(), Vec::new(), now),
        Deed::Publish => transition::publish(row, lease, clip(), now),
        Deed::SetBack(setback) => transition::set_back(row, lease, *setback, "boom", now).map(drop),
        _ => transition::fail(row, lease, failure(), now),
    }
}

fn check(row: &RequestRow) -> Result<(), TestCaseError> {
    prop_assert_eq!(
        row.state == State::Running,
        row.held.as_ref().is_some_and(|h| h.stage == Stage::Run)
    );
    prop_assert_eq!(row.state.is_terminal(), row.finished_at.is_some());
    prop_assert!(!row.state.is_terminal() || row.held.is_none());
    prop_assert_eq!(row.state == State::Succeeded, row.body.published.is_some());
    prop_assert_eq!(row.state == State::Failed, row.body.failure.is_some());
    prop_assert!(row.tries.attempts <= MAX_ATTEMPTS);
    prop_assert!(row.tries.attempts < MAX_ATTEMPTS || row.state == State::Failed);
    prop_assert!(row.body.timeline.len() <= 64);
    prop_assert_eq!(
        row.body.timeline.first().map(|moment| moment.event.as_str()),
        Some("received")
    );
    Ok(())
}

proptest! {
    #[test]
    fn any_history_keeps_the_rules(
        deeds in prop::collection::vec((deed(), 0_i64..40, 0_usize..4), 0..400),
    ) {
        let (mut row, mut now) = (new_row(), START);
        let mut leases: Vec<Lease> = Vec::new();
        for (deed, secs, back) in deeds {
            now = now.plus_secs(secs);
            let before = row.clone();
            let lease = leases.iter().rev().nth(back).cloned();
            let (given, done) = act(&mut row, &deed, lease.as_ref(), now);
            check(&row)?;
            prop_assert!(row.epoch >= before.epoch);
            if !matches!(done, Ok(true)) {
                prop_assert_eq!(&row, &before, "{:?} was refused and changed the row", deed);
            }
            prop_assert!(!before.state.is_terminal() || row == before, "{deed:?}");
            if let Some(lease) = &lease && lease.epoch < before.epoch {
                let fenced = matches!(done, Err(StoreError::Fenced));
                let needs_lease = matches!(deed, Deed::Extend | Deed::InputsKept | Deed::Publish
                    | Deed::Fail | Deed::SetBack(_));
                prop_assert!(fenced || !needs_lease, "{deed:?} with an old epoch");
            }
            if let Some(lease) = given {
                prop_assert_eq!(lease.epoch, Epoch(before.epoch.0 + 1));
                leases.push(lease);
            }
        }
    }
}

fn running() -> (RequestRow, Lease) {
    let (mut row, worker) = (new_row(), Maker::new(2).worker());
    let end = START.plus_secs(LEASE_SECS);
    let lease = transition::claim(&mut row, Stage::Intake, &worker, START, end);
    transition::inputs_kept(&mut row, &lease, Facts::default(), Vec::new(), START).unwrap();
    let lease = transition::claim(&mut row, Stage::Run, &worker, START, end);
    (row, lease)
}

#[test]
fn a_life_is_told_in_its_timeline() {
    let (mut row, lease) = running();
    transition::publish(&mut row, &lease, clip(), START.plus_secs(9)).unwrap();
    let events: Vec<&str> = row.body.timeline.iter().map(|moment| moment.event.as_str()).collect();
    assert_eq!(events, ["received", "intake_started", "ready", "run_started", "succeeded"]);
    assert_eq!(row.finished_at, Some(START.plus_secs(9)));
}

#[test]
fn a_lease_of_one_stage_is_no_lease_of_the_other() {
    let (mut row, lease) = running();
    let intake = Lease { stage: Stage::Intake, ..lease };
    let before = row.clone();
    let done = transition::inputs_kept(&mut row, &intake, Facts::default(), Vec::new(), START);
    assert!(matches!(done, Err(StoreError::Fenced)));
    assert_eq!(row, before);
}

#[test]
fn a_lease_is_lost_at_its_end_and_not_before() {
    let (mut row, _lease) = running();
    assert!(!transition::expire(&mut row, START.plus_secs(LEASE_SECS).plus_millis(-1)).unwrap());
    assert!(transition::expire(&mut row, START.plus_secs(LEASE_SECS)).unwrap());
    assert_eq!((row.state, row.tries.losses, row.tries.attempts), (State::Ready, 1, 0));
}

#[test]
fn the_last_loss_fails_a_request_and_says_so() {
    let (mut row, _lease) = running();
    let worker = Maker::new(2).worker();
    let mut now = START;
    for loss in 1..=MAX_LOSSES {
        assert!(transition::void(&mut row, now).unwrap());
        assert_eq!(row.tries.losses, loss);
        if loss < MAX_LOSSES {
            assert_eq!(row.state, State::Ready);
            now = row.not_before;
            let _lease = transition::claim(&mut row, Stage::Run, &worker, now, now);
        }
    }
    assert_eq!(row.state, State::Failed);
    let failure = row.body.failure.unwrap();
    assert_eq!((failure.code.as_str(), failure.class.as_str()), ("worker_lost", "infrastructure"));
}

#[test]
fn a_long_timeline_keeps_its_first_and_its_latest() {
    let (mut row, mut lease) = running();
    let worker = Maker::new(2).worker();
    for n in 0..200 {
        let now = START.plus_secs(n);
        let why = format!("stop {n}");
        transition::set_back(&mut row, &lease, Setback::HandedBack, &why, now).unwrap();
        lease = transition::claim(&mut row, Stage::Run, &worker, now, now.plus_secs(LEASE_SECS));
    }
    let timeline = &row.body.timeline;
    assert_eq!(timeline.len(), 64);
    assert_eq!(timeline.first().map(|moment| moment.event.as_str()), Some("received"));
    assert!(timeline.iter().rev().nth(1).is_some_and(|moment| moment.note == "stop 199"));
    assert!(timeline.is_sorted_by_key(|moment| moment.at));
}
