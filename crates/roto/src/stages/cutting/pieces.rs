//! Connected pieces of a small mask, and which of them belong to a thing.

use kernels::{Plane, blur};

use super::CutError;
use super::surfaces::MOST_TOUCH;

/// Part of the shorter side that counts as border.
const BORDER: f32 = 0.04;

/// Faint parts together may be this part of the thing.
const MOST_FAINT: f32 = 0.45;

/// Faint parts thinner than twice this part of the picture are looked at apart.
const THIN: f32 = 0.04;

pub(super) fn ring((width, height): (usize, usize)) -> Vec<usize> {
    let depth = (BORDER * width.min(height) as f32).max(1.0) as usize;
    let near = |at: usize, side: usize| at < depth || at + depth >= side;
    (0..width * height).filter(|i| near(i % width, width) || near(i / width, height)).collect()
}

/// The largest connected piece.
pub(super) fn largest_piece(inside: &[bool], size: (usize, usize)) -> Option<Vec<bool>> {
    let mut seen = vec![false; inside.len()];
    let mut best: Option<Vec<usize>> = None;
    for start in 0..inside.len() {
        if inside[start] && !seen[start] {
            let piece = flood(start, size, &mut seen, |i| inside[i]);
            if best.as_ref().is_none_or(|best| piece.len() > best.len()) {
                best = Some(piece);
            }
        }
    }
    let mut mask = vec![false; inside.len()];
    best?.into_iter().for_each(|i| mask[i] = true);
    Some(mask)
}

/// The piece and what of the faint pixels hangs together with it, without what is thin; the piece
/// alone if that is too much to be a part of it or runs to the border.
pub(super) fn with_faint_parts(
    piece: &[bool],
    size: (usize, usize),
    faint: impl Fn(usize) -> bool,
) -> Result<Vec<bool>, CutError> {
    let joins: Vec<bool> = (0..piece.len()).map(|i| piece[i] || faint(i)).collect();
    let Some(grown) = largest_piece(&joins, size) else { return Ok(piece.to_vec()) };
    let data = grown.iter().map(|&inside| if inside { 255 } else { 0 }).collect();
    let radius = (THIN * size.0.min(size.1) as f32) as usize;
    let mut core = blur::box_mean(Plane::from_vec(data, size.0, size.1)?.as_ref(), radius);
    core.data_mut().iter_mut().for_each(|mean| *mean = if *mean >= 253 { 255 } else { 0 });
    let solid = blur::box_mean(core.as_ref(), radius);
    let kept: Vec<bool> =
        (0..piece.len()).map(|i| piece[i] || (grown[i] && solid.data()[i] > 0)).collect();
    let joined = largest_piece(&kept, size).unwrap_or(kept);
    let count = |mask: &[bool]| mask.iter().filter(|&&inside| inside).count() as f32;
    let (own, all) = (count(piece), count(&joined));
    let ring = ring(size);
    let touching = ring.iter().filter(|&&i| joined[i]).count() as f32 / ring.len() as f32;
    let a_part = all <= own * (1.0 + MOST_FAINT) && touching <= MOST_TOUCH;
    Ok(if a_part { joined } else { piece.to_vec() })
}

/// The pixels above, below, left and right of one.
pub(super) fn sides(at: usize, (width, height): (usize, usize)) -> impl Iterator<Item = usize> {
    let (x, y) = (at % width, at / width);
    let sides = [
        (x > 0).then(|| at.saturating_sub(1)),
        (x + 1 < width).then(|| at + 1),
        (y > 0).then(|| at.saturating_sub(width)),
        (y + 1 < height).then(|| at + width),
    ];
    sides.into_iter().flatten()
}

/// Everything that the outside does not reach.
pub(super) fn without_holes(inside: &[bool], size: (usize, usize)) -> Vec<bool> {
    let mut reached = vec![false; inside.len()];
    for start in ring(size) {
        if !inside[start] && !reached[start] {
            flood(start, size, &mut reached, |i| !inside[i]);
        }
    }
    reached.iter().map(|&outside| !outside).collect()
}

/// The pixels connected to `start` for which `joins` holds; marks them as seen.
pub(super) fn flood(
    start: usize,
    size: (usize, usize),
    seen: &mut [bool],
    joins: impl Fn(usize) -> bool,
) -> Vec<usize> {
    let mut piece = vec![start];
    seen[start] = true;
    let mut next = 0;
    while let Some(&at) = piece.get(next) {
        next += 1;
        for side in sides(at, size) {
            if !seen[side] && joins(side) {
                seen[side] = true;
                piece.push(side);
            }
        }
    }
    piece
}
