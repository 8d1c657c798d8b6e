//! Thin parts of a thing: stems, handles, antennae.
//!
//! Their colours may well be among those of the whole border, so they are told by their contrast to
//! what lies around them, and by their form: they stick out.

use std::collections::VecDeque;

use super::pieces::{flood, sides};

/// Half the side of the surroundings in parts of the picture's shorter side.
const AROUND: f32 = 0.1;

/// Least contrast to the surroundings, in Lab units and in their standard deviations.
const LEAST_CONTRAST: f32 = 8.0;
const LEAST_DEVIATIONS: f32 = 1.4;

/// A thin part sticks out if it reaches this many times as far as the line where it joins is long.
const LEAST_REACH: f32 = 1.6;

/// What sticks out beside the lowest part of the body, in parts of its height, lies on the ground.
const LIES: f32 = 0.3;

/// Least reach of a thin part in parts of the shorter side: less is a rim.
const LEAST_SPUR: f32 = 0.03;

/// Adds what sticks out of the body. A rim along the body's side, a shadow or the edge of a table
/// joins it over a line as long as itself, a spur does not. `lab` has the colour of each pixel.
pub(super) fn add(body: &mut [bool], lab: &[[f32; 3]], size: (usize, usize)) {
    let grown = stands_out(body, lab, size);
    let shorter = size.0.min(size.1) as f32;
    let near = (0.5 * LEAST_SPUR * shorter).max(2.0) as u16;
    let steps = steps_from(body, &grown, size);
    let edge = |i: usize| {
        let (x, y) = (i % size.0, i / size.0);
        x == 0 || y == 0 || x + 1 == size.0 || y + 1 == size.1
    };
    let rows = body.iter().enumerate().filter(|(_, inside)| **inside).map(|(i, _)| i / size.0);
    let (top, bottom) = rows.fold((size.1, 0), |(top, bottom), y| (top.min(y), bottom.max(y)));
    let foot = top as f32 + (1.0 - LIES) * bottom.saturating_sub(top) as f32..bottom as f32;
    let mut seen = vec![false; body.len()];
    for start in 0..body.len() {
        let far = |i: usize| steps[i] != u16::MAX && steps[i] > near;
        if !far(start) || seen[start] {
            continue;
        }
        let part = flood(start, size, &mut seen, far);
        let joins: Vec<usize> = part.iter().copied().filter(|&i| steps[i] == near + 1).collect();
        let reach = part.iter().map(|&i| steps[i]).max().unwrap_or(0) - near;
        let sticks_out = f32::from(reach) >= LEAST_REACH * joins.len() as f32
            && f32::from(reach) >= LEAST_SPUR * shorter;
        let level = part.iter().map(|i| (i / size.0) as f32).sum::<f32>() / part.len() as f32;
        if foot.contains(&level) || !sticks_out || part.iter().any(|&i| edge(i)) {
            continue;
        }
        for &i in &part {
            body[i] = true;
        }
        let apart = |a: usize, b: usize| {
            (a % size.0).abs_diff(b % size.0).max((a / size.0).abs_diff(b / size.0))
        };
        for i in 0..body.len() {
            let root = steps[i] > 0 && steps[i] <= near;
            if root && joins.iter().any(|&j| apart(i, j) <= usize::from(near) + 1) {
                body[i] = true;
            }
        }
    }
}

/// Steps from the body to each pixel of `grown` within it; the greatest number where there is no
/// way.
fn steps_from(body: &[bool], grown: &[bool], size: (usize, usize)) -> Vec<u16> {
    let mut steps = vec![u16::MAX; body.len()];
    let mut open = VecDeque::new();
    for (i, _) in body.iter().enumerate().filter(|(_, inside)| **inside) {
        steps[i] = 0;
        open.push_back(i);
    }
    while let Some(at) = open.pop_front() {
        for side in sides(at, size) {
            if grown[side] && steps[side] == u16::MAX {
                steps[side] = steps[at].saturating_add(1).min(u16::MAX - 1);
                open.push_back(side);
            }
        }
    }
    steps
}

/// The body and all that differs from the background around it.
fn stands_out(body: &[bool], lab: &[[f32; 3]], (width, height): (usize, usize)) -> Vec<bool> {
    // Sums over all pixels above and to the left that are not the body's: colour, square, count.
    let stride = width + 1;
    let mut sums = vec![[0.0f64; 5]; stride * (height + 1)];
    for y in 0..height {
        let mut row = [0.0f64; 5];
        for x in 0..width {
            let i = y * width + x;
            if !body[i] {
                let [l, a, b] = lab[i].map(f64::from);
                let add = [l, a, b, l * l + a * a + b * b, 1.0];
                (0..5).for_each(|k| row[k] += add[k]);
            }
            let above = sums[y * stride + x + 1];
            sums[(y + 1) * stride + x + 1] = std::array::from_fn(|k| row[k] + above[k]);
        }
    }
    let reach = (AROUND * width.min(height) as f32) as usize;
    (0..body.len())
        .map(|i| {
            let (x, y) = (i % width, i / width);
            let (x0, x1) = (x.saturating_sub(reach), (x + reach + 1).min(width));
            let (y0, y1) = (y.saturating_sub(reach), (y + reach + 1).min(height));
            let corner = |x: usize, y: usize, k: usize| sums[y * stride + x][k];
            let sum = |k: usize| {
                corner(x1, y1, k) - corner(x0, y1, k) - corner(x1, y0, k) + corner(x0, y0, k)
            };
            let count = sum(4).max(1.0);
            let mean: [f64; 3] = std::array::from_fn(|k| sum(k) / count);
            let square: f64 = mean.iter().map(|m| m * m).sum();
            let deviation = (sum(3) / count - square).max(0.0).sqrt() as f32;
            let calm = calm(lab, (width, height), (x, y));
            let gap: f32 = (0..3).map(|k| (calm[k] - mean[k] as f32).powi(2)).sum();
            body[i] || gap.sqrt() > LEAST_CONTRAST.max(LEAST_DEVIATIONS * deviation)
        })
        .collect()
}

/// Mean over 3 x 3 px.
fn calm(lab: &[[f32; 3]], (width, height): (usize, usize), (x, y): (usize, usize)) -> [f32; 3] {
    let (xs, ys) =
        (x.saturating_sub(1)..(x + 2).min(width), y.saturating_sub(1)..(y + 2).min(height));
    let count = (xs.len() * ys.len()) as f32;
    let mut sum = [0.0; 3];
    for y in ys {
        for x in xs.clone() {
            (0..3).for_each(|k| sum[k] += lab[y * width + x][k] / count);
        }
    }
    sum
}
