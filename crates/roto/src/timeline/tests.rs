use super::*;
use director::When;

/// A scene that repeats every `period` frames.
struct Periodic {
    period: usize,
}

impl Likeness for Periodic {
    fn distance(&self, a: usize, b: usize) -> f32 {
        let phase = a.abs_diff(b) % self.period;
        phase.min(self.period - phase) as f32
    }

    fn usual(&self) -> f32 {
        1.0
    }
}

/// A scene that never comes back.
struct OneWay;

impl Likeness for OneWay {
    fn distance(&self, a: usize, b: usize) -> f32 {
        a.abs_diff(b) as f32
    }

    fn usual(&self) -> f32 {
        1.0
    }
}

fn reel(frames: usize, out_frames: usize) -> Reel {
    Reel {
        frames,
        rate: 24.0,
        out_frames,
        out_rate: 24.0,
        shots: std::iter::once(0..frames).collect(),
    }
}

fn changed(change: TimeChange) -> Timing {
    Timing { changes: vec![TimeWish { change, when: None }], ..Timing::default() }
}

fn check(timeline: &Timeline, reel: &Reel) {
    assert_eq!(timeline.cues.len(), reel.out_frames);
    for (n, cue) in timeline.cues.iter().enumerate() {
        let inside = |at: f64| (0.0..=reel.last()).contains(&at);
        assert!(inside(cue.at), "{n}: {cue:?}");
        assert!(cue.join.is_none_or(|j| inside(j.at) && (0.0..=1.0).contains(&j.share)));
    }
}

/// Largest step of what shows between two frames that no morph covers.
fn largest_open_step(timeline: &Timeline) -> f64 {
    let pairs = timeline.cues.windows(2);
    pairs
        .filter(|p| p[0].join.is_none() && p[1].join.is_none_or(|j| j.share < 0.05))
        .map(|p| (p[1].at - p[0].at).abs())
        .fold(0.0, f64::max)
}

#[test]
fn time_t_shows_time_t_and_the_rest_is_cut() {
    let reel = reel(240, 120);
    let timeline = Timeline::build(&Timing::default(), &reel, None);
    check(&timeline, &reel);
    assert!(timeline.is_whole());
    assert!(timeline.cues.iter().enumerate().all(|(n, cue)| cue.at == n as f64));
}

#[test]
fn a_small_gap_is_closed_by_slowing_the_end() {
    let reel = reel(115, 120);
    let timeline = Timeline::build(&Timing::default(), &reel, Some(&OneWay));
    check(&timeline, &reel);
    assert!(timeline.jump.is_none());
    assert!(timeline.slowed_to >= 0.5 && timeline.slowed_to < 1.0);
    assert!((timeline.cues[119].at - 114.0).abs() < 1.5, "{:?}", timeline.cues[119]);
    assert!((0..60).all(|n| timeline.cues[n].at == n as f64));
}

#[test]
fn three_seconds_become_five_without_going_backwards() {
    let reel = reel(72, 120);
    let timeline = Timeline::build(&Timing::default(), &reel, Some(&OneWay));
    check(&timeline, &reel);
    assert!(timeline.slowed_to >= 0.5);
    assert!(largest_open_step(&timeline) <= 1.01);
    assert_eq!(timeline.cues[20].at, 20.0);
}

#[test]
fn a_scene_that_comes_back_goes_on_at_natural_speed() {
    let reel = reel(127, 240);
    let timeline = Timeline::build(&Timing::default(), &reel, Some(&Periodic { period: 30 }));
    check(&timeline, &reel);
    let (exit, entry, cost) = timeline.jump.unwrap();
    assert_eq!((exit - entry) % 30, 0);
    assert_eq!((timeline.slowed_to, cost), (1.0, 0.0));
    assert!(largest_open_step(&timeline) <= 1.01);
    let forward = timeline.cues.windows(2).filter(|p| p[1].at < p[0].at).count();
    assert!(forward <= 3, "{forward} returns");
}

#[test]
fn the_next_shot_starts_at_the_end_and_the_previous_one_ends_at_the_start() {
    let reel = reel(120, 120);
    let next = Timing { course: Course::Next, ..Timing::default() };
    let timeline = Timeline::build(&next, &reel, Some(&Periodic { period: 40 }));
    check(&timeline, &reel);
    assert!(timeline.cues[0].at >= 60.0, "{:?}", timeline.cues[0]);
    assert!(largest_open_step(&timeline) <= 1.01);
    let previous = Timing { course: Course::Previous, ..Timing::default() };
    let timeline = Timeline::build(&previous, &reel, Some(&Periodic { period: 40 }));
    check(&timeline, &reel);
    assert_eq!(timeline.cues[119].main(), 0.0);
    assert!(largest_open_step(&timeline) <= 1.01);
}

#[test]
fn a_loop_ends_where_it_starts() {
    for (frames, out) in [(120, 120), (72, 240), (240, 120)] {
        let reel = reel(frames, out);
        let timeline = Timeline::build(&changed(TimeChange::Loop), &reel, Some(&OneWay));
        check(&timeline, &reel);
        let first = timeline.cues[0];
        let last = timeline.cues[out - 1].join.unwrap();
        assert!(last.share > 0.9);
        assert!((last.at + 1.0 - first.at).abs() < 0.05, "{last:?} {first:?}");
    }
}

#[test]
fn speeds_are_what_was_said() {
    let reel = reel(240, 120);
    let slow = changed(TimeChange::SlowMotion { speed: Some(0.5) });
    let timeline = Timeline::build(&slow, &reel, None);
    assert_eq!(timeline.cues[100].at, 50.0);
    assert_eq!(timeline.cues[101].at, 50.5);
    let fast = changed(TimeChange::SpeedUp { speed: None });
    assert_eq!(Timeline::build(&fast, &reel, None).cues[119].at, 238.0);
    let freeze = changed(TimeChange::Freeze);
    assert!(Timeline::build(&freeze, &reel, None).cues.iter().all(|cue| cue.at == 0.0));
}

#[test]
fn reverse_shows_the_last_first() {
    let reel = reel(240, 120);
    let timeline = Timeline::build(&changed(TimeChange::Reverse), &reel, None);
    assert_eq!((timeline.cues[0].at, timeline.cues[119].at), (119.0, 0.0));
    let there_and_back = Timeline::build(&changed(TimeChange::Boomerang), &reel, None);
    assert_eq!(there_and_back.cues[0].at, 0.0);
    assert!(there_and_back.cues[119].at < 1.0);
}

#[test]
fn a_part_of_the_clip_can_be_slow() {
    let reel = reel(240, 120);
    let wish =
        TimeWish { change: TimeChange::SlowMotion { speed: Some(0.5) }, when: Some(When::End) };
    let timing = Timing { changes: vec![wish], ..Timing::default() };
    let timeline = Timeline::build(&timing, &reel, None);
    let step = |n: usize| timeline.cues[n + 1].at - timeline.cues[n].at;
    assert!((step(10) - 1.0).abs() < 1e-9 && (step(115) - 0.5).abs() < 0.05);
}

#[test]
fn sound_follows_the_picture() {
    let reel = reel(240, 120);
    let plain = Timeline::build(&Timing::default(), &reel, None);
    let heard = segments(&plain.cues, &reel);
    let whole = Segment { from_secs: 0.0, length_secs: 5.0, at_secs: 0.0, speed: 1.0 };
    assert_eq!(heard, vec![whole]);
    let slow = changed(TimeChange::SlowMotion { speed: Some(0.5) });
    let heard = segments(&Timeline::build(&slow, &reel, None).cues, &reel);
    assert_eq!(heard.len(), 1);
    assert!((heard[0].speed - 0.5).abs() < 1e-6 && (heard[0].length_secs - 2.5).abs() < 1e-6);
    let back = Timeline::build(&changed(TimeChange::Reverse), &reel, None);
    assert!(segments(&back.cues, &reel).is_empty());
}

#[test]
fn sound_jumps_with_the_picture() {
    let reel = reel(127, 240);
    let timeline = Timeline::build(&Timing::default(), &reel, Some(&Periodic { period: 30 }));
    let heard = segments(&timeline.cues, &reel);
    assert!(heard.len() >= 2);
    for segment in &heard {
        let frame = (segment.at_secs * 24.0).round() as usize;
        assert!((timeline.cues[frame].main() / 24.0 - segment.from_secs).abs() < 0.05);
        assert!((segment.speed - 1.0).abs() < 0.05, "{segment:?}");
    }
}
