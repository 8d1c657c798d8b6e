//! What holds for any bytes: bodies of fuzz targets, run as property tests, too.

use crate::mp4::{HeaderError, HeaderFacts, HeaderWalker, MAX_MOOV_BYTES, Step};

/// Where a walk stopped, and what was known there.
type End = Result<(u64, Option<HeaderFacts>), HeaderError>;

/// A header tells the same however the file is cut into pieces and whether the samples are read
/// or jumped over; no more is held than the limits allow; the facts are numbers that can be used.
///
/// # Panics
/// Where that does not hold.
pub fn mp4_walker(bytes: &[u8]) {
    let whole = walk(bytes, |_| bytes.len());
    for size in [1, 7] {
        assert_eq!(walk(bytes, |_| size), whole, "in pieces of {size}");
    }
    // Sizes that have nothing to do with those of boxes.
    assert_eq!(walk(bytes, |nth| 1 + (nth * 7919 + bytes.len()) % 61), whole);
    let facts = whole.map(|(_, facts)| facts);
    assert_eq!(jump(bytes), facts);
    if let Ok(Some(facts)) = facts {
        sane(&facts);
    }
}

/// Pushes pieces of the sizes that `size` gives until the walker wants no more.
fn walk(bytes: &[u8], size: impl Fn(usize) -> usize) -> End {
    let (mut walker, mut rest, mut nth, mut known_secs) = (HeaderWalker::new(), bytes, 0, 0.0);
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(size(nth).min(rest.len()));
        (rest, nth) = (after, nth + 1);
        let step = walker.push(piece)?;
        let pushed = (bytes.len() - rest.len()) as u64;
        let (held, wanted) = walker.held_bytes();
        assert!(held <= pushed && held.saturating_add(wanted) <= MAX_MOOV_BYTES);
        let secs = walker.facts().and_then(|facts| facts.duration_secs).unwrap_or(0.0);
        assert!(secs >= known_secs, "{secs} s after {known_secs} s");
        known_secs = secs;
        match step {
            Step::Done => {
                assert!(walker.facts().is_some() && walker.offset() <= pushed);
                break;
            }
            Step::More => assert_eq!(walker.offset(), pushed),
            Step::Jump { offset } => {
                assert!(walker.offset() == pushed && offset > pushed && walker.facts().is_none());
            }
        }
    }
    Ok((walker.offset(), walker.facts()))
}

/// Walks as a download with ranges would.
fn jump(bytes: &[u8]) -> Result<Option<HeaderFacts>, HeaderError> {
    let (mut walker, mut at) = (HeaderWalker::new(), 0);
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let piece = rest.get(..64).unwrap_or(rest);
        match walker.push(piece)? {
            Step::Done => break,
            Step::More => at += piece.len(),
            Step::Jump { offset } => {
                at = usize::try_from(offset).unwrap_or(usize::MAX);
                walker.jump(offset);
            }
        }
    }
    Ok(walker.facts())
}

fn sane(facts: &HeaderFacts) {
    let usable = |number: Option<f64>| number.is_none_or(|n| n.is_finite() && n > 0.0);
    assert!(
        usable(facts.duration_secs) && usable(facts.movie_secs) && usable(facts.fps),
        "{facts:?}"
    );
    assert!([0, 90, 180, 270].contains(&facts.rotation), "{facts:?}");
    assert!(facts.pixel_aspect.0 > 0 && facts.pixel_aspect.1 > 0, "{facts:?}");
    let codecs = [Some(&facts.video_codec), facts.audio_codec.as_ref()];
    for name in codecs.into_iter().flatten().chain(&facts.brands) {
        assert!(name.len() == 4 && name.bytes().all(|b| matches!(b, b' '..=b'~')), "{facts:?}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Headers of real files; their samples are left out.
    const SEEDS: [&[u8]; 5] = [
        include_bytes!("../../../fuzz/seeds/mp4_walker/behind.mp4"),
        include_bytes!("../../../fuzz/seeds/mp4_walker/fragments.mp4"),
        include_bytes!("../../../fuzz/seeds/mp4_walker/front.mp4"),
        include_bytes!("../../../fuzz/seeds/mp4_walker/indexed.mp4"),
        include_bytes!("../../../fuzz/seeds/mp4_walker/turned.mov"),
    ];

    /// What liars and broken programs do to a file.
    #[derive(Debug, Clone)]
    enum Change {
        Byte(u8),
        /// A size, count, time or flag.
        Word(u32),
        Cut,
        Remove(usize),
        Repeat(usize),
    }

    fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, Change)>> {
        let word = prop_oneof![
            Just(0),
            Just(1),
            Just(u32::MAX),
            Just(u32::MAX >> 1),
            0..64_u32,
            any::<u32>()
        ];
        let change = prop_oneof![
            4 => any::<u8>().prop_map(Change::Byte),
            4 => word.prop_map(Change::Word),
            1 => Just(Change::Cut),
            2 => (1..80_usize).prop_map(Change::Remove),
            2 => (1..200_usize).prop_map(Change::Repeat),
        ];
        proptest::collection::vec((any::<prop::sample::Index>(), change), 0..6)
    }

    fn change(bytes: &mut Vec<u8>, at: usize, change: &Change) {
        let end = |len: usize| (at + len).min(bytes.len());
        match change {
            Change::Byte(byte) => bytes[at] = *byte,
            Change::Word(word) => {
                let end = end(4);
                bytes[at..end].copy_from_slice(&word.to_be_bytes()[..end - at]);
            }
            Change::Cut => bytes.truncate(at + 1),
            Change::Remove(len) => drop(bytes.drain(at..end(*len).min(bytes.len() - 1))),
            Change::Repeat(len) => {
                let again = bytes[at..end(*len)].to_vec();
                drop(bytes.splice(at..at, again));
            }
        }
    }

    #[test]
    fn real_headers_are_read() {
        for seed in SEEDS {
            mp4_walker(seed);
            assert!(walk(seed, |_| 100).is_ok_and(|(_, facts)| facts.is_some()));
        }
    }

    #[test]
    fn what_is_worth_a_jump_may_be_read_over() {
        let behind = SEEDS[0];
        let samples = 300 << 10;
        let mdat = behind.windows(4).position(|name| name == b"mdat").unwrap() - 4;
        let size = 8 + samples as u32;
        let file = [
            &behind[..mdat],
            &size.to_be_bytes(),
            b"mdat",
            &vec![0xAB; samples],
            &behind[mdat + 12..],
        ];
        mp4_walker(&file.concat());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
            mp4_walker(&bytes);
        }

        #[test]
        fn what_is_almost_a_header(
            seed in proptest::sample::select(SEEDS.as_slice()),
            changes in changes(),
        ) {
            let mut bytes = seed.to_vec();
            for (at, what) in changes {
                let at = at.index(bytes.len());
                change(&mut bytes, at, &what);
            }
            mp4_walker(&bytes);
        }
    }
}
