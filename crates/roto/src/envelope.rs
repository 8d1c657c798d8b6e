//! How much of a wish there is at a moment of the clip.

use director::When;

/// Seconds over which a wish comes or goes.
const RAMP_SECS: f64 = 0.8;

/// The share of a wish, 0 to 1, at `secs` of a clip of `length` seconds. Never jumps.
pub(crate) fn share(when: Option<When>, secs: f64, length: f64) -> f32 {
    let length = length.max(0.1);
    let ramp = RAMP_SECS.min(length / 4.0);
    let rising = |from: f64| ease((secs - from) / ramp + 0.5);
    let share = match when {
        None => 1.0,
        Some(When::Start) => 1.0 - rising(length / 3.0),
        Some(When::Middle) => rising(length / 3.0) * (1.0 - rising(2.0 * length / 3.0)),
        Some(When::End) => rising(2.0 * length / 3.0),
        Some(When::From { secs: from }) => rising(from.clamp(0.0, length)),
        Some(When::Gradually) => (secs / length).clamp(0.0, 1.0),
    };
    share as f32
}

/// 0 up to 0, 1 from 1 on, without a corner.
pub(crate) fn ease(t: f64) -> f64 {
    let t = t.clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_the_clip_take_turns() {
        let at = |when, secs| share(Some(when), secs, 6.0);
        assert_eq!((at(When::Start, 0.5), at(When::Start, 5.0)), (1.0, 0.0));
        assert_eq!((at(When::Middle, 0.5), at(When::Middle, 3.0)), (0.0, 1.0));
        assert_eq!((at(When::End, 1.0), at(When::End, 5.9)), (0.0, 1.0));
        assert_eq!(
            (at(When::From { secs: 3.0 }, 1.0), at(When::From { secs: 3.0 }, 4.0)),
            (0.0, 1.0)
        );
        assert_eq!(share(None, 3.0, 6.0), 1.0);
    }

    #[test]
    fn nothing_jumps_from_frame_to_frame() {
        let all = [When::Start, When::Middle, When::End, When::From { secs: 2.0 }, When::Gradually];
        for when in all {
            for n in 0..119 {
                let step = share(Some(when), f64::from(n + 1) / 24.0, 5.0)
                    - share(Some(when), f64::from(n) / 24.0, 5.0);
                assert!(step.abs() < 0.1, "{when:?} {n}");
            }
        }
    }
}
