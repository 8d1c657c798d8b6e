//! Going on beyond the reel's ends.

use std::ops::Range;

use super::turning::{Start, there_and_back};
use super::{Cue, Join, Likeness, Reel, Timeline, VISIBLE_JUMP, speed};
use crate::envelope;
use crate::sheet::Timing;

/// Seconds of a morph from one moment to another that is like it, and of a dissolve to one that is
/// not.
const MORPH_SECS: f64 = 0.5;
const DISSOLVE_SECS: f64 = 0.8;

/// Speeds after a dissolve: the slower, the fewer of them.
const AFTER_DISSOLVE: (f64, f64) = (0.5, 0.8);

/// Least seconds between the exit and the entry of a jump.
const LEAST_ROUND_SECS: f64 = 1.0;

/// Seconds before the end of a shot in which an exit is looked for.
const EXIT_SECS: f64 = 1.5;

/// Distance over the usual one up to which a jump is as good as unseen.
pub(super) const UNSEEN_JUMP: f32 = 2.0;

/// Most that a usual distance counts, in luma codes: where the camera is fast every step is large,
/// and what is some such steps away is still another picture.
const MOST_USUAL: f32 = 2.25;

/// How far the end of the reel may be slowed.
#[derive(Debug, Clone, Copy)]
struct Slowing {
    /// Least speed.
    slowest: f64,
    /// Largest part of the reel that is slowed.
    part: f64,
    /// Part of the slowed part in which the speed falls.
    fall: f64,
}

/// Leaves a good part of the reel at its own speed.
const SLOW_END: Slowing = Slowing { slowest: 0.5, part: 0.6, fall: 0.4 };

/// Instead of a jump that would be seen: 10 s from 5 s.
const SLOW_ALL: Slowing = Slowing { slowest: 0.45, part: 1.0, fall: 0.2 };

/// A gap up to this part of the clip is closed by slowing alone.
const SMALL_GAP: f64 = 0.12;

/// From `exit` the clip goes on at `entry`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Jump {
    exit: usize,
    entry: usize,
    /// Distance over the usual one.
    cost: f32,
    /// Frames of the reel over which one turns into the other.
    fade: usize,
}

// === impl Jump ===

impl Jump {
    fn is_seen(&self) -> bool {
        self.cost >= VISIBLE_JUMP
    }
}

/// Output time t shows reference time t, changed by speeds, and goes on at the end.
pub(super) fn same(timing: &Timing, reel: &Reel, likeness: Option<&dyn Likeness>) -> Timeline {
    let head = natural(timing, reel);
    let gap = reel.out_frames.saturating_sub(head.len());
    if gap == 0 {
        return Timeline { goes_on: false, ..finished(head, 1.0, None) };
    }
    let last_shot = reel.shots.last().cloned().unwrap_or(0..reel.frames);
    let jump = likeness.and_then(|like| best_exit(like, reel, &last_shot));
    let small = gap as f64 <= SMALL_GAP * reel.out_frames as f64;
    let unseen = jump.is_some_and(|jump| jump.cost <= UNSEEN_JUMP);
    if timing.changes.is_empty() && (small || !unseen) {
        let (cues, slowed_to) = slowed(reel, &last_shot, SLOW_END);
        if cues.len() >= reel.out_frames {
            return finished(cut(cues, reel), slowed_to, None);
        }
        let mut natural = 1.0;
        let (mut cues, mut slowed_to) = (cues, slowed_to);
        if jump.is_none_or(|jump| jump.is_seen()) {
            (cues, slowed_to) = slowed(reel, &last_shot, SLOW_ALL);
            if cues.len() >= reel.out_frames {
                return finished(cut(cues, reel), slowed_to, None);
            }
            if turns(likeness, reel, &last_shot) {
                let (cues, speed) = there_and_back(reel, &last_shot, Start::Moving(0.0));
                return Timeline { goes_on: false, ..finished(cues, speed, None) };
            }
            natural = jump.map_or(1.0, |jump| after_dissolve(&cues, reel, jump));
        }
        // Slow to the end, then on from an earlier moment, back to speed.
        let from = cues.len();
        let tail_speed = move |n: usize| {
            let back = envelope::ease((n.saturating_sub(from)) as f64 / reel.out_rate);
            slowed_to + (natural - slowed_to) * back
        };
        let cues = go_on(cues, reel, jump, &last_shot, tail_speed);
        return finished(cues, slowed_to, jump);
    }
    let cues = go_on(head, reel, jump, &last_shot, |n| speed(timing, reel, n));
    finished(cues, 1.0, jump)
}

/// What follows: the end of the reel, and on from there.
pub(super) fn after_end(timing: &Timing, reel: &Reel, likeness: Option<&dyn Likeness>) -> Timeline {
    let shot = reel.shots.last().cloned().unwrap_or(0..reel.frames);
    let jump = likeness.and_then(|like| best_exit(like, reel, &shot));
    let lead = (0.25 * reel.rate) as usize;
    let exit = jump.map_or(shot.end - 1, |jump| jump.exit);
    let start = exit.saturating_sub(lead).max(shot.start);
    let seen = jump.is_none_or(|jump| jump.is_seen());
    if seen && timing.changes.is_empty() && turns(likeness, reel, &shot) {
        let (cues, speed) = there_and_back(reel, &shot, Start::Moving(start as f64));
        return Timeline { goes_on: false, ..finished(cues, speed, None) };
    }
    let cues = go_on(vec![Cue::at(start as f64)], reel, jump, &shot, |n| speed(timing, reel, n));
    finished(cues, 1.0, jump)
}

/// What leads in: moments that are as if they came before the start, arriving at frame 0.
pub(super) fn before_start(reel: &Reel, likeness: Option<&dyn Likeness>) -> Timeline {
    let shot = reel.shots.first().cloned().unwrap_or(0..reel.frames);
    let least = (LEAST_ROUND_SECS * reel.rate) as usize;
    // The moment most like the first frame, with the most before it among equals.
    let arrival =
        likeness.and_then(|like| {
            (shot.start + least..shot.end)
                .map(|frame| {
                    let room = (frame - shot.start) as f32 / reel.frames as f32;
                    // A return that shows should at least come seldom.
                    let seen = cost(like, frame, shot.start) > UNSEEN_JUMP;
                    let short = if seen { 3.0 - 2.0 * room } else { 1.5 - 0.5 * room };
                    (frame, like.distance(frame, shot.start) * short)
                })
                .min_by(|a, b| a.1.total_cmp(&b.1))
                .map(|(exit, _)| Jump {
                    exit,
                    entry: shot.start,
                    cost: cost(like, exit, shot.start),
                    fade: morph_frames(reel),
                })
                .map(|jump| {
                    if jump.is_seen() { Jump { fade: dissolve_frames(reel), ..jump } } else { jump }
                })
        });
    if arrival.is_none_or(|jump| jump.is_seen()) && turns(likeness, reel, &shot) {
        let (mut cues, speed) = there_and_back(reel, &shot, Start::Resting);
        cues.reverse();
        return Timeline { goes_on: false, ..finished(cues, speed, None) };
    }
    let exit = arrival.map_or(shot.end - 1, |jump| jump.exit) as f64;
    let round = (exit - shot.start as f64).max(1.0);
    let morph = arrival.map_or(0, |jump| jump.fade).min(reel.out_frames / 4).max(1);
    let cue = |n: usize| {
        let left = (reel.out_frames - 1 - n) as f64 * reel.step();
        let at = exit - left % round;
        let join = (n + morph >= reel.out_frames && arrival.is_some()).then(|| Join {
            at: shot.start as f64,
            share: envelope::ease((n + morph + 1 - reel.out_frames) as f64 / morph as f64) as f32,
        });
        // Where a round ends and the next begins, the later moment fades into the earlier one.
        let since = round - left % round;
        let fade = morph as f64 * reel.step();
        if join.is_none() && since < fade && since <= n as f64 * reel.step() {
            let before = (at + round).min((shot.end - 1) as f64);
            return Cue {
                at: before,
                join: Some(Join { at, share: envelope::ease(since / fade) as f32 }),
            };
        }
        Cue { at, join }
    };
    let cues = (0..reel.out_frames).map(cue).collect();
    Timeline { goes_on: false, ..finished(cues, 1.0, arrival) }
}

/// A timeline that goes on beyond the reference's end.
fn finished(cues: Vec<Cue>, slowed_to: f64, jump: Option<Jump>) -> Timeline {
    let jump = jump.map(|jump| (jump.exit, jump.entry, jump.cost));
    Timeline { cues, slowed_to, jump, goes_on: true }
}

fn cut(mut cues: Vec<Cue>, reel: &Reel) -> Vec<Cue> {
    cues.truncate(reel.out_frames);
    cues
}

pub(super) fn morph_frames(reel: &Reel) -> usize {
    (MORPH_SECS * reel.rate).max(1.0) as usize
}

fn dissolve_frames(reel: &Reel) -> usize {
    (DISSOLVE_SECS * reel.rate).max(1.0) as usize
}

/// The clip at its own speeds, as far as the reel goes.
fn natural(timing: &Timing, reel: &Reel) -> Vec<Cue> {
    let mut at = 0.0;
    let mut cues = Vec::with_capacity(reel.out_frames);
    for n in 0..reel.out_frames {
        if at > reel.last() + 1e-6 {
            break;
        }
        cues.push(Cue::at(at));
        at += reel.step() * speed(timing, reel, n);
    }
    cues
}

/// The reel at natural speed with its last part slowed by as much as fills the clip, or by as
/// much as may be; and the least speed.
fn slowed(reel: &Reel, shot: &Range<usize>, most: Slowing) -> (Vec<Cue>, f64) {
    let natural = reel.last() / reel.step();
    let gap = (reel.out_frames as f64 - natural).max(0.0) * reel.step();
    let longest = (most.part * reel.frames as f64).min((shot.len() - 1) as f64);
    let tail = (3.0 * gap).clamp(0.5 * reel.rate, reel.rate.max(longest)).min(longest).max(1.0);
    let fill = |slowest: f64| {
        let begin = reel.last() - tail;
        let (mut at, mut cues) = (0.0, Vec::with_capacity(reel.out_frames));
        while at <= reel.last() + 1e-6 && cues.len() < reel.out_frames {
            cues.push(Cue::at(at));
            let part = envelope::ease((at - begin) / (most.fall * tail));
            at += reel.step() * (1.0 + (slowest - 1.0) * part);
        }
        cues
    };
    if fill(most.slowest).len() < reel.out_frames {
        return (fill(most.slowest), most.slowest);
    }
    let (mut low, mut high) = (most.slowest, 1.0);
    for _ in 0..24 {
        let middle = f64::midpoint(low, high);
        if fill(middle).len() < reel.out_frames { high = middle } else { low = middle }
    }
    (fill(low), low)
}

/// Goes on from the last cue until the clip is full: by the jump, again and again, or, where there
/// is none, from the start of the reel as after a cut. The speed at an output frame is `speed`.
fn go_on(
    mut cues: Vec<Cue>,
    reel: &Reel,
    jump: Option<Jump>,
    shot: &Range<usize>,
    speed: impl Fn(usize) -> f64,
) -> Vec<Cue> {
    let mut at = 0.0;
    if let Some(jump) = jump {
        // The morph starts where the exit is, even if the head has played on past it.
        while cues.len() > 1 && cues.last().is_some_and(|cue| cue.at > jump.exit as f64) {
            cues.pop();
        }
    }
    if let Some(cue) = cues.pop() {
        at = cue.at;
    }
    let fade = jump.map_or(1.0, |jump| jump.fade.max(1) as f64);
    let end = (shot.end - 1) as f64;
    while cues.len() < reel.out_frames {
        let step = reel.step() * speed(cues.len());
        let Some(jump) = jump else {
            cues.push(Cue::at(at));
            at += step;
            if at > end {
                at = 0.0;
            }
            continue;
        };
        let past = at - jump.exit as f64;
        if past < 0.0 {
            cues.push(Cue::at(at));
        } else {
            let entry = jump.entry as f64 + past;
            let share = envelope::ease(past / fade) as f32;
            cues.push(Cue { at, join: Some(Join { at: entry, share }) });
        }
        at += step;
        if at >= jump.exit as f64 + fade {
            at = jump.entry as f64 + at - jump.exit as f64;
        }
    }
    cut(cues, reel)
}

/// The speed at which what follows a dissolve fills the clip without another one, if it can.
fn after_dissolve(cues: &[Cue], reel: &Reel, jump: Jump) -> f64 {
    let left = cues.iter().position(|cue| cue.at > jump.exit as f64).unwrap_or(cues.len());
    let steps = reel.out_frames.saturating_sub(left).max(1) as f64 * reel.step();
    ((jump.exit - jump.entry) as f64 / steps).clamp(AFTER_DISSOLVE.0, AFTER_DISSOLVE.1)
}

/// Whether a shot may go back the way it came: nothing in it moves by itself, and no sound would
/// run backwards.
fn turns(likeness: Option<&dyn Likeness>, reel: &Reel, shot: &Range<usize>) -> bool {
    !reel.heard && likeness.is_some_and(|like| like.is_calm(shot))
}

/// The best jump out of the end of a shot: a morph to a moment that is like it, or else a dissolve.
fn best_exit(like: &dyn Likeness, reel: &Reel, shot: &Range<usize>) -> Option<Jump> {
    let morph = exit_by(like, reel, shot, morph_frames(reel));
    if morph.is_some_and(|jump| !jump.is_seen()) {
        return morph;
    }
    exit_by(like, reel, shot, dissolve_frames(reel)).or(morph)
}

/// The best jump over `fade` frames of the reel.
fn exit_by(like: &dyn Likeness, reel: &Reel, shot: &Range<usize>, fade: usize) -> Option<Jump> {
    let least = (LEAST_ROUND_SECS * reel.rate) as usize + fade;
    let latest = shot.end.checked_sub(fade + 1)?;
    let earliest = latest.saturating_sub((EXIT_SECS * reel.rate) as usize).max(shot.start);
    let mut best: Option<(f32, Jump)> = None;
    for exit in earliest..=latest {
        for entry in shot.start..(exit + 1).saturating_sub(least) {
            // Compared in the middle of the morph, where both show.
            let (a, b) = (exit + fade / 2, entry + fade / 2);
            let length = (exit - entry) as f32 / shot.len() as f32;
            // A transition that shows should at least come seldom.
            let seen = cost(like, a, b) > UNSEEN_JUMP;
            let short = if seen { 2.4 - 1.4 * length } else { 1.4 - 0.4 * length };
            let distance = like.distance(a, b) * short;
            if best.is_none_or(|(least, _)| distance < least) {
                best = Some((distance, Jump { exit, entry, cost: cost(like, a, b), fade }));
            }
        }
    }
    best.map(|(_, jump)| jump)
}

pub(super) fn cost(like: &dyn Likeness, a: usize, b: usize) -> f32 {
    like.distance(a, b) / like.usual().clamp(0.5, MOST_USUAL)
}
