//! Style pictures, prepared.

use super::features::{Features, Mark};
use super::guide::Colours;
use super::kin::{self, KIN};
use super::{ONE, RADIUS, Spot};
use crate::convert;
use crate::geometry::Rect;
use crate::image::Rgb8;
use crate::plane::{Plane, ShapeError, check_size};
use crate::resize::{self, Filter};

/// Shorter side below which a level is not halved again, in cells.
const SMALLEST: usize = 20;

/// Most levels of the pyramid.
const MOST_LEVELS: usize = 6;

/// Samples of the ink on each side of a cell: twice the resolution of the picture, so that
/// bilinear reads between pixels keep their sharpness.
pub(super) const INK: usize = 4;

/// Side of the blocks whose use is counted, in cells (log 2).
const BLOCK_BITS: usize = 3;

/// Classes of broad luma and of direction of the buckets that a search starts from.
const LUMA_CLASSES: usize = 32;
const TURN_CLASSES: usize = 5;

/// A style picture, cropped and scaled so that its strokes have the size they shall have.
#[derive(Debug, Clone, Copy)]
pub struct Picture<'a> {
    /// The picture.
    pub image: &'a Rgb8,
    /// Share of the painting that it shall have, relative to the other pictures; above 0.
    pub weight: f32,
}

/// Style pictures with their pyramid, features and nearest neighbours; built once a clip.
#[derive(Debug, Clone)]
pub struct Exemplar {
    pub(super) levels: Vec<Level>,
    /// Luma at twice the resolution of the pictures, laid out as the finest level.
    pub(super) ink: Plane,
    /// Of each picture as many as its share.
    colours: Colours,
}

/// One picture within a level's atlas, in cells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tile {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
    /// Part of all cells of a painting that it shall have.
    share: f32,
}

/// One scale of the atlas. Pictures lie below each other, each within a rim of repeated cells.
#[derive(Debug, Clone)]
pub(super) struct Level {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) tiles: Vec<Tile>,
    /// Luma, blue difference, red difference, fine luma.
    pub(super) cells: Vec<[u8; 4]>,
    pub(super) marks: Vec<Mark>,
    /// 1 + index of the picture; 0 on rims.
    pub(super) owners: Vec<u8>,
    /// Cells that look alike, the most alike first.
    pub(super) kin: Vec<[u32; KIN]>,
    buckets: Buckets,
}

/// Cells sorted by broad luma and direction.
#[derive(Debug, Clone, Default)]
struct Buckets {
    starts: Vec<u32>,
    order: Vec<u32>,
    /// For each class the nearest one that is not empty.
    nearest: Vec<u16>,
}

/// One picture at one scale.
struct Sheet {
    luma: Plane,
    u: Plane,
    v: Plane,
    features: Features,
}

// === impl Exemplar ===

impl Exemplar {
    /// Prepares pictures; at least one. Takes about half a second for one of 1280 x 1000 px.
    pub fn new(pictures: &[Picture<'_>]) -> Result<Self, ShapeError> {
        if pictures.is_empty() || pictures.len() > 254 {
            return Err(ShapeError::Size { width: 0, height: 0 });
        }
        let total: f32 = pictures.iter().map(|p| p.weight.max(1e-3)).sum();
        let shares: Vec<f32> = pictures.iter().map(|p| p.weight.max(1e-3) / total).collect();
        let mut sheets = Vec::with_capacity(pictures.len());
        let mut inks = Vec::with_capacity(pictures.len());
        let mut colours = Colours::default();
        for (picture, share) in pictures.iter().zip(&shares) {
            let frame = convert::rgb_to_frame(picture.image)?;
            colours.add_share(frame.as_ref(), *share)?;
            let [y, u, v] = frame.planes();
            inks.push(ink_of(y)?);
            let luma = resize::halve(y.as_ref());
            sheets.push(Sheet::new(luma, u.clone(), v.clone()));
        }
        let ink = ink_atlas(&sheets, &inks)?;
        let mut levels = vec![Level::new(&sheets, &shares)?];
        while levels.len() < MOST_LEVELS && sheets.iter().all(Sheet::may_shrink) {
            sheets = sheets.iter().map(Sheet::halved).collect();
            levels.push(Level::new(&sheets, &shares)?);
        }
        Ok(Self { levels, ink, colours })
    }

    pub(super) fn colours(&self) -> &Colours {
        &self.colours
    }
}

/// Luma at twice its resolution, over whole cells.
fn ink_of(luma: &Plane) -> Result<Plane, ShapeError> {
    let (width, height) = crate::frame::chroma_size(luma.as_ref().size());
    let mut ink = Plane::new(width * INK, height * INK, 0)?;
    let rect = Rect { x: 0.0, y: 0.0, width: 2.0 * width as f32, height: 2.0 * height as f32 };
    resize::crop(luma.as_ref(), rect, &mut ink.as_mut(), Filter::Bicubic);
    let codes = || luma.as_ref().rows().flatten().copied().collect::<Vec<u8>>();
    let (low, high) = codes().iter().fold((255, 0), |(low, high), &c| (c.min(low), c.max(high)));
    crate::rows::for_rows(&mut ink.as_mut(), |_, row| {
        for code in row {
            *code = (*code).clamp(low, high);
        }
    });
    Ok(ink)
}

fn ink_atlas(sheets: &[Sheet], inks: &[Plane]) -> Result<Plane, ShapeError> {
    let (width, height, tiles) = layout(sheets, &[]);
    check_size(width * INK, height * INK)?;
    let mut atlas = Plane::new(width * INK, height * INK, 0)?;
    let rim = (RADIUS * INK) as isize;
    for (tile, ink) in tiles.iter().zip(inks) {
        let (left, top) = ((tile.x * INK) as isize, (tile.y * INK) as isize);
        let mut rows = atlas.as_mut();
        for y in -rim..(tile.height * INK) as isize + rim {
            let row = rows.row_mut((top + y) as usize);
            for x in -rim..(tile.width * INK) as isize + rim {
                row[(left + x) as usize] = ink.as_ref().at(x, y);
            }
        }
    }
    Ok(atlas)
}

/// Size of the atlas and where the pictures lie in it.
fn layout(sheets: &[Sheet], shares: &[f32]) -> (usize, usize, Vec<Tile>) {
    let mut tiles = Vec::with_capacity(sheets.len());
    let (mut right, mut bottom) = (0, 0);
    for (k, sheet) in sheets.iter().enumerate() {
        let (width, height) = sheet.luma.as_ref().size();
        let share = shares.get(k).copied().unwrap_or(1.0);
        tiles.push(Tile { x: RADIUS, y: bottom + RADIUS, width, height, share });
        right = right.max(width + 2 * RADIUS);
        bottom += height + 2 * RADIUS;
    }
    (right, bottom, tiles)
}

// === impl Sheet ===

impl Sheet {
    fn new(luma: Plane, u: Plane, v: Plane) -> Self {
        let [near_u, near_v] = [&u, &v].map(|plane| resize::halve(plane.as_ref()));
        let features = Features::of(luma.as_ref(), [near_u.as_ref(), near_v.as_ref()]);
        Self { luma, u, v, features }
    }

    fn may_shrink(&self) -> bool {
        let (width, height) = self.luma.as_ref().size();
        width.min(height) / 2 >= SMALLEST
    }

    fn halved(&self) -> Self {
        let [luma, u, v] = [&self.luma, &self.u, &self.v].map(|p| resize::halve(p.as_ref()));
        Self::new(luma, u, v)
    }
}

// === impl Level ===

impl Level {
    fn new(sheets: &[Sheet], shares: &[f32]) -> Result<Self, ShapeError> {
        let (width, height, tiles) = layout(sheets, shares);
        check_size(width, height)?;
        let count = width * height;
        let mut level = Self {
            width,
            height,
            tiles,
            cells: vec![[0; 4]; count],
            marks: vec![[0; 8]; count],
            owners: vec![0; count],
            kin: Vec::new(),
            buckets: Buckets::default(),
        };
        for (k, sheet) in sheets.iter().enumerate() {
            level.lay(k, sheet);
        }
        level.kin = kin::of(&level);
        level.buckets = Buckets::new(&level);
        Ok(level)
    }

    /// Copies a picture and its rim.
    fn lay(&mut self, index: usize, sheet: &Sheet) {
        let tile = self.tiles[index];
        let [luma, u, v, fine] =
            [&sheet.luma, &sheet.u, &sheet.v, &sheet.features.fine].map(Plane::as_ref);
        let (across, down) = (tile.width as isize, tile.height as isize);
        let rim = RADIUS as isize;
        for y in -rim..down + rim {
            for x in -rim..across + rim {
                let (near_x, near_y) = (x.clamp(0, across - 1), y.clamp(0, down - 1));
                let from = near_y as usize * tile.width + near_x as usize;
                let at = (tile.y as isize + y) * self.width as isize + tile.x as isize + x;
                let at = at as usize;
                self.cells[at] = [luma.at(x, y), u.at(x, y), v.at(x, y), fine.at(x, y)];
                self.marks[at] = sheet.features.marks[from];
                let inside = (x, y) == (near_x, near_y);
                self.owners[at] = if inside { index as u8 + 1 } else { 0 };
            }
        }
    }

    /// Cells that a search for a broad luma and a direction may start from.
    pub(super) fn like(&self, mark: Mark) -> &[u32] {
        let class = usize::from(self.buckets.nearest[class(mark)]);
        let (start, end) = (self.buckets.starts[class], self.buckets.starts[class + 1]);
        &self.buckets.order[start as usize..end as usize]
    }

    /// Index of a cell that a patch may be centred on.
    #[inline]
    pub(super) fn legal(&self, [x, y]: Spot) -> Option<usize> {
        let (i, j) = ((x + ONE / 2) >> 8, (y + ONE / 2) >> 8);
        if i < 0 || j < 0 || i as usize >= self.width || j as usize >= self.height {
            return None;
        }
        let at = j as usize * self.width + i as usize;
        (self.owners[at] != 0).then_some(at)
    }

    /// Centre of a cell.
    #[inline]
    pub(super) fn spot(&self, cell: usize) -> Spot {
        [(cell % self.width) as i32 * ONE, (cell / self.width) as i32 * ONE]
    }

    /// The place on the next finer level of the child (`right`, `low`, 0 or 1) of a cell at `spot`.
    pub(super) fn refined(&self, finer: &Self, spot: Spot, right: usize, low: usize) -> Spot {
        let cell = cell_of_clamped(self, spot);
        let owner = usize::from(self.owners[cell].max(1)) - 1;
        let (from, to) = (self.tiles[owner], finer.tiles[owner]);
        let along = |spot: i32, from: usize, to: usize, length: usize, step: usize| {
            let local = 2 * (spot - from as i32 * ONE) + step as i32 * ONE;
            to as i32 * ONE + local.clamp(0, (length as i32 - 1) * ONE)
        };
        [
            along(spot[0], from.x, to.x, to.width, right),
            along(spot[1], from.y, to.y, to.height, low),
        ]
    }

    /// Blocks across and in all.
    pub(super) fn blocks(&self) -> (usize, usize) {
        let across = (self.width >> BLOCK_BITS) + 1;
        (across, across * ((self.height >> BLOCK_BITS) + 1))
    }

    #[inline]
    pub(super) fn block(&self, cell: usize) -> usize {
        let (x, y) = (cell % self.width, cell / self.width);
        (y >> BLOCK_BITS) * ((self.width >> BLOCK_BITS) + 1) + (x >> BLOCK_BITS)
    }

    /// What each cell may get of what its block may get.
    pub(super) fn each(&self, fair: &[f32]) -> Vec<f32> {
        let mut cells = vec![0u32; fair.len()];
        let legal = || self.owners.iter().enumerate().filter(|&(_, &owner)| owner != 0);
        for (cell, _) in legal() {
            cells[self.block(cell)] += 1;
        }
        let mut each = vec![0.0; self.owners.len()];
        for (cell, _) in legal() {
            let block = self.block(cell);
            each[cell] = fair[block] / cells[block] as f32;
        }
        each
    }

    /// How many of `target` cells each block may get if every picture is used evenly.
    pub(super) fn fair(&self, target: usize) -> Vec<f32> {
        let mut fair = vec![0.0f32; self.blocks().1];
        for (cell, &owner) in self.owners.iter().enumerate() {
            if let Some(tile) = usize::from(owner).checked_sub(1).map(|k| self.tiles[k]) {
                let each = tile.share * target as f32 / (tile.width * tile.height) as f32;
                fair[self.block(cell)] += each;
            }
        }
        fair
    }
}

fn cell_of_clamped(level: &Level, spot: Spot) -> usize {
    super::cell_of(spot, level.width).min(level.owners.len() - 1)
}

// === impl Buckets ===

impl Buckets {
    fn new(level: &Level) -> Self {
        let classes = LUMA_CLASSES * TURN_CLASSES;
        let legal = || level.owners.iter().enumerate().filter(|&(_, &owner)| owner != 0);
        let mut starts = vec![0u32; classes + 1];
        for (cell, _) in legal() {
            starts[class(level.marks[cell]) + 1] += 1;
        }
        for k in 0..classes {
            starts[k + 1] += starts[k];
        }
        let mut next = starts.clone();
        let mut order = vec![0u32; starts[classes] as usize];
        for (cell, _) in legal() {
            let slot = &mut next[class(level.marks[cell])];
            order[*slot as usize] = cell as u32;
            *slot += 1;
        }
        let filled = |k: usize| starts[k + 1] > starts[k];
        let away = |k: usize, other: usize| {
            let luma = (k / TURN_CLASSES).abs_diff(other / TURN_CLASSES);
            (8 * luma + usize::from(k % TURN_CLASSES != other % TURN_CLASSES), other)
        };
        let nearest = (0..classes)
            .map(|k| {
                let best = (0..classes).filter(|&c| filled(c)).min_by_key(|&c| away(k, c));
                best.unwrap_or(0) as u16
            })
            .collect();
        Self { starts, order, nearest }
    }
}

/// Class of a cell: luma, and one of four directions or none.
fn class([broad, _, p, q, ..]: Mark) -> usize {
    let (p, q) = (i32::from(p) - 128, i32::from(q) - 128);
    let turn = if p.abs() + q.abs() < 40 {
        0
    } else {
        match (p.abs() >= q.abs(), p > 0, q > 0) {
            (true, true, _) => 1,
            (true, false, _) => 2,
            (false, _, true) => 3,
            (false, _, false) => 4,
        }
    };
    usize::from(broad) * LUMA_CLASSES / 256 * TURN_CLASSES + turn
}
