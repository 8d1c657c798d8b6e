//! A window over a picture, and the picture through it.

use kernels::resize::{self, Filter};
use kernels::{Rect, Similarity, Yuv420Mut, Yuv420Ref, cubic};

/// Turns below this many radians are not worth a second resample.
const LEAST_TURN: f32 = 0.0004;

/// A window; lengths in px of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Window {
    /// Its middle.
    pub(crate) centre: (f32, f32),
    /// Its width and height before it is turned.
    pub(crate) size: (f32, f32),
    /// Its turn in radians, clockwise.
    pub(crate) turn: f32,
}

// === impl Window ===

impl Window {
    /// The largest window of an aspect in the middle of a picture.
    pub(crate) fn largest(picture: (usize, usize), aspect: f32) -> Self {
        let centre = (picture.0 as f32 / 2.0, picture.1 as f32 / 2.0);
        let rect = Rect::largest(picture, aspect, centre);
        Self { centre, size: (rect.width, rect.height), turn: 0.0 }
    }

    /// Whether it shows the whole of a picture.
    pub(crate) fn is_whole(&self, (width, height): (usize, usize)) -> bool {
        let near = |a: f32, b: f32| (a - b).abs() < 0.01;
        self.turn == 0.0
            && near(self.size.0, width as f32)
            && near(self.size.1, height as f32)
            && near(self.centre.0, width as f32 / 2.0)
            && near(self.centre.1, height as f32 / 2.0)
    }

    /// The window closer by `zoom`.
    pub(crate) fn zoomed(self, zoom: f32) -> Self {
        Self { size: (self.size.0 / zoom, self.size.1 / zoom), ..self }
    }

    /// The window made small enough, then moved, so that all of it lies in the picture.
    pub(crate) fn inside(self, (width, height): (usize, usize)) -> Self {
        let (width, height) = (width as f32, height as f32);
        let (sin, cos) = (libm::sinf(self.turn).abs(), libm::cosf(self.turn).abs());
        let box_of = |(w, h): (f32, f32)| (w * cos + h * sin, w * sin + h * cos);
        let (bw, bh) = box_of(self.size);
        let fit = (width / bw).min(height / bh).min(1.0);
        let size = (self.size.0 * fit, self.size.1 * fit);
        let (bw, bh) = box_of(size);
        let clamp = |at: f32, half: f32, side: f32| {
            if side - half <= half { side / 2.0 } else { at.clamp(half, side - half) }
        };
        let centre =
            (clamp(self.centre.0, bw / 2.0, width), clamp(self.centre.1, bh / 2.0, height));
        Self { centre, size, turn: self.turn }
    }

    /// How far the middle may move to each side within the picture.
    pub(crate) fn slack(&self, picture: (usize, usize)) -> (f32, f32) {
        (
            ((picture.0 as f32 - self.size.0) / 2.0).max(0.0),
            ((picture.1 as f32 - self.size.1) / 2.0).max(0.0),
        )
    }

    /// Where a point of the picture is seen on a screen, from the screen's middle, in its px.
    pub(crate) fn to_screen(self, screen: (usize, usize)) -> Similarity {
        let scale = screen.0 as f32 / self.size.0;
        let shift = Similarity::translation(-self.centre.0, -self.centre.1);
        let turn = Similarity { scale, rotation: -self.turn, tx: 0.0, ty: 0.0 };
        shift.then(&turn)
    }

    /// Shows the window on the screen.
    pub(crate) fn show(&self, picture: Yuv420Ref<'_>, screen: &mut Yuv420Mut<'_>) {
        if self.turn.abs() < LEAST_TURN {
            let rect = Rect {
                x: self.centre.0 - self.size.0 / 2.0,
                y: self.centre.1 - self.size.1 / 2.0,
                width: self.size.0,
                height: self.size.1,
            };
            resize::crop_frame(picture, rect, screen, Filter::Bicubic);
            return;
        }
        let middle = (picture.size().0 as f32 / 2.0, picture.size().1 as f32 / 2.0);
        let source_of = Similarity {
            scale: self.size.0 / screen.size().0 as f32,
            rotation: self.turn,
            tx: self.centre.0 - middle.0,
            ty: self.centre.1 - middle.1,
        };
        for (plane, out) in picture.planes().into_iter().zip(screen.planes_mut()) {
            let factor = plane.width() as f32 / picture.size().0 as f32;
            cubic::by_similarity(plane, &source_of.resized(factor), out);
        }
    }
}
