//! Contact sheets: the reference above, the clip below.

use std::path::Path;

use kernels::resize::{self, Filter};
use kernels::{Rgb8, ShapeError, Yuv420, convert};
use media::still::write_image;

use crate::{Clips, QualityError};

/// Width of one picture in px.
const WIDTH: usize = 320;

/// Space between pictures in px.
const GAP: usize = 4;

/// Pictures a row.
const COLUMNS: usize = 6;

/// Writes a sheet of a reference and its clip: first and last frame, both sides of the first cut,
/// and what lies between.
pub fn sheet(clips: &Clips, path: &Path) -> Result<(), QualityError> {
    let both = clips.source.len().min(clips.clip.len());
    if both == 0 {
        return Ok(());
    }
    let moments = moments(clips, both);
    let rows: Vec<Vec<Rgb8>> = [&clips.source, &clips.clip]
        .into_iter()
        .map(|frames| moments.iter().map(|&n| small(&frames[n])).collect())
        .collect::<Result<_, ShapeError>>()?;
    let heights: Vec<usize> = rows.iter().filter_map(|row| row.first()).map(Rgb8::height).collect();
    let width = COLUMNS * (WIDTH + GAP) - GAP;
    let height = heights.iter().sum::<usize>() + GAP * heights.len().saturating_sub(1);
    let mut canvas = Rgb8::new(vec![[24; 3]; width * height], width, height)?;
    let mut top = 0;
    for row in &rows {
        for (column, picture) in row.iter().enumerate() {
            place(&mut canvas, picture, column * (WIDTH + GAP), top);
        }
        top += row.first().map_or(0, Rgb8::height) + GAP;
    }
    Ok(write_image(path, width as u32, height as u32, canvas.as_bytes())?)
}

fn moments(clips: &Clips, both: usize) -> Vec<usize> {
    let last = both - 1;
    let mut moments: Vec<usize> = (0..COLUMNS).map(|k| k * last / (COLUMNS - 1)).collect();
    if let Some(cut) = clips.shots.get(1).map(|shot| shot.start) {
        moments[2] = cut - 1;
        moments[3] = cut;
        moments.sort_unstable();
    }
    moments
}

fn small(frame: &Yuv420) -> Result<Rgb8, ShapeError> {
    let (width, height) = frame.size();
    let rgb = convert::frame_to_rgb(frame.as_ref())?;
    resize::rgb(&rgb, WIDTH, (WIDTH * height / width).max(1), Filter::Area)
}

fn place(canvas: &mut Rgb8, picture: &Rgb8, left: usize, top: usize) {
    let width = canvas.width();
    for y in 0..picture.height() {
        let start = (top + y) * width + left;
        let row = picture.row(y);
        canvas.pixels_mut()[start..start + row.len()].copy_from_slice(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_shows_both_sides_of_a_cut() {
        let frame = |code| Yuv420::new(64, 36, [code, 128, 128]).unwrap();
        let frames: Vec<_> = (0..30).map(|n| frame(if n < 17 { 40 } else { 200 })).collect();
        let clips = Clips::of(frames.clone(), frames);
        let moments = moments(&clips, 30);
        assert!(moments.contains(&16) && moments.contains(&17), "{moments:?}");
        assert_eq!((moments[0], moments[COLUMNS - 1]), (0, 29));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sheet.png");
        sheet(&clips, &path).unwrap();
        let bytes = std::fs::read(path).unwrap();
        let probe = media::probe_image(&bytes).unwrap();
        assert_eq!((probe.width, probe.height), (6 * 324 - 4, 2 * 180 + 4));
    }
}
