//! What holds for any prompt: bodies of fuzz targets, run as property tests, too.
#![expect(clippy::unwrap_used, reason = "a promise that is not kept is what is looked for")]

use crate::handle::{Handle, HandleKind, binds};
use crate::plan::{Kept, Mention, ShotPlan, Task, Words};
use crate::want::Want;
use crate::{Brief, plan};

/// What requests have: videos, images, elements.
const COUNTS: [[u32; 3]; 2] = [[1, 3, 3], [0, 1, 0]];

/// Whatever is written: spans lie in the prompt and cover it, references are those that stand
/// there, nothing is wished of an input that is not there, and JSON brings the plan back.
///
/// # Panics
/// Where that does not hold.
pub fn prompt(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    for [videos, images, elements] in COUNTS {
        let prompt = text.clone();
        planned(&Brief { prompt, videos, images, elements, ..Brief::default() });
    }
}

fn planned(brief: &Brief) {
    let made = plan(brief, None);
    spans(&made);
    references(&made, brief);
    for handle in handles(&made) {
        assert!(exists(brief, handle), "{handle} in {:?}", made.prompt);
    }
    for wish in made.wishes.iter().chain(made.overruled.iter().map(|overruled| &overruled.wish)) {
        assert!((0.0..=1.0).contains(&wish.confidence) && (0.0..=1.0).contains(&wish.strength));
    }
    let json = serde_json::to_string(&made).unwrap();
    assert_eq!(serde_json::from_str::<ShotPlan>(&json).unwrap(), made);
    assert_eq!(plan(brief, None), made);
}

fn exists(brief: &Brief, handle: Handle) -> bool {
    let most = match handle.kind {
        HandleKind::Video => brief.videos,
        HandleKind::Image => brief.images,
        HandleKind::Element => brief.elements,
    };
    (1..=most).contains(&handle.n)
}

/// Each span is its words, and each character that shows is in one.
fn spans(made: &ShotPlan) {
    let wishes = made.wishes.iter().chain(made.overruled.iter().map(|overruled| &overruled.wish));
    let words: Vec<&Words> = wishes
        .filter_map(|wish| wish.words.as_ref())
        .chain(made.keeps.iter().map(|keep| &keep.words))
        .chain(made.overruled.iter().map(|overruled| &overruled.by))
        .chain(made.references.iter().map(|mention| &mention.words))
        .chain(&made.not_understood)
        .chain(&made.passed_over)
        .collect();
    let mut covered = vec![false; made.prompt.len()];
    for words in words {
        assert_eq!(made.prompt.get(words.start..words.end), Some(words.text.as_str()));
        covered[words.start..words.end].fill(true);
    }
    for (at, c) in made.prompt.char_indices().filter(|(_, c)| !c.is_whitespace()) {
        assert!(covered[at], "{c:?} at {at} of {:?}", made.prompt);
    }
}

/// The references are the `@` with a name and a number that nothing binds, in their order.
fn references(made: &ShotPlan, brief: &Brief) {
    let mut found = Vec::new();
    for (at, _) in made.prompt.match_indices('@') {
        let bound = made.prompt[..at].chars().next_back().is_some_and(binds);
        if let Some((handle, used)) = Handle::read(&made.prompt[at..]).filter(|_| !bound) {
            found.push((handle, at, at + used));
        }
    }
    let told = |mention: &Mention| (mention.handle, mention.words.start, mention.words.end);
    assert_eq!(made.references.iter().map(told).collect::<Vec<_>>(), found, "{:?}", made.prompt);
    for mention in &made.references {
        assert_eq!(mention.exists, exists(brief, mention.handle), "{mention:?}");
    }
}

/// The inputs that wishes and tasks are about.
fn handles(made: &ShotPlan) -> Vec<Handle> {
    let without = made.keeps.iter().filter_map(|keep| match &keep.what {
        Kept::Without { want } => Some(want.as_ref()),
        _ => None,
    });
    let wanted = made.wishes.iter().map(|wish| &wish.want).chain(without);
    let mut found: Vec<Handle> = made.tasks().flat_map(of_task).collect();
    for want in wanted {
        match want {
            Want::Image { source, .. } => found.push(*source),
            Want::Place(placement) => found.push(placement.source),
            Want::Task { task } => found.extend(of_task(task)),
            _ => {}
        }
    }
    found
}

fn of_task(task: &Task) -> Vec<Handle> {
    match task {
        Task::MotionTransfer { onto, from } => onto.iter().chain([from]).copied().collect(),
        Task::CameraTransfer { start, from } => start.iter().chain([from]).copied().collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Words that the rules turn on, and what breaks them.
    const PARTS: &[&str] = &[
        "@Image1",
        "@image_2's",
        "@Element3",
        "@ELEMENT_4",
        "@Video1",
        "@Video2",
        "@Image0",
        "@Image99999999999",
        "参考@Image3的风格",
        "é@Image1",
        "@@Image2",
        "@Image1@Image2",
        "me@image1.com",
        "replace",
        "with",
        "in the style of",
        "put",
        "behind",
        "next to",
        "without",
        "no",
        "don't",
        "keep",
        "the motion of",
        "the camera movement of",
        "as the start frame",
        "follow",
        "transfer",
        "onto",
        "use",
        "from",
        "instead of",
        "like",
        "the sky of",
        "and",
        "or",
        "but",
        "then",
        ",",
        ".",
        "(",
        "\"",
        "’s",
        "w/",
        "1) ",
        "50%",
        "2x",
        "0.5x",
        "16:9",
        "5s",
        "90s",
        "at the end",
        "slightly",
        "very",
        "a dragon",
        "rain",
        "slow motion",
        "pan left",
        "zoom in",
        "夜",
        "🎬",
        "\u{301}",
        "\u{200d}",
        "İ",
        "ﬁ",
        "\n",
        "\u{a0}",
        "next shot",
        "reverse",
        "loop",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            prompt(&bytes);
        }

        #[test]
        fn words_that_rules_turn_on(
            parts in proptest::collection::vec((proptest::sample::select(PARTS), " ?"), 0..24),
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..2),
        ) {
            let mut text: Vec<u8> = parts.iter().flat_map(|(part, gap)| [part.as_bytes(), gap.as_bytes()].concat()).collect();
            prompt(&text);
            text.push(b' ');
            for (place, byte) in changes {
                let place = place.index(text.len());
                text[place] = byte;
            }
            prompt(&text);
        }
    }
}
