//! A history depends on its seed alone.
#![expect(clippy::unwrap_used, reason = "a failed call is a failed test")]

use std::process::Command;

use sim::play;

const SEEDS: [u64; 3] = [3, 11, 20];

fn in_another_process(seed: u64) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_sim")).arg(seed.to_string()).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

#[test]
fn a_seed_replays_byte_for_byte_here_and_elsewhere() {
    for seed in SEEDS {
        let first = play::seed(seed);
        assert!(first == play::seed(seed), "seed {seed} differs in one process");
        assert!(first.text == in_another_process(seed), "seed {seed} differs in another process");
        assert!(first.text == in_another_process(seed), "seed {seed} differs in a third process");
    }
}

#[test]
fn seeds_differ() {
    let texts: Vec<String> = SEEDS.into_iter().map(|seed| play::seed(seed).text).collect();
    assert!(texts[0] != texts[1] && texts[1] != texts[2] && texts[0] != texts[2]);
    assert!(texts.iter().all(|text| text.lines().count() > 100));
}
