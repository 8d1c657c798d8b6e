//! "Slightly", "heavily", "a touch of": how much.

use std::sync::LazyLock;

use crate::lexer::{Unit, Word, WordKind};
use crate::lexicon::words::GLUE;
use crate::phrases::Phrases;
use crate::reader::Reader;
use crate::themes::grow;
use crate::want::Want;

/// How far an adverb reaches, in words.
const REACH: usize = 4;

/// Adverbs and the strength that they give, longest first where one starts another.
static AMOUNTS: LazyLock<Phrases<f64>> = LazyLock::new(|| {
    Phrases::new(&[
        ("a touch of", 0.3),
        ("a hint of", 0.25),
        ("a bit of", 0.35),
        ("a little bit", 0.35),
        ("a little", 0.35),
        ("a lot of", 0.9),
        ("a lot", 0.9),
        ("a bit", 0.4),
        ("a tad", 0.3),
        ("lots of", 0.9),
        ("slightly", 0.35),
        ("slight", 0.35),
        ("subtle", 0.35),
        ("subtly", 0.35),
        ("gentle", 0.4),
        ("gently", 0.4),
        ("soft", 0.4),
        ("softly", 0.4),
        ("mild", 0.4),
        ("mildly", 0.4),
        ("light", 0.4),
        ("lightly", 0.35),
        ("faint", 0.25),
        ("faintly", 0.25),
        ("barely", 0.2),
        ("less", 0.3),
        ("somewhat", 0.5),
        ("fairly", 0.6),
        ("moderate", 0.55),
        ("moderately", 0.55),
        ("more", 0.75),
        ("much", 0.85),
        ("very", 0.9),
        ("really", 0.85),
        ("quite", 0.75),
        ("super", 0.9),
        ("strong", 0.9),
        ("strongly", 0.9),
        ("heavy", 0.95),
        ("heavily", 0.95),
        ("thick", 0.9),
        ("dense", 0.9),
        ("deep", 0.85),
        ("deeply", 0.85),
        ("bold", 0.85),
        ("intense", 0.95),
        ("intensely", 0.95),
        ("dramatic", 0.9),
        ("dramatically", 0.9),
        ("extreme", 1.0),
        ("extremely", 1.0),
        ("completely", 1.0),
        ("fully", 1.0),
        ("totally", 1.0),
        ("entirely", 1.0),
    ])
});

/// Adverbs of pace; they say how much of a move of the camera or of time.
static PACES: LazyLock<Phrases<f64>> = LazyLock::new(|| {
    Phrases::new(&[
        ("slow", 0.4),
        ("slowly", 0.4),
        ("smoothly", 0.5),
        ("smooth", 0.5),
        ("quick", 0.9),
        ("quickly", 0.9),
        ("fast", 0.9),
        ("rapid", 0.95),
        ("rapidly", 0.95),
        ("sudden", 0.95),
        ("suddenly", 0.95),
    ])
});

/// Gives each adverb to the nearest wish of its clause.
pub(crate) fn read(reader: &mut Reader<'_>) {
    for clause in 0..reader.clauses.len() {
        let range = reader.clauses[clause].words.clone();
        let mut at = range.start;
        while at < range.end {
            let exact = |word: &Word, base: &str| word.norm == base;
            let words = &reader.words[at..range.end];
            let amount = AMOUNTS.find(words, exact);
            let Some((&strength, used)) = amount.or_else(|| PACES.find(words, exact)) else {
                at += 1;
                continue;
            };
            bind(reader, clause, at, used, strength, amount.is_none());
            at += used;
        }
        shares(reader, clause);
        afterthought(reader, clause);
    }
}

/// "80% strength".
fn shares(reader: &mut Reader<'_>, clause: usize) {
    let range = reader.clauses[clause].words.clone();
    let share = range.clone().find_map(|at| match reader.words[at].kind {
        WordKind::Number(share, Unit::Percent) if share <= 100.0 => {
            let next = reader.words.get(at + 1).filter(|_| at + 1 < range.end)?;
            next.any(&["strength", "intensity", "opacity", "strong"]).then_some((at, share))
        }
        _ => None,
    });
    let Some((at, share)) = share.filter(|(at, _)| reader.free(*at..at + 2)) else { return };
    let sentence = reader.clauses[clause].sentence;
    let same = |nth: &usize| reader.clauses[reader.drafts[*nth].clause].sentence == sentence;
    let nearest = (0..reader.drafts.len()).filter(same).min_by_key(|&nth| {
        let words = &reader.drafts[nth].words;
        if words.end <= at { at - words.end } else { 2 * words.start.saturating_sub(at) }
    });
    if let Some(nth) = nearest {
        reader.drafts[nth].strength = share / 100.0;
        grow(reader, nth, at..at + 2);
    }
}

/// "..., very subtle": a clause of nothing but adverbs looks back.
fn afterthought(reader: &mut Reader<'_>, clause: usize) {
    let range = reader.clauses[clause].words.clone();
    let Some(before) = clause.checked_sub(1) else { return };
    if reader.clauses[before].sentence != reader.clauses[clause].sentence
        || !reader.free(range.clone())
    {
        return;
    }
    let exact = |word: &Word, base: &str| word.norm == base;
    let mut strength = None;
    let mut at = range.start;
    while at < range.end {
        let amount = AMOUNTS.find(&reader.words[at..range.end], exact);
        // "Light:" is a heading.
        if let Some((&found, used)) = amount.filter(|_| !reader.words[at].any(&["light"])) {
            strength = Some(found);
            at += used;
        } else if reader.words[at].any(GLUE) {
            at += 1;
        } else {
            return;
        }
    }
    let Some(strength) = strength else { return };
    let nths: Vec<usize> =
        (0..reader.drafts.len()).filter(|&nth| reader.drafts[nth].clause == before).collect();
    for &nth in &nths {
        reader.drafts[nth].strength = strength;
    }
    if let Some(&nth) = nths.last() {
        grow(reader, nth, range);
    }
}

fn bind(reader: &mut Reader<'_>, clause: usize, at: usize, used: usize, strength: f64, pace: bool) {
    // "Falling softly at dusk": an adverb before a preposition looks back.
    let looks_back = reader.words[at + used - 1].norm.ends_with("ly")
        && reader
            .words
            .get(at + used)
            .is_some_and(|word| word.any(&["at", "in", "on", "from", "to"]));
    let late = if looks_back { 2 * REACH } else { 0 };
    let candidates = reader.drafts.iter().enumerate().filter(|(_, draft)| draft.clause == clause);
    let nearest = candidates
        .filter(|(_, draft)| {
            let moves = matches!(draft.want, Want::Camera { .. } | Want::Time { .. });
            let inside = draft.words.contains(&at);
            // A phrase such as "soft light" or "slow motion" has no adverb inside.
            let within = pace && matches!(draft.want, Want::Camera { .. });
            (!pace || moves) && (!inside || within)
        })
        .map(|(nth, draft)| {
            // What follows an adverb is nearer to it than what stands before it.
            let distance = if draft.words.contains(&at) {
                0
            } else if draft.words.start > at {
                2 * draft.words.start.saturating_sub(at + used) + 1 + late
            } else {
                2 * (at - (draft.words.end - 1))
            };
            (distance, nth)
        })
        .min();
    let Some((distance, nth)) = nearest.filter(|(distance, _)| *distance <= 2 * REACH) else {
        return;
    };
    let inside = reader.taken[at];
    if inside && distance > 0 {
        return;
    }
    if inside || grow(reader, nth, at..at + used) {
        reader.drafts[nth].strength = strength;
    }
}
