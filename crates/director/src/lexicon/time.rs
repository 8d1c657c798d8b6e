//! Words for how time runs, for the frame's shape and for times of day.

use super::Entry;
use crate::brief::Aspect;
use crate::want::{TimeChange, TimeOfDay, Want};

const fn change(change: TimeChange) -> Want {
    Want::Time { change }
}

const fn slow(speed: Option<f64>) -> Want {
    change(TimeChange::SlowMotion { speed })
}

const fn fast(speed: Option<f64>) -> Want {
    change(TimeChange::SpeedUp { speed })
}

const fn day(time: TimeOfDay) -> Want {
    Want::TimeOfDay { time }
}

const fn frame(width: u32, height: u32) -> Want {
    Want::Frame { aspect: Aspect::Ratio { width, height } }
}

pub(super) static ENTRIES: &[Entry] = &[
    ("slow motion", slow(None), 0.95),
    ("slow mo", slow(None), 0.95),
    ("slowmo", slow(None), 0.95),
    ("slowmotion", slow(None), 0.95),
    ("slow down", slow(None), 0.8),
    ("slow it down", slow(None), 0.85),
    ("slowed down", slow(None), 0.9),
    ("slow the video", slow(None), 0.85),
    ("slower", slow(None), 0.6),
    ("bullet time", slow(Some(0.1)), 0.6),
    ("slow everything down", slow(None), 0.9),
    ("slow the clip", slow(None), 0.85),
    ("quarter of the speed", slow(Some(0.25)), 0.9),
    ("half of the speed", slow(Some(0.5)), 0.9),
    ("half speed", slow(Some(0.5)), 0.95),
    ("half the speed", slow(Some(0.5)), 0.95),
    ("quarter speed", slow(Some(0.25)), 0.95),
    ("twice as slow", slow(Some(0.5)), 0.95),
    ("double speed", fast(Some(2.0)), 0.95),
    ("double the speed", fast(Some(2.0)), 0.95),
    ("twice as fast", fast(Some(2.0)), 0.95),
    ("twice the speed", fast(Some(2.0)), 0.95),
    ("speed up", fast(None), 0.9),
    ("speed it up", fast(None), 0.9),
    ("sped up", fast(None), 0.9),
    ("fast forward", fast(None), 0.9),
    ("fast motion", fast(None), 0.9),
    ("faster", fast(None), 0.6),
    ("speed ramp", change(TimeChange::Ramp { to_slow: None }), 0.95),
    ("ramp down", change(TimeChange::Ramp { to_slow: Some(true) }), 0.7),
    ("ramp up", change(TimeChange::Ramp { to_slow: Some(false) }), 0.7),
    ("ramp into slow motion", change(TimeChange::Ramp { to_slow: Some(true) }), 0.95),
    ("speed ramp into slow motion", change(TimeChange::Ramp { to_slow: Some(true) }), 0.95),
    ("ramp into extreme slow motion", change(TimeChange::Ramp { to_slow: Some(true) }), 0.95),
    ("ramp to slow motion", change(TimeChange::Ramp { to_slow: Some(true) }), 0.95),
    ("time lapse", change(TimeChange::TimeLapse), 0.9),
    ("timelapse", change(TimeChange::TimeLapse), 0.9),
    ("hyperlapse", change(TimeChange::TimeLapse), 0.85),
    ("reverse", change(TimeChange::Reverse), 0.75),
    ("in reverse", change(TimeChange::Reverse), 0.95),
    ("reversed", change(TimeChange::Reverse), 0.85),
    ("backwards", change(TimeChange::Reverse), 0.7),
    ("play backwards", change(TimeChange::Reverse), 0.95),
    ("rewind", change(TimeChange::Reverse), 0.85),
    ("loop", change(TimeChange::Loop), 0.9),
    ("seamless loop", change(TimeChange::Loop), 0.95),
    ("perfect loop", change(TimeChange::Loop), 0.95),
    ("loop seamlessly", change(TimeChange::Loop), 0.95),
    ("boomerang", change(TimeChange::Boomerang), 0.9),
    ("freeze", change(TimeChange::Freeze), 0.8),
    ("freeze frame", change(TimeChange::Freeze), 0.95),
    ("freeze on", change(TimeChange::Freeze), 0.85),
    ("dawn", day(TimeOfDay::Dawn), 0.9),
    ("sunrise", day(TimeOfDay::Dawn), 0.9),
    ("daybreak", day(TimeOfDay::Dawn), 0.9),
    ("morning", day(TimeOfDay::Morning), 0.85),
    ("morning light", day(TimeOfDay::Morning), 0.9),
    ("midday", day(TimeOfDay::Midday), 0.9),
    ("noon", day(TimeOfDay::Midday), 0.9),
    ("high noon", day(TimeOfDay::Midday), 0.9),
    ("daylight", day(TimeOfDay::Midday), 0.7),
    ("daytime", day(TimeOfDay::Midday), 0.8),
    ("golden hour", day(TimeOfDay::GoldenHour), 0.95),
    ("golden light", day(TimeOfDay::GoldenHour), 0.8),
    ("magic hour", day(TimeOfDay::GoldenHour), 0.9),
    ("sunset", day(TimeOfDay::Sunset), 0.9),
    ("sundown", day(TimeOfDay::Sunset), 0.9),
    ("dusk", day(TimeOfDay::Dusk), 0.9),
    ("twilight", day(TimeOfDay::Dusk), 0.9),
    ("evening", day(TimeOfDay::Dusk), 0.75),
    ("blue hour", day(TimeOfDay::BlueHour), 0.95),
    ("night", day(TimeOfDay::Night), 0.9),
    ("nighttime", day(TimeOfDay::Night), 0.95),
    ("night time", day(TimeOfDay::Night), 0.95),
    ("midnight", day(TimeOfDay::Night), 0.9),
    ("at night", day(TimeOfDay::Night), 0.95),
    ("moonlit", day(TimeOfDay::Moonlit), 0.95),
    ("moonlight", day(TimeOfDay::Moonlit), 0.9),
    ("moonlit night", day(TimeOfDay::Moonlit), 0.95),
    ("vertical", frame(9, 16), 0.5),
    ("vertical video", frame(9, 16), 0.9),
    ("vertical format", frame(9, 16), 0.9),
    ("portrait format", frame(9, 16), 0.9),
    ("portrait orientation", frame(9, 16), 0.9),
    ("landscape format", frame(16, 9), 0.9),
    ("landscape orientation", frame(16, 9), 0.9),
    ("widescreen", frame(16, 9), 0.85),
    ("wide screen", frame(16, 9), 0.85),
    ("square video", frame(1, 1), 0.9),
    ("square format", frame(1, 1), 0.9),
    ("cinemascope", frame(239, 100), 0.85),
    ("anamorphic", frame(239, 100), 0.5),
];
