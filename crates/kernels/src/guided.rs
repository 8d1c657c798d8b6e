//! A coarse matte fitted to the edges of a picture.
//!
//! The guided filter (He, Sun, Tang, "Guided image filtering", ECCV 2010): within each window the
//! matte is a linear function of the picture's luma, so its border moves to where the picture's is.

use crate::floats::Floats;
use crate::plane::{Plane, PlaneRef, ShapeError, check_same};

/// `matte` as `guide` has its edges. `radius` is half the window in px; contrast of less than the
/// square root of `eps` (codes squared, above 0) is no edge.
pub fn filter(
    guide: PlaneRef<'_>,
    matte: PlaneRef<'_>,
    radius: usize,
    eps: f32,
) -> Result<Plane, ShapeError> {
    check_same(guide.size(), matte.size())?;
    let (i, p) = (Floats::from_plane(guide), Floats::from_plane(matte));
    let product = |a: &Floats, b: &Floats| {
        let data = a.data.iter().zip(&b.data).map(|(a, b)| a * b).collect();
        Floats { data, ..Floats::new(a.width, a.height) }
    };
    let mean = |f: &Floats| f.box_mean(radius);
    let (mean_i, mean_p) = (mean(&i), mean(&p));
    let (mean_ii, mean_ip) = (mean(&product(&i, &i)), mean(&product(&i, &p)));
    let (mut a, mut b) = (mean_ip, mean_ii);
    for k in 0..a.data.len() {
        let (mi, mp) = (mean_i.data[k], mean_p.data[k]);
        let slope = (a.data[k] - mi * mp) / ((b.data[k] - mi * mi).max(0.0) + eps);
        (a.data[k], b.data[k]) = (slope, mp - slope * mi);
    }
    let (a, b) = (mean(&a), mean(&b));
    let data = (0..i.data.len())
        .map(|k| crate::resize::to_byte(a.data[k] * i.data[k] + b.data[k]))
        .collect();
    Ok(Plane::of_size(data, guide.size()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_border_moves_to_the_edge() {
        let edge = |at: usize| Plane::from_fn(80, 60, move |x, _| if x < at { 30 } else { 220 });
        let matte = Plane::from_fn(80, 60, |x, _| if x < 36 { 0 } else { 255 }).unwrap();
        let fitted = filter(edge(40).unwrap().as_ref(), matte.as_ref(), 10, 60.0).unwrap();
        let step = |x: usize| i32::from(fitted.row(30)[x + 1]) - i32::from(fitted.row(30)[x - 1]);
        assert!(step(40) > 4 * step(36).abs() && step(40) > 100, "{} {}", step(40), step(36));
        assert!(fitted.row(30)[5] < 10 && fitted.row(30)[75] > 245);
    }
}
