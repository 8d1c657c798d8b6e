//! From one run of a painting to another, stroke by stroke.
//!
//! Areas of about a stroke's size change over one after the other. Which goes when hangs on the
//! exemplar's place that the first run shows there, so that the areas move with the scene and
//! every one changes once; in between only one area in four is a mixture of both.

use super::search::Field;
use super::{ONE, Spot};
use crate::blur;
use crate::hash;
use crate::plane::{Plane, ShapeError};
use crate::rows::for_rows_with;

/// Size of the areas that change over together, in cells of the exemplar.
const AREA: i32 = 12;

/// Neighbourhood that changes over together, as a radius in cells, and how sharp its border is.
const CALM: usize = 4;
const SHARPEN: i32 = 8;

/// Part of the way during which one area is between both.
const SOFT: f32 = 0.25;

/// Part of the second run in each cell, 0 to 256, `share` (0 to 1) of the way from the first.
pub(super) fn weights(first: &Field, share: f32) -> Result<Vec<u16>, ShapeError> {
    let (cells, width) = (first.spots.len(), first.width);
    let mut drawn = Plane::new(width, cells / width, 0)?;
    for_rows_with(
        &mut drawn.as_mut(),
        || (),
        |(), y, row| {
            for (out, &spot) in row.iter_mut().zip(&first.spots[y * width..]) {
                let along = (share * (1.0 + SOFT) - turn(spot)) / SOFT;
                *out = (255.0 * along.clamp(0.0, 1.0)) as u8;
            }
        },
    );
    // Where the places of neighbours have nothing to do with each other they change over together.
    let calm = blur::box_mean(drawn.as_ref(), CALM);
    let sharper = |code: u8| (i32::from(code) - 127) * SHARPEN + 127;
    Ok(calm.data().iter().map(|&code| (sharper(code).clamp(0, 255) * 256 / 255) as u16).collect())
}

/// When a place of the exemplar changes over, 0 to 1: the drawn number of the nearest of drawn
/// points (a Worley pattern, so that areas have no straight borders).
fn turn([x, y]: Spot) -> f32 {
    let side = AREA * ONE;
    let (i, j) = (x.div_euclid(side), y.div_euclid(side));
    let mut best = (i64::MAX, 0.0);
    for (dx, dy) in (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dx, dy))) {
        let (i, j) = (i + dx, j + dy);
        let word = hash::mix(((j as u32 as u64) << 32) | i as u32 as u64);
        let point = |from: i32, word: u64| {
            i64::from(from * side) + (word & 0xffff) as i64 * i64::from(side) / 65_536
        };
        let (px, py) = (point(i, word), point(j, word >> 16));
        let (ax, ay) = (px - i64::from(x), py - i64::from(y));
        let distance = ax * ax + ay * ay;
        if distance < best.0 {
            best = (distance, hash::unit(hash::mix(word)));
        }
    }
    best.1
}
