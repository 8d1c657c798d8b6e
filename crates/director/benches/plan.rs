//! CPU time of one plan: what every submit and every dry run pays.
//!
//! `cargo bench -p director`; one iteration is one prompt.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use director::{Brief, plan};
use std::hint::black_box;
use std::time::Duration;

/// A wish in nearly every word.
const DENSE: &str = "Keep the motion of @Video1, slow push in at golden hour with light rain and \
    heavy fog, teal and orange grade, no text, do not change the faces, put @Element1 on the left \
    in the style of @Image1, then pan right quickly while it gets dark; ";

const PAGE: &str = "Based on @Video1, generate the next shot. keep the style of the video";

fn plans(c: &mut Criterion) {
    let longest: String = DENSE.chars().cycle().take(2500).collect();
    for (name, prompt) in [("the page's own", PAGE), ("dense, 2500 characters", &longest)] {
        let brief = Brief { prompt: prompt.to_owned(), images: 1, elements: 1, ..Brief::default() };
        let mut group = c.benchmark_group("plan");
        group.throughput(Throughput::Bytes(prompt.len() as u64));
        group.bench_function(name, |b| b.iter(|| plan(black_box(&brief), None)));
        group.finish();
    }
}

fn config() -> Criterion {
    Criterion::default().measurement_time(Duration::from_secs(3)).sample_size(40)
}

criterion_group! { name = benches; config = config(); targets = plans }
criterion_main!(benches);
