//! Hot loops compiled twice: for every processor, and for those with AVX2.
//!
//! The body of a loop is one and the same source. Where the processor has AVX2 it runs in a
//! function that is compiled with wider vectors, elsewhere as it is. Its sums are integers, or
//! floats without fused multiply-add in the order of the source, so each [`Level`] gives the same
//! bytes: that is what the tests of the kernels compare. This is the only module with `unsafe`.

#![expect(unsafe_code, reason = "calling a function compiled for more than the baseline")]

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

/// An instruction set that loops are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// What every processor of the target has: SSE2 on x86-64.
    Baseline,
    /// x86-64 with AVX2.
    Avx2,
}

/// The highest level that may be used, as a number: 0 is [`Level::Baseline`].
static CEILING: AtomicU8 = AtomicU8::new(u8::MAX);

/// Held by whoever has lowered the ceiling.
static LOWERED: Mutex<()> = Mutex::new(());

/// The level that loops run at.
#[inline]
pub fn level() -> Level {
    #[cfg(target_arch = "x86_64")]
    if CEILING.load(Ordering::Relaxed) > 0 && std::arch::is_x86_feature_detected!("avx2") {
        return Level::Avx2;
    }
    Level::Baseline
}

/// Runs `work` with every loop of the process kept to `ceiling`: for comparing levels. One caller
/// at a time; `work` must not call it again. No result depends on it, only speed.
pub fn at_most<R>(ceiling: Level, work: impl FnOnce() -> R) -> R {
    struct Raise;
    impl Drop for Raise {
        fn drop(&mut self) {
            CEILING.store(u8::MAX, Ordering::Relaxed);
        }
    }
    let _alone = LOWERED.lock().unwrap_or_else(PoisonError::into_inner);
    let _raise = Raise;
    CEILING.store(u8::from(ceiling != Level::Baseline), Ordering::Relaxed);
    work()
}

/// Runs `body`, compiled for the level of this processor as far as it is inlined: closures and
/// functions in a hot loop are marked `#[inline(always)]`.
#[inline(always)]
pub(crate) fn widest<R>(body: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if level() == Level::Avx2 {
        // SAFETY: `level` says Avx2 only after the processor has said that it has AVX2, which is
        // all that `with_avx2` asks for.
        return unsafe { with_avx2(body) };
    }
    body()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2<R>(body: impl FnOnce() -> R) -> R {
    body()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums() -> (Vec<u32>, u32) {
        let mut values: Vec<f32> = (0..1003u16).map(|i| f32::from(i) * 0.37 - 90.0).collect();
        let mut total = 0i32;
        widest(
            #[inline(always)]
            || {
                for (i, value) in values.iter_mut().enumerate() {
                    *value = *value * 1.7 + 0.3 * *value * *value;
                    total += (*value as i32) * (i as i32 & 15);
                }
            },
        );
        (values.iter().map(|v| v.to_bits()).collect(), total as u32)
    }

    #[test]
    fn each_level_gives_the_same_bits() {
        let here = at_most(Level::Avx2, sums);
        assert_eq!(at_most(Level::Baseline, sums), here);
    }

    #[test]
    fn the_ceiling_holds_while_the_work_runs_and_no_longer() {
        assert_eq!(at_most(Level::Baseline, level), Level::Baseline);
        let free = at_most(Level::Avx2, level);
        #[cfg(target_arch = "x86_64")]
        assert_eq!(free == Level::Avx2, std::arch::is_x86_feature_detected!("avx2"));
        #[cfg(not(target_arch = "x86_64"))]
        assert_eq!(free, Level::Baseline);
    }
}
