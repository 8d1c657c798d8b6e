//! Clauses: where a denial or a "keep" holds.
//!
//! A clause ends at punctuation, at "but", "then", "while", and at an "and" that a command
//! follows. A denial reaches to the end of its clause, and over the commas of a list whose last
//! item comes with "or".

use std::ops::Range;

use crate::handle::HandleKind;
use crate::lexer::{Gap, Word};
use crate::lexicon;
use crate::lexicon::words::{CHANGERS, COMMANDS, KEEPERS, NEGATORS, STAYERS};

/// A stretch of words that is read as one.
#[derive(Debug, Clone)]
pub(crate) struct Clause {
    /// Its words.
    pub(crate) words: Range<usize>,
    /// Which sentence it belongs to.
    pub(crate) sentence: usize,
    /// The words that a governor rules, and how; outside them, all is a wish.
    pub(crate) scope: Option<Scope>,
}

/// What a governor rules.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) mode: Mode,
    /// The governing words themselves; empty where the clause before governs.
    pub(crate) governor: Range<usize>,
    /// The words that it rules.
    pub(crate) words: Range<usize>,
}

/// How a governor changes what it rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Keep,
    Without,
}

// === impl Clause ===

impl Clause {
    /// How word `at` is governed.
    pub(crate) fn mode(&self, at: usize) -> Option<Mode> {
        self.scope.as_ref().filter(|scope| scope.words.contains(&at)).map(|scope| scope.mode)
    }
}

/// Splits `words` into clauses and finds what governs each.
pub(crate) fn split(words: &[Word]) -> Vec<Clause> {
    let mut clauses: Vec<Clause> = Vec::new();
    let mut start = 0;
    let mut sentence = 0;
    for at in 1..=words.len() {
        if at < words.len() && !opens(words, start, at) {
            continue;
        }
        clauses.push(Clause { words: start..at, sentence, scope: govern(words, start..at) });
        start = at;
        if words.get(at).is_some_and(|word| word.gap == Gap::Stop) {
            sentence += 1;
        }
    }
    carry(words, &mut clauses);
    clauses
}

/// Whether a clause opens at `at`, the current one having begun at `start`.
fn opens(words: &[Word], start: usize, at: usize) -> bool {
    let word = &words[at];
    if word.gap != Gap::None || word.any(&["but", "then", "while", "whereas", "yet"]) {
        return true;
    }
    if word.any(&["with", "though"]) {
        let same = words.get(at + 1..(at + 3).min(words.len())).unwrap_or_default();
        return words[start..at].iter().any(|word| word.any_form(KEEPERS))
            && !same.iter().any(|word| word.any(&["same"]));
    }
    word.any(&["and", "or", "&"])
        && words[at + 1..]
            .iter()
            .find(|word| !word.any(&["then", "also", "please", "slowly", "gently", "slightly"]))
            .is_some_and(|word| word.any(COMMANDS) || word.any(NEGATORS))
}

/// What governs the clause, if anything.
fn govern(words: &[Word], clause: Range<usize>) -> Option<Scope> {
    let end = clause.end;
    let start = clause.start;
    if words[start].any(&["negative"]) {
        let upto = start + 1 + usize::from(words.get(start + 1).is_some_and(|w| w.is("prompt")));
        let governor = start..upto.min(end);
        let words = governor.end..end;
        return Some(Scope { mode: Mode::Without, governor, words });
    }
    for at in clause {
        let word = &words[at];
        let next = words.get(at + 1).filter(|_| at + 1 < end);
        let from = at - usize::from(at > start && words[at - 1].any(&["do", "does"]));
        let scope = |mode, upto: usize| Scope { mode, governor: from..upto, words: upto..end };
        if word.any(NEGATORS) && lexicon::longest(&words[at..end]).is_none() {
            let reach = (at + 4).min(end);
            let changer = (at + 1..reach).find(|&i| words[i].any_form(CHANGERS));
            return Some(match changer {
                Some(verb) => scope(Mode::Keep, verb + 1),
                None => scope(Mode::Without, at + 1),
            });
        }
        if word.any(&["do"]) && next.is_some_and(|next| next.any(NEGATORS)) {
            continue;
        }
        if word.any(&["instead"]) && next.is_some_and(|next| next.any(&["of"])) {
            return Some(scope(Mode::Without, at + 2));
        }
        if word.any_form(KEEPERS) && !next.is_some_and(is_gerund) {
            return Some(scope(Mode::Keep, at + 1));
        }
        if word.any(&["leave"]) && at < start + 3 {
            return Some(scope(Mode::Keep, at + 1));
        }
        if word.any(&["same"])
            && !of_picture(words, at)
            && (at + 1..(at + 4).min(end)).any(|i| crate::keeps::noun(words, i, end).is_some())
        {
            return Some(scope(Mode::Keep, at + 1));
        }
        // "Until only shapes remain" keeps nothing; "the background remains" does.
        let lasts = word.any_form(&["stay", "remain"])
            && !next.is_some_and(|next| next.any_form(STAYERS) || next.any(&["the", "as"]))
            && !(start.max(at.saturating_sub(3))..at)
                .any(|i| crate::keeps::noun(words, i, at).is_some());
        if word.any_form(STAYERS) && !lasts {
            let upto = (at + 1..end).find(|&i| !words[i].any_form(STAYERS)).unwrap_or(end);
            return Some(Scope { mode: Mode::Keep, governor: at..upto, words: start..at });
        }
    }
    None
}

/// Whether the sentence has spoken of a picture before `at`: then "the same palette" is its own.
fn of_picture(words: &[Word], at: usize) -> bool {
    let sentence = words[..=at].iter().rposition(|word| word.gap == Gap::Stop).unwrap_or(0);
    words[sentence..at]
        .iter()
        .any(|word| word.handle().is_some_and(|handle| handle.kind == HandleKind::Image))
}

/// "Keep walking" asks for no keep; "keep everything" does.
fn is_gerund(word: &Word) -> bool {
    word.norm.ends_with("ing")
        && !word.any(&[
            "everything",
            "anything",
            "lighting",
            "framing",
            "pacing",
            "timing",
            "setting",
        ])
        && !word.any(&["grading", "clothing", "lettering"])
}

/// Lets lists go on over commas: "keep the motion, camera and background", "no rain, snow or fog".
fn carry(words: &[Word], clauses: &mut [Clause]) {
    for nth in 1..clauses.len() {
        if negated_list(words, &clauses[..=nth]) {
            let range = clauses[nth].words.clone();
            let governor = range.start..range.start;
            clauses[nth].scope = Some(Scope { mode: Mode::Without, governor, words: range });
            continue;
        }
        let Some(mode) = clauses[nth - 1].scope.as_ref().map(|scope| scope.mode) else { continue };
        let clause = &clauses[nth];
        let comma = words[clause.words.start].gap == Gap::Comma;
        if !comma || clause.scope.is_some() || clauses[nth - 1].words.end != clause.words.start {
            continue;
        }
        let range = clause.words.clone();
        let goes_on = match mode {
            Mode::Keep => crate::keeps::only_nouns(words, range.clone()),
            Mode::Without => {
                let command = words[range.clone()].iter().any(|word| word.any(COMMANDS));
                !command && leads_to_or(words, &clauses[nth..])
            }
        };
        if goes_on {
            let governor = range.start..range.start;
            clauses[nth].scope = Some(Scope { mode, governor, words: range });
        }
    }
}

/// Whether the last of `clauses` is an item of a "negative prompt: ..." list.
fn negated_list(words: &[Word], clauses: &[Clause]) -> bool {
    let Some((last, before)) = clauses.split_last() else { return false };
    let opens = |clause: &Clause| words[clause.words.start].any(&["negative"]);
    let ends = words[last.words.start].any(&["prompt", "positive"]);
    let same = before.iter().rev().take_while(|clause| clause.sentence == last.sentence);
    let list: Vec<_> = same.collect();
    !ends
        && list.iter().position(|clause| opens(clause)).is_some_and(|at| {
            list[..at].iter().all(|c| !words[c.words.start].any(&["prompt", "positive"]))
        })
}

fn leads_to_or(words: &[Word], clauses: &[Clause]) -> bool {
    let sentence = clauses[0].sentence;
    clauses
        .iter()
        .take_while(|clause| clause.sentence == sentence && clause.scope.is_none())
        .take(4)
        .any(|clause| words[clause.words.clone()].iter().any(|word| word.any(&["or", "nor"])))
}
