//! From raw mattes to calm ones: no crumbs, no pinholes, the same from frame to frame.

use rayon::prelude::*;

use super::{Take, ramp};
use crate::field::FlowField;
use crate::guided;
use crate::plane::{Plane, ShapeError};
use crate::warp;

/// Part of a raw matte below which nothing is and above which all is.
const FIRM: (f32, f32) = (0.3, 0.7);

/// Pieces smaller than this part of the largest one are crumbs; holes smaller than this part of it
/// are filled.
const CRUMB: f32 = 0.08;
const PINHOLE: f32 = 0.02;

/// Code up to which a matte is nothing but haze.
const HAZE: u8 = 24;

/// Window in px of the copy and contrast in codes squared of the edges that a matte is fitted to.
const WINDOW: usize = 2;
const CONTRAST: f32 = 60.0;

/// The mattes of a shot's frames, tidied up one by one and then over time.
pub(super) fn cleaned(take: &Take<'_>, raw: Vec<Plane>) -> Result<Vec<Plane>, ShapeError> {
    let tidied = |(at, matte): (usize, Plane)| {
        let luma = take.frames[take.shot.start + at].planes()[0];
        let mut fitted = guided::filter(luma.as_ref(), matte.as_ref(), WINDOW, CONTRAST)?;
        for code in fitted.data_mut() {
            *code = (255.0 * ramp(FIRM, f32::from(*code) / 255.0) + 0.5) as u8;
        }
        without_crumbs(&mut fitted);
        Ok(fitted)
    };
    let tidy: Vec<Plane> = raw.into_par_iter().enumerate().map(tidied).collect::<Result<_, _>>()?;
    (0..tidy.len()).into_par_iter().map(|at| calmed(take, &tidy, at)).collect()
}

/// A matte averaged with those of the frames around it, brought along by the flow.
fn calmed(take: &Take<'_>, mattes: &[Plane], at: usize) -> Result<Plane, ShapeError> {
    let mut sums: Vec<u32> = mattes[at].data().iter().map(|&code| 2 * u32::from(code)).collect();
    let mut count = 2;
    let others = [(take.ahead(at), at + 1), (take.behind(at), at.wrapping_sub(1))];
    for (field, other) in others {
        let (Some(field), Some(matte)) = (field, mattes.get(other)) else { continue };
        let brought = brought(matte, field)?;
        sums.iter_mut().zip(brought.data()).for_each(|(sum, &code)| *sum += u32::from(code));
        count += 1;
    }
    let codes = sums.iter().map(|sum| ((sum + count / 2) / count) as u8).collect();
    Plane::from_vec(codes, mattes[at].width(), mattes[at].height())
}

/// A matte brought along a field from the frame that it leads to.
pub(super) fn brought(matte: &Plane, field: &FlowField) -> Result<Plane, ShapeError> {
    let mut out = Plane::new(matte.width(), matte.height(), 0)?;
    warp::by_flow(matte.as_ref(), field, &mut out.as_mut())?;
    Ok(out)
}

/// Takes small pieces away, with the haze about them, and fills small holes.
fn without_crumbs(matte: &mut Plane) {
    let size = matte.size();
    let codes = matte.data().to_vec();
    let firm = |at: usize| codes[at] > 127;
    let any: Vec<bool> = codes.iter().map(|&code| code > HAZE).collect();
    let firm_of = |piece: &[usize]| piece.iter().filter(|&&at| firm(at)).count();
    let all = pieces(&any, size);
    let mut largest = 0;
    for piece in all.iter().filter(|piece| any[piece[0]]) {
        largest = largest.max(firm_of(piece));
    }
    let data = matte.data_mut();
    for piece in &all {
        let (least, code) = if any[piece[0]] {
            (CRUMB * largest as f32, 0)
        } else {
            (PINHOLE * largest as f32, 255)
        };
        let size = if any[piece[0]] { firm_of(piece) } else { piece.len() };
        if (size as f32) < least || size == 0 {
            for &at in piece {
                data[at] = code;
            }
        }
    }
}

/// The pieces that hang together by their sides, of both states.
fn pieces(inside: &[bool], (width, height): (usize, usize)) -> Vec<Vec<usize>> {
    let mut seen = vec![false; inside.len()];
    let mut all = Vec::new();
    for start in 0..inside.len() {
        if seen[start] {
            continue;
        }
        seen[start] = true;
        let mut piece = vec![start];
        let mut next = 0;
        while let Some(&at) = piece.get(next) {
            next += 1;
            let (x, y) = (at % width, at / width);
            let sides = [
                (x > 0).then(|| at.wrapping_sub(1)),
                (x + 1 < width).then_some(at + 1),
                (y > 0).then(|| at.wrapping_sub(width)),
                (y + 1 < height).then_some(at + width),
            ];
            for side in sides.into_iter().flatten() {
                if !seen[side] && inside[side] == inside[start] {
                    seen[side] = true;
                    piece.push(side);
                }
            }
        }
        all.push(piece);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crumbs_go_and_pinholes_close() {
        let mut matte = Plane::from_fn(60, 40, |x, y| {
            let body = (10..40).contains(&x) && (5..35).contains(&y);
            let hole = (20..23).contains(&x) && y == 20;
            let crumb = (50..53).contains(&x) && (8..11).contains(&y);
            if body && !hole || crumb { 255 } else { 0 }
        })
        .unwrap();
        without_crumbs(&mut matte);
        assert_eq!((matte.row(20)[21], matte.row(9)[51], matte.row(20)[12]), (255, 0, 255));
    }
}
