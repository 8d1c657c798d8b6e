//! "Animate @Image1 using the movements of @Video1": motion and camera paths that change hands.

use std::ops::Range;

use crate::clauses::Mode;
use crate::handle::{Handle, HandleKind};
use crate::keeps;
use crate::lexicon::words::COMMANDS;
use crate::plan::{Kept, MentionRole, Task};
use crate::reader::{MentionDraft, Reader};
use crate::want::Want;

/// A motion or a camera path, said to be that of a video.
struct Source {
    words: Range<usize>,
    clause: usize,
    camera: bool,
    from: Handle,
    mention: Option<usize>,
}

/// Finds each transfer, or, where there is nobody to transfer to, keeps the motion.
pub(crate) fn read(reader: &mut Reader<'_>) {
    for clause in 0..reader.clauses.len() {
        let range = reader.clauses[clause].words.clone();
        let source = range.clone().find_map(|at| source(reader, clause, at, range.end));
        let Some(source) = source else { continue };
        if let Some(nth) = source.mention {
            let role = if source.camera { MentionRole::CameraPath } else { MentionRole::Motion };
            reader.mentions[nth].role = Some(role);
        }
        // A clause that keeps is read with the other keeps.
        if reader.clauses[clause].mode(source.words.start) != Some(Mode::Keep) {
            transfer(reader, &source);
        }
    }
}

fn source(reader: &Reader<'_>, clause: usize, at: usize, end: usize) -> Option<Source> {
    let verb = reader.words[at].any_form(&["move", "dance", "perform", "act", "walk"])
        && reader.words.get(at + 1).is_some_and(|word| word.any(&["like", "as"]));
    let (camera, used) = match keeps::noun(&reader.words, at, end) {
        Some((Kept::Motion, used)) => (false, used),
        Some((Kept::Camera, used)) if used > 1 => (true, used),
        _ if reader.words[at].any_form(&["dance", "gesture", "move"]) && !verb => (false, 1),
        _ if verb => (false, 2),
        _ => return None,
    };
    let owner =
        at.checked_sub(1).filter(|&i| reader.words[i].norm == "s").and_then(|i| i.checked_sub(1));
    let owned = owner.and_then(|i| reader.mentions.iter().position(|mention| mention.at == i));
    if let Some(nth) = owned.filter(|&nth| is_there(&reader.mentions[nth])) {
        let from = reader.mentions[nth].handle;
        let words = reader.mentions[nth].at..at + used;
        return Some(Source { words, clause, camera, from, mention: Some(nth) });
    }
    let mut linked = verb;
    for i in at + used..end.min(at + used + 6) {
        let word = &reader.words[i];
        if let Some(handle) = word.handle().filter(|_| linked) {
            let nth = reader.mentions.iter().position(|mention| mention.at == i)?;
            let words = at..i + 1;
            return is_there(&reader.mentions[nth]).then_some(Source {
                words,
                clause,
                camera,
                from: handle,
                mention: Some(nth),
            });
        }
        if linked && word.any(&["video", "clip", "footage"]) && reader.brief.videos > 0 {
            let from = Handle::video(1);
            return Some(Source { words: at..i + 1, clause, camera, from, mention: None });
        }
        linked |= word.any(&["of", "from", "in", "as", "by"]);
        if !word.any(&[
            "of",
            "from",
            "in",
            "as",
            "by",
            "the",
            "reference",
            "source",
            "original",
            "input",
            "seen",
            "shown",
            "person",
            "dancer",
            "man",
            "woman",
            "actor",
        ]) {
            return None;
        }
    }
    None
}

/// Whether it is a video that the request has.
fn is_there(mention: &MentionDraft) -> bool {
    mention.exists && mention.handle.kind == HandleKind::Video
}

fn transfer(reader: &mut Reader<'_>, source: &Source) {
    let Source { clause, camera, from, .. } = *source;
    let sentence = reader.clauses[clause].sentence;
    let near = |wanted: bool| {
        reader.mentions.iter().position(|mention| {
            let fits = mention.exists
                && mention.role.is_none()
                && mention.handle.kind != HandleKind::Video
                && (!camera || mention.handle.kind == HandleKind::Image)
                && !look_alike(reader, mention.at);
            fits && (reader.clauses[mention.clause].sentence == sentence) == wanted
        })
    };
    let starts = reader
        .mentions
        .iter()
        .position(|mention| mention.exists && starts_clip(reader, mention.at, mention.clause));
    let target =
        if camera { starts.or_else(|| near(true)) } else { near(true).or_else(|| near(false)) };
    let verb =
        reader.clauses[clause].words.clone().take_while(|&i| i < source.words.start).filter(|&i| {
            reader.words[i].any_form(&[
                "follow",
                "use",
                "apply",
                "transfer",
                "copy",
                "mimic",
                "match",
                "replicate",
                "take",
                "recreate",
                "animate",
            ])
        });
    let start = verb
        .last()
        .filter(|&i| reader.free(i + 1..source.words.start))
        .unwrap_or(source.words.start);
    let words = start..source.words.end;
    let Some(nth) = target else {
        let kept = if camera { Kept::Camera } else { Kept::Motion };
        reader.keep(kept, words, 0.85);
        return;
    };
    let handle = Some(reader.mentions[nth].handle);
    if starts != Some(nth) {
        reader.mentions[nth].role =
            Some(if camera { MentionRole::StartFrame } else { MentionRole::Subject });
    }
    let task = if camera {
        Task::CameraTransfer { start: handle, from }
    } else {
        Task::MotionTransfer { onto: handle, from }
    };
    let onto = reader.mentions[nth].at;
    let range = reader.clauses[clause].words.clone();
    let onto = if range.contains(&onto) { performer(reader, onto, range.start) } else { onto };
    let whole = words.start.min(onto)..words.end.max(onto + 1);
    let words = if range.contains(&onto) && starts != Some(nth) { whole } else { words };
    reader.wish(Want::Task { task }, words, clause, 0.9);
}

/// Where "animate the person in" before a reference starts.
fn performer(reader: &Reader<'_>, onto: usize, start: usize) -> usize {
    let reach = start.max(onto.saturating_sub(5));
    (reach..onto)
        .find(|&i| reader.words[i].any_form(COMMANDS) && reader.free(i..onto))
        .unwrap_or(onto)
}

/// Whether the words before name the reference's look rather than who moves.
fn look_alike(reader: &Reader<'_>, at: usize) -> bool {
    reader.words[at.saturating_sub(4)..at].iter().any(|word| {
        word.any_form(&["style", "color", "palette", "background", "look", "sky", "lighting"])
    })
}

/// Whether the words around make it the first frame.
fn starts_clip(reader: &Reader<'_>, at: usize, clause: usize) -> bool {
    let range = &reader.clauses[clause].words;
    let after = &reader.words[at + 1..range.end.min(at + 5)];
    let before = &reader.words[range.start.max(at.saturating_sub(4))..at];
    after
        .iter()
        .chain(before)
        .any(|word| word.any(&["start", "first", "starting", "opening", "begin", "initial"]))
}
