//! Work on rows in parallel.
//!
//! Every row is a function of its index alone and is written by one task, so the number of
//! threads can't change a byte. Rows go in bands to keep the cost of scheduling small. A band runs
//! at the widest SIMD level of the processor; `work` profits as far as it is inlined.

use crate::plane::PlaneMut;
use crate::simd;
use rayon::prelude::*;

const BAND_ROWS: usize = 16;

/// Calls `work(y, row)` for each row.
pub(crate) fn for_rows(dst: &mut PlaneMut<'_>, work: impl Fn(usize, &mut [u8]) + Sync) {
    for_rows_with(
        dst,
        || (),
        #[inline(always)]
        |(), y, row| work(y, row),
    );
}

/// Calls `work(scratch, y, row)` for each row; a band shares one scratch, whose contents must not
/// matter to the next row.
pub(crate) fn for_rows_with<S>(
    dst: &mut PlaneMut<'_>,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize, &mut [u8]) + Sync,
) {
    let width = dst.width();
    let (data, stride) = dst.raw_mut();
    data.par_chunks_mut(stride * BAND_ROWS).enumerate().for_each(|(band, rows)| {
        let mut scratch = scratch();
        simd::widest(
            #[inline(always)]
            || {
                for (i, row) in rows.chunks_mut(stride).enumerate() {
                    work(&mut scratch, band * BAND_ROWS + i, &mut row[..width]);
                }
            },
        );
    });
}

/// Calls `work(y, row)` for each row of `width` items.
pub(crate) fn for_items<T: Send>(
    data: &mut [T],
    width: usize,
    work: impl Fn(usize, &mut [T]) + Sync,
) {
    for_items_with(
        data,
        width,
        || (),
        #[inline(always)]
        |(), y, row| work(y, row),
    );
}

/// [`for_rows_with`] for rows of `width` items.
pub(crate) fn for_items_with<T: Send, S>(
    data: &mut [T],
    width: usize,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize, &mut [T]) + Sync,
) {
    data.par_chunks_mut(width * BAND_ROWS).enumerate().for_each(|(band, rows)| {
        simd::widest(
            #[inline(always)]
            || {
                let mut scratch = scratch();
                for (i, row) in rows.chunks_mut(width).enumerate() {
                    work(&mut scratch, band * BAND_ROWS + i, row);
                }
            },
        );
    });
}
