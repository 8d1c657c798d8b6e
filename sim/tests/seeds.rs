//! Histories of many seeds: the first forty, or those of `SIM_SEEDS=from..to`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed call is a failed test")]

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use sim::play::{self, Outcome};

const SEEDS: Range<u64> = 0..40;

/// What the first seeds must contain between them: a simulation in which nothing goes wrong finds
/// nothing.
const SOMETIMES: [&str; 26] = [
    "answer lost",
    "cancelled",
    "clock jumped",
    "deadline passed",
    "died of poison",
    "echo",
    "fenced",
    "host died",
    "host stood still",
    "key reused",
    "lease ran out",
    "lease voided",
    "link struck",
    "message superseded",
    "receiver failed",
    "receiver gone",
    "record removed",
    "removed by its owner",
    "server died midway",
    "store failed after",
    "store failed before",
    "submit refused",
    "submit repeated",
    "work hung",
    "work stopped",
    "worker lost",
];

#[derive(Default)]
struct Sum {
    histories: u64,
    played_millis: i64,
    skipped_millis: i64,
    requests: usize,
    counts: BTreeMap<&'static str, u64>,
    /// The first seed that failed, and how.
    failed: Option<(u64, String)>,
}

impl Sum {
    fn add(&mut self, seed: u64, outcome: Outcome) {
        self.histories += 1;
        self.played_millis += outcome.played_millis;
        self.skipped_millis += outcome.skipped_millis;
        self.requests += outcome.ends.len();
        for (what, count) in outcome.counts {
            *self.counts.entry(what).or_default() += count;
        }
        if !outcome.wrong.is_empty() && self.failed.as_ref().is_none_or(|(first, _)| seed < *first)
        {
            let wrong = outcome.wrong.join("\n");
            self.failed = Some((seed, format!("{}\nseed {seed}: {wrong}", outcome.tail)));
        }
    }
}

fn asked() -> Option<Range<u64>> {
    let text = std::env::var("SIM_SEEDS").ok().filter(|text| !text.is_empty())?;
    let range = text
        .split_once("..")
        .and_then(|(from, to)| Some(from.trim().parse().ok()?..to.trim().parse().ok()?));
    Some(range.unwrap_or_else(|| panic!("SIM_SEEDS is `from..to`, such as 0..1000, not `{text}`")))
}

/// Plays all seeds, as many at a time as there are cores.
fn play_all(seeds: Range<u64>) -> Sum {
    let (next, sum) = (AtomicU64::new(seeds.start), Mutex::new(Sum::default()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let enough = sum.lock().unwrap().failed.is_some();
            if enough || !seeds.contains(&seed) {
                return;
            }
            let outcome = play::seed(seed);
            sum.lock().unwrap().add(seed, outcome);
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    sum.into_inner().unwrap()
}

#[test]
fn no_history_breaks_a_promise() {
    let asked = asked();
    let sum = play_all(asked.clone().unwrap_or(SEEDS));
    let hours = |millis: i64| millis / 3_600_000;
    // Past the test's own capture: how much was simulated is worth a line.
    let line = format!(
        "sim: {} histories, {} requests, {} hours played, {} hours skipped\n",
        sum.histories,
        sum.requests,
        hours(sum.played_millis),
        hours(sum.skipped_millis),
    );
    io::stderr().write_all(line.as_bytes()).unwrap();
    if let Some((seed, how)) = sum.failed {
        panic!("{how}\nreplay it with: make sim SIM_SEEDS={seed}..{}", seed + 1);
    }
    for (what, count) in &sum.counts {
        println!("{count:>7} {what}");
    }
    let never = SOMETIMES.into_iter().filter(|what| !sum.counts.contains_key(what));
    let never: Vec<&str> = never.collect();
    assert!(asked.is_some() || never.is_empty(), "never happened: {never:?}");
}
