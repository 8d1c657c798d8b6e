//! What no rule took: new content, glue, or not understood. Nothing is dropped.

use std::ops::Range;

use crate::clauses::Mode;
use crate::lexer::{Word, WordKind};
use crate::lexicon::words::{DETERMINERS, GLUE, PLACERS};
use crate::plan::{Kept, Words};
use crate::reader::{Reader, cut};
use crate::want::{Target, Want};

/// Reads runs of words that are still free as content, where they are a description in English;
/// gives the words that are not understood.
pub(crate) fn read(reader: &mut Reader<'_>) -> Vec<Range<usize>> {
    let mut unknown = Vec::new();
    for clause in 0..reader.clauses.len() {
        let range = reader.clauses[clause].words.clone();
        let mut at = range.start;
        while at < range.end {
            if reader.taken[at] {
                at += 1;
                continue;
            }
            let end = (at..range.end).find(|&i| reader.taken[i]).unwrap_or(range.end);
            run(reader, clause, at..end, &mut unknown);
            at = end;
        }
    }
    unknown
}

fn run(reader: &mut Reader<'_>, clause: usize, run: Range<usize>, unknown: &mut Vec<Range<usize>>) {
    let glue = |i: &usize| is_glue(&reader.words[*i]);
    let opens = |i: &usize| reader.words[*i].any(DETERMINERS);
    let Some(first) = run.clone().find(|i| !glue(i)) else { return };
    let Some(last) = run.clone().rev().find(|i| !glue(i)) else { return };
    // An article or a pronoun right before belongs to what it opens.
    let start = (run.start..first).rev().take_while(opens).last().unwrap_or(first);
    // "Remove the tourists" is nothing without its verb.
    let verb = start.checked_sub(1).filter(|i| run.contains(i) && reader.words[*i].any_form(EDITS));
    let words = verb.unwrap_or(start)..last + 1;
    let asked = (run.start..first).any(|i| reader.words[i].any_form(PLACERS));
    let opened = words.clone().any(|i| opens(&i));
    if framed(reader, clause, &run, &words) {
        return;
    }
    if reader.clauses[clause].mode(first) == Some(Mode::Without) {
        let what = reader.text(words.clone()).to_owned();
        let governor = reader.clauses[clause].scope.as_ref().map(|scope| scope.governor.clone());
        let from = governor.filter(|g| !g.is_empty() && g.end == start).map_or(start, |g| g.start);
        let want = Box::new(Want::Content { what });
        reader.keep(Kept::Without { want }, from..words.end, 0.6);
        return;
    }
    let latin = words.clone().all(|i| reader.words[i].norm.is_ascii());
    // "A loose watercolour": what only describes something understood is nothing new.
    let describes = words.len() == 2
        && reader.words.get(run.end).is_some_and(|_| {
            reader.clauses[clause].words.contains(&run.end)
                && reader.words[run.end].handle().is_none()
        });
    if latin && (asked || opened && words.len() > 1) && (asked || !describes) {
        let what = reader.text(words.clone()).to_owned();
        let confidence = if words.len() > 2 || asked { 0.6 } else { 0.45 };
        reader.wish(Want::Content { what }, words, clause, confidence);
    } else {
        reader.take(words.clone());
        unknown.push(words);
    }
}

fn is_glue(word: &Word) -> bool {
    word.any(GLUE) || word.kind == WordKind::Marker
}

/// Whether the words are what a camera move right before them is about: "dolly in on her face".
fn framed(
    reader: &mut Reader<'_>,
    clause: usize,
    run: &Range<usize>,
    words: &Range<usize>,
) -> bool {
    let nth = reader.drafts.iter().position(|draft| {
        matches!(draft.want, Want::Camera { .. })
            && draft.clause == clause
            && draft.words.end == run.start
            && draft.on.is_frame()
    });
    let short = words.len() <= 4
        && reader.words[words.start].any(DETERMINERS)
        && !reader.words[words.end - 1].any_form(&["second", "moment", "half"]);
    let Some(nth) = nth.filter(|_| short) else { return false };
    reader.drafts[nth].on = Target::Thing { name: reader.text(words.clone()).to_owned() };
    reader.drafts[nth].words.end = words.end;
    reader.take(run.start..words.end);
    true
}

/// Verbs that change what the reference shows.
const EDITS: &[&str] =
    &["remove", "erase", "delete", "change", "replace", "turn", "transform", "animate"];

/// Everything outside `covered` that is not white space, as what is not understood (letters,
/// digits, symbols, and `unknown`) and what is passed over (glue and punctuation).
pub(crate) fn account(
    reader: &Reader<'_>,
    covered: &[Range<usize>],
    unknown: &[Range<usize>],
) -> (Vec<Words>, Vec<Words>) {
    let prompt = &reader.brief.prompt;
    let mut kinds = vec![Kind::Free; prompt.len()];
    for word in reader.words.iter().filter(|word| is_glue(word)) {
        kinds[word.start..word.end].fill(Kind::Glue);
    }
    for words in unknown {
        kinds[reader.span(words)].fill(Kind::Unknown);
    }
    for span in covered {
        kinds[span.clone()].fill(Kind::Covered);
    }
    let mut lists = [Vec::new(), Vec::new()];
    let mut open: Option<(usize, Range<usize>)> = None;
    for (at, c) in prompt.char_indices() {
        let span = at..at + c.len_utf8();
        let list = match kinds[at] {
            _ if c.is_whitespace() => continue,
            Kind::Covered => None,
            Kind::Unknown => Some(0),
            Kind::Glue => Some(1),
            Kind::Free => Some(usize::from(is_punctuation(c))),
        };
        match (&mut open, list) {
            (Some((kind, range)), Some(list)) if *kind == list => range.end = span.end,
            _ => {
                close(prompt, &mut lists, open.take());
                open = list.map(|list| (list, span));
            }
        }
    }
    close(prompt, &mut lists, open);
    let [not_understood, passed_over] = lists;
    (not_understood, passed_over)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Free,
    Glue,
    Unknown,
    Covered,
}

fn close(prompt: &str, lists: &mut [Vec<Words>; 2], open: Option<(usize, Range<usize>)>) {
    if let Some((list, range)) = open {
        lists[list].push(cut(prompt, range));
    }
}

fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation() || "‘’“”„«»–—…·•。，、！？；：（）「」『』¡¿".contains(c)
}
