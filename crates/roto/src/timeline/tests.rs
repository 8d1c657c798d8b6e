use super::*;
use director::When;
use media::AudioSegment;

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

    fn is_calm(&self, _: &Range<usize>) -> bool {
        false
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

    fn is_calm(&self, _: &Range<usize>) -> bool {
        false
    }
}

fn reel(frames: usize, out_frames: usize) -> Reel {
    Reel {
        frames,
        rate: 24.0,
        out_frames,
        out_rate: 24.0,
        shots: std::iter::once(0..frames).collect(),
        heard: false,
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
    assert!(timeline.slowed_to >= 0.45);
    assert!(largest_open_step(&timeline) <= 1.01);
}

#[test]
fn five_seconds_become_ten_without_a_jump_that_would_be_seen() {
    for (frames, out) in [(72, 120), (120, 240), (127, 240)] {
        let reel = reel(frames, out);
        let timeline = Timeline::build(&Timing::default(), &reel, Some(&OneWay));
        check(&timeline, &reel);
        assert!(timeline.jump.is_none(), "{frames} frames");
        assert!((0.45..0.7).contains(&timeline.slowed_to), "{}", timeline.slowed_to);
        assert!(timeline.cues[out - 1].at >= reel.last() - 1.0, "all of it is shown");
    }
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
        let one = timeline.cues[1].at - timeline.cues[0].at;
        assert!(last.share > 0.999 && (0.69..=1.0).contains(&one), "{last:?} {one}");
        assert!((last.at + one - first.at).abs() < 0.05, "{last:?} {first:?}");
    }
}

/// A pan over a scene in which nothing moves.
struct Calm;

impl Likeness for Calm {
    fn distance(&self, a: usize, b: usize) -> f32 {
        a.abs_diff(b) as f32
    }

    fn usual(&self) -> f32 {
        1.0
    }

    fn is_calm(&self, _: &Range<usize>) -> bool {
        true
    }
}

#[test]
fn a_camera_alone_turns_where_its_way_ends() {
    for (frames, out, course) in [
        (72, 240, Course::Same),
        (60, 240, Course::Same),
        (120, 120, Course::Next),
        (50, 120, Course::Previous),
    ] {
        let reel = reel(frames, out);
        let timing = Timing { course, ..Timing::default() };
        let timeline = Timeline::build(&timing, &reel, Some(&Calm));
        check(&timeline, &reel);
        assert!(timeline.cues.iter().all(|cue| cue.join.is_none()));
        let steps: Vec<f64> = timeline.cues.windows(2).map(|p| p[1].at - p[0].at).collect();
        assert!(steps.iter().any(|&v| v < -0.5), "{frames}: it comes back");
        // Neither its place nor its speed jumps.
        assert!(steps.iter().all(|v| v.abs() <= 1.03), "{steps:?}");
        assert!(steps.windows(2).all(|p| (p[1] - p[0]).abs() < 0.12), "{steps:?}");
    }
    let previous = Timing { course: Course::Previous, ..Timing::default() };
    let reel = self::reel(120, 120);
    let lead_in = Timeline::build(&previous, &reel, Some(&Calm));
    assert_eq!(lead_in.cues[119].at, 0.0);
    // What is heard does not run backwards.
    let reel = Reel { heard: true, ..self::reel(72, 240) };
    let timeline = Timeline::build(&Timing::default(), &reel, Some(&Calm));
    let pairs = timeline.cues.windows(2).filter(|p| p[1].at < p[0].at);
    assert!(pairs.clone().all(|p| p[0].join.is_some()) && pairs.count() > 0);
}

#[test]
fn a_jump_that_shows_comes_seldom_and_slowly() {
    let reel = reel(72, 240);
    let timeline = Timeline::build(&Timing::default(), &reel, Some(&OneWay));
    check(&timeline, &reel);
    let returns = timeline.cues.windows(2).filter(|p| p[1].at < p[0].at).count();
    assert!(returns <= 2, "{returns}");
    let share = |cue: &Cue| cue.join.map_or(0.0, |join| join.share);
    let fades: Vec<f32> = timeline
        .cues
        .windows(2)
        .filter(|p| p[0].join.is_some() && p[1].join.is_some())
        .map(|p| share(&p[1]) - share(&p[0]))
        .collect();
    assert!(fades.iter().all(|&step| step <= 0.08), "{fades:?}");
}

#[test]
fn a_ramp_runs_forwards_from_one_speed_to_the_other() {
    let reel = reel(240, 120);
    for (to_slow, from, to) in [(true, 1.5, 0.4), (false, 0.5, 2.0)] {
        let ramp = changed(TimeChange::Ramp { to_slow: Some(to_slow) });
        let timeline = Timeline::build(&ramp, &reel, None);
        let steps: Vec<f64> = timeline.cues.windows(2).map(|p| p[1].at - p[0].at).collect();
        assert!((steps[2] - from).abs() < 0.05 && (steps[117] - to).abs() < 0.05, "{steps:?}");
        let falls = |p: &[f64]| if to_slow { p[1] <= p[0] + 0.05 } else { p[1] >= p[0] - 0.05 };
        assert!(steps.iter().all(|&v| v > 0.0) && steps.windows(2).all(falls), "{steps:?}");
        assert!(steps.windows(2).all(|p| (p[1] - p[0]).abs() < 0.1), "{steps:?}");
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

/// Where the sound of the middle of each frame is from, in frames of the reel.
fn heard(segments: &[AudioSegment], reel: &Reel) -> Vec<Option<f64>> {
    for pair in segments.windows(2) {
        assert!(pair[1].at_secs > pair[0].end_secs() - 1e-9, "{pair:?}");
    }
    let middle = |n: usize| (n as f64 + 0.5) / reel.out_rate;
    let at = |secs: f64| {
        let covers = |one: &&AudioSegment| (one.at_secs..one.end_secs()).contains(&secs);
        let found = segments.iter().find(covers)?;
        Some((found.from_secs + (secs - found.at_secs) * found.speed) * reel.rate)
    };
    (0..reel.out_frames).map(|n| at(middle(n))).collect()
}

/// Checks that what is heard is what is seen, to the frame; gives the frames that are heard.
fn in_sync(timeline: &Timeline, reel: &Reel) -> Vec<usize> {
    let found = segments(&timeline.cues, reel);
    assert!(found.iter().all(|one| (0.2499..4.001).contains(&one.speed)), "{found:?}");
    let heard = heard(&found, reel);
    let frames = heard.iter().enumerate().filter_map(|(n, at)| Some((n, (*at)?)));
    let checked = frames.map(|(n, at)| {
        let seen = timeline.cues[n].main();
        // The middle of a frame's time, at the speed of play there; the last one goes on.
        let step = |n: usize| timeline.cues[n].main() - timeline.cues[n - 1].main();
        let step = step((n + 1).min(reel.out_frames - 1));
        let step = if (0.0..5.0).contains(&step) { step } else { 1.0 };
        assert!((at - seen - step / 2.0).abs() <= 0.75, "frame {n}: hears {at}, shows {seen}");
        n
    });
    checked.collect()
}

#[test]
fn sound_follows_the_picture() {
    let reel = reel(240, 120);
    let plain = Timeline::build(&Timing::default(), &reel, None);
    let whole = AudioSegment { at_secs: 0.0, from_secs: 0.0, to_secs: 5.0, speed: 1.0 };
    assert_eq!(segments(&plain.cues, &reel), vec![whole]);
    for speed in [0.25, 0.4, 0.5] {
        let slow = changed(TimeChange::SlowMotion { speed: Some(speed) });
        let timeline = Timeline::build(&slow, &reel, None);
        assert_eq!(in_sync(&timeline, &reel).len(), 120, "{speed}");
        let found = segments(&timeline.cues, &reel);
        assert!(found.len() == 1 && (found[0].speed - speed).abs() < 0.01, "{found:?}");
    }
    let reel = Reel { frames: 600, ..reel };
    let fast = changed(TimeChange::SpeedUp { speed: Some(4.0) });
    assert_eq!(in_sync(&Timeline::build(&fast, &reel, None), &reel).len(), 120);
    for change in [
        TimeChange::Reverse,
        TimeChange::Freeze,
        TimeChange::SlowMotion { speed: Some(0.15) },
        TimeChange::SpeedUp { speed: Some(5.0) },
    ] {
        let timeline = Timeline::build(&changed(change), &reel, None);
        assert!(segments(&timeline.cues, &reel).is_empty(), "{change:?}");
    }
}

#[test]
fn sound_bends_with_a_speed_that_changes() {
    let reel = reel(240, 120);
    for to_slow in [true, false] {
        let ramp = changed(TimeChange::Ramp { to_slow: Some(to_slow) });
        let timeline = Timeline::build(&ramp, &reel, None);
        assert_eq!(in_sync(&timeline, &reel).len(), 120);
        let found = segments(&timeline.cues, &reel);
        assert!(found.len() < 12, "{} stretches", found.len());
    }
    let short = self::reel(100, 120);
    let timeline = Timeline::build(&Timing::default(), &short, Some(&OneWay));
    assert!(timeline.slowed_to < 1.0);
    assert!(in_sync(&timeline, &short).len() >= 119);
}

#[test]
fn a_freeze_in_the_middle_is_silent_and_shifts_nothing() {
    let reel = reel(240, 120);
    let wish = TimeWish { change: TimeChange::Freeze, when: Some(When::Middle) };
    let timing = Timing { changes: vec![wish], ..Timing::default() };
    let timeline = Timeline::build(&timing, &reel, None);
    let heard = in_sync(&timeline, &reel);
    assert!(heard.contains(&20) && heard.contains(&110), "{heard:?}");
    assert!((50..70).all(|n| !heard.contains(&n)), "{heard:?}");
}

#[test]
fn sound_turns_silent_where_a_boomerang_comes_back() {
    let reel = reel(240, 120);
    let timeline = Timeline::build(&changed(TimeChange::Boomerang), &reel, None);
    let heard = in_sync(&timeline, &reel);
    assert!((0..58).all(|n| heard.contains(&n)));
    assert!((62..120).all(|n| !heard.contains(&n)), "{heard:?}");
}

#[test]
fn sound_jumps_with_the_picture() {
    let reel = reel(127, 240);
    let timeline = Timeline::build(&Timing::default(), &reel, Some(&Periodic { period: 30 }));
    assert_eq!(in_sync(&timeline, &reel).len(), 240);
    let heard = segments(&timeline.cues, &reel);
    assert!(heard.len() >= 2 && heard.iter().all(|one| one.speed == 1.0), "{heard:?}");
}
