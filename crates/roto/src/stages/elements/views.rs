//! Which view of an element is shown.
//!
//! Nothing here knows what is pictured. What can be told from an outline is to which side its upper
//! part leans: heads, bows and cabs reach forward of what they stand on. Where that is clear, a view
//! that faces the way it goes is taken, or a mirrored one if nothing on it could be writing; else
//! the frontal one.

use domain::facts::Role;
use kernels::resize::{self, Filter};
use kernels::{Rgba8, ShapeError};

/// Height at which outlines and strokes are measured, in px.
const MEASURED: usize = 160;

/// Lean from which a view faces a side, in parts of its width.
const CLEAR_LEAN: f32 = 0.035;

/// Contrast of a stroke in codes, and the strokes in a line of it that look like writing.
const STROKE: i32 = 44;
const STROKES: usize = 5;

/// Part of the rows that must look like writing.
const WRITTEN_ROWS: f32 = 0.05;

/// A view that could be cut out.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) role: Role,
    pub(crate) image: Rgba8,
}

/// The view that is shown.
pub(super) struct Chosen {
    pub(super) role: Role,
    pub(super) image: Rgba8,
    pub(super) mirrored: bool,
    pub(super) why: &'static str,
}

/// Takes a view for something that moves to a side (`heading`), or stands at `x` of the frame's
/// width. `views` has the frontal one first.
pub(super) fn choose(
    views: Vec<View>,
    heading: Option<f32>,
    x: Option<f32>,
) -> Result<Option<Chosen>, ShapeError> {
    let mut leans = Vec::with_capacity(views.len());
    for view in &views {
        leans.push(lean(&view.image)?);
    }
    let inward = x.filter(|x| (x - 0.5).abs() > 0.22).map(|x| if x < 0.5 { 1.0 } else { -1.0 });
    let best = |way: f32| {
        let facing = leans.iter().enumerate().filter(|(_, lean)| **lean * way >= CLEAR_LEAN);
        facing.max_by(|a, b| (a.1 * way).total_cmp(&(b.1 * way))).map(|(index, _)| index)
    };
    let (index, mirrored, why) = match (heading, inward) {
        (Some(way), _) => match (best(way), best(-way)) {
            (Some(index), _) => (index, false, "its upper part leans the way it goes"),
            (None, Some(index)) if !looks_written(&views[index].image)? => {
                (index, true, "mirrored: it leans against the way it goes and bears no writing")
            }
            (None, Some(_)) => (0, false, "what faces the way it goes could bear writing"),
            (None, None) => (0, false, "no view leans to a side"),
        },
        (None, Some(way)) if views.len() > 1 => match best(way) {
            Some(index) => (index, false, "it stands at the side and leans towards the middle"),
            None => (0, false, "no view leans towards the middle"),
        },
        _ => (0, false, "the frontal view"),
    };
    let Some(view) = views.into_iter().nth(index) else { return Ok(None) };
    let image = if mirrored { mirror(&view.image)? } else { view.image };
    Ok(Some(Chosen { role: view.role, image, mirrored, why }))
}

fn mirror(image: &Rgba8) -> Result<Rgba8, ShapeError> {
    let (width, height) = image.size();
    Rgba8::from_fn(width, height, |x, y| image.at((width - 1 - x) as isize, y as isize))
}

fn small(image: &Rgba8) -> Result<Rgba8, ShapeError> {
    let (width, height) = image.size();
    if height <= MEASURED {
        return Ok(image.clone());
    }
    resize::rgba(image, (width * MEASURED / height).max(1), MEASURED, Filter::Area)
}

/// How far the upper half's middle lies to the right of the lower half's, in parts of the width.
fn lean(image: &Rgba8) -> Result<f32, ShapeError> {
    let small = small(image)?;
    let (width, height) = small.size();
    let inside = |x: usize, y: usize| small.at(x as isize, y as isize)[3] > 127;
    let rows: Vec<usize> = (0..height).filter(|&y| (0..width).any(|x| inside(x, y))).collect();
    let columns: Vec<usize> = (0..width).filter(|&x| (0..height).any(|y| inside(x, y))).collect();
    let (Some(top), Some(bottom), Some(left), Some(right)) =
        (rows.first(), rows.last(), columns.first(), columns.last())
    else {
        return Ok(0.0);
    };
    let centre = |from: usize, to: usize| {
        let (mut sum, mut count) = (0.0f32, 0.0f32);
        for y in from..to {
            for x in (*left..=*right).filter(|&x| inside(x, y)) {
                sum += x as f32;
                count += 1.0;
            }
        }
        sum / count.max(1.0)
    };
    let waist = usize::midpoint(*top, *bottom);
    Ok((centre(*top, waist.max(top + 1)) - centre(waist, bottom + 1)) / (right - left + 1) as f32)
}

/// Whether rows of many short strokes, as of letters, are on it.
fn looks_written(image: &Rgba8) -> Result<bool, ShapeError> {
    let small = small(image)?;
    let (width, height) = small.size();
    let luma = |[r, g, b, _]: [u8; 4]| (2 * i32::from(r) + 5 * i32::from(g) + i32::from(b)) / 8;
    let written = (0..height).filter(|&y| {
        let row = small.row(y);
        let (mut strokes, mut best, mut since, mut way) = (0usize, 0usize, 0usize, 0i32);
        for x in 2..width {
            let step = luma(row[x]) - luma(row[x - 2]);
            since += 1;
            let solid = row[x - 2][3] > 250 && row[x][3] > 250;
            if since > MEASURED / 12 || !solid {
                strokes = 0;
            }
            if solid && step.abs() >= STROKE && step.signum() != way {
                (way, since) = (step.signum(), 0);
                strokes += 1;
                best = best.max(strokes);
            }
        }
        best >= 2 * STROKES
    });
    Ok(written.count() as f32 >= WRITTEN_ROWS * height as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body with a head to the right of it.
    fn beast(head: f32, stripes: bool) -> Rgba8 {
        Rgba8::from_fn(200, 160, |x, y| {
            let (u, v) = (x as f32, y as f32);
            let body = ((u - 100.0) / 70.0).hypot((v - 110.0) / 40.0) < 1.0;
            let neck = (u - head).hypot(v - 45.0) < 30.0;
            let code = if stripes && (95..125).contains(&y) && (x / 4) % 2 == 0 { 220 } else { 60 };
            [code, code, code, if body || neck { 255 } else { 0 }]
        })
        .unwrap()
    }

    fn views(heads: &[f32], stripes: bool) -> Vec<View> {
        let roles = [
            Role::ElementFrontal { n: 1 },
            Role::ElementView { n: 1, view: 1 },
            Role::ElementView { n: 1, view: 2 },
        ];
        let cut = heads.iter().map(|&head| beast(head, stripes));
        roles.into_iter().zip(cut).map(|(role, image)| View { role, image }).collect()
    }

    #[test]
    fn the_view_that_faces_the_way_is_taken() {
        let all = || views(&[100.0, 45.0, 155.0], false);
        let right = choose(all(), Some(1.0), None).unwrap().unwrap();
        assert_eq!(right.role, Role::ElementView { n: 1, view: 2 });
        let left = choose(all(), Some(-1.0), None).unwrap().unwrap();
        assert_eq!(left.role, Role::ElementView { n: 1, view: 1 });
        let still = choose(all(), None, Some(0.5)).unwrap().unwrap();
        assert_eq!(still.role, Role::ElementFrontal { n: 1 });
        let beside = choose(all(), None, Some(0.8)).unwrap().unwrap();
        assert_eq!(beside.role, Role::ElementView { n: 1, view: 1 });
    }

    #[test]
    fn the_other_way_is_mirrored_but_never_writing() {
        let plain = choose(views(&[45.0], false), Some(1.0), None).unwrap().unwrap();
        assert!(plain.mirrored && lean(&plain.image).unwrap() > CLEAR_LEAN);
        let written = choose(views(&[45.0], true), Some(1.0), None).unwrap().unwrap();
        assert!(!written.mirrored, "{}", written.why);
    }
}
