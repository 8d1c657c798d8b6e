//! yuv420p frames as three planes.
//!
//! The chroma planes have half the size, rounded up. Kernels treat a chroma sample as the centre
//! of its four luma samples; the quarter of a pixel that left-sited chroma differs by moves along
//! with everything else and is never visible after a resample.

use crate::plane::{Plane, PlaneMut, PlaneRef, ShapeError, check_same};

/// A read-only yuv420p frame, BT.709 limited range.
#[derive(Debug, Clone, Copy)]
pub struct Yuv420Ref<'a> {
    y: PlaneRef<'a>,
    u: PlaneRef<'a>,
    v: PlaneRef<'a>,
}

/// A writable yuv420p frame, BT.709 limited range.
#[derive(Debug)]
pub struct Yuv420Mut<'a> {
    y: PlaneMut<'a>,
    u: PlaneMut<'a>,
    v: PlaneMut<'a>,
}

/// An owned yuv420p frame, BT.709 limited range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Yuv420 {
    y: Plane,
    u: Plane,
    v: Plane,
}

/// Size of the chroma planes that go with a luma plane of this size.
pub fn chroma_size((width, height): (usize, usize)) -> (usize, usize) {
    (width.div_ceil(2), height.div_ceil(2))
}

fn check(y: (usize, usize), u: (usize, usize), v: (usize, usize)) -> Result<(), ShapeError> {
    check_same(chroma_size(y), u)?;
    check_same(chroma_size(y), v)
}

// === impl Yuv420Ref ===

impl<'a> Yuv420Ref<'a> {
    /// Joins three planes; `u` and `v` must have the size of [`chroma_size`].
    pub fn new(y: PlaneRef<'a>, u: PlaneRef<'a>, v: PlaneRef<'a>) -> Result<Self, ShapeError> {
        check(y.size(), u.size(), v.size())?;
        Ok(Self { y, u, v })
    }

    /// Views one buffer that holds the planes one after the other without padding.
    pub fn packed(data: &'a [u8], width: usize, height: usize) -> Result<Self, ShapeError> {
        let (cw, ch) = chroma_size((width, height));
        let (luma, chroma) = (width * height, cw * ch);
        let needed = luma + 2 * chroma;
        if data.len() < needed {
            return Err(ShapeError::Buffer { found: data.len(), needed });
        }
        Self::new(
            PlaneRef::new(&data[..luma], width, height, width)?,
            PlaneRef::new(&data[luma..luma + chroma], cw, ch, cw)?,
            PlaneRef::new(&data[luma + chroma..needed], cw, ch, cw)?,
        )
    }

    /// Width and height of the luma plane in px.
    pub fn size(&self) -> (usize, usize) {
        self.y.size()
    }

    /// Luma.
    pub fn y(&self) -> PlaneRef<'a> {
        self.y
    }

    /// Blue difference.
    pub fn u(&self) -> PlaneRef<'a> {
        self.u
    }

    /// Red difference.
    pub fn v(&self) -> PlaneRef<'a> {
        self.v
    }

    /// Luma, blue difference, red difference.
    pub fn planes(&self) -> [PlaneRef<'a>; 3] {
        [self.y, self.u, self.v]
    }

    /// A copy without padding.
    pub fn to_frame(&self) -> Yuv420 {
        Yuv420 { y: self.y.to_plane(), u: self.u.to_plane(), v: self.v.to_plane() }
    }
}

// === impl Yuv420Mut ===

impl<'a> Yuv420Mut<'a> {
    /// Joins three planes; `u` and `v` must have the size of [`chroma_size`].
    pub fn new(y: PlaneMut<'a>, u: PlaneMut<'a>, v: PlaneMut<'a>) -> Result<Self, ShapeError> {
        check(y.size(), u.size(), v.size())?;
        Ok(Self { y, u, v })
    }

    /// Views one buffer that holds the planes one after the other without padding.
    pub fn packed(data: &'a mut [u8], width: usize, height: usize) -> Result<Self, ShapeError> {
        let (cw, ch) = chroma_size((width, height));
        let needed = width * height + 2 * cw * ch;
        if data.len() < needed {
            return Err(ShapeError::Buffer { found: data.len(), needed });
        }
        let (y, rest) = data.split_at_mut(width * height);
        let (u, v) = rest.split_at_mut(cw * ch);
        Self::new(
            PlaneMut::new(y, width, height, width)?,
            PlaneMut::new(u, cw, ch, cw)?,
            PlaneMut::new(v, cw, ch, cw)?,
        )
    }

    /// Width and height of the luma plane in px.
    pub fn size(&self) -> (usize, usize) {
        self.y.size()
    }

    /// The same frame, read only.
    pub fn as_ref(&self) -> Yuv420Ref<'_> {
        Yuv420Ref { y: self.y.as_ref(), u: self.u.as_ref(), v: self.v.as_ref() }
    }

    /// The same frame under a shorter borrow.
    pub fn reborrow(&mut self) -> Yuv420Mut<'_> {
        Yuv420Mut { y: self.y.reborrow(), u: self.u.reborrow(), v: self.v.reborrow() }
    }

    /// Luma, blue difference, red difference.
    pub fn planes_mut(&mut self) -> [&mut PlaneMut<'a>; 3] {
        [&mut self.y, &mut self.u, &mut self.v]
    }

    /// Copies a frame of the same size.
    pub fn copy_from(&mut self, src: Yuv420Ref<'_>) -> Result<(), ShapeError> {
        for (dst, src) in self.planes_mut().into_iter().zip(src.planes()) {
            dst.copy_from(src)?;
        }
        Ok(())
    }
}

// === impl Yuv420 ===

impl Yuv420 {
    /// A frame of one colour, given as luma, blue difference and red difference.
    pub fn new(width: usize, height: usize, [y, u, v]: [u8; 3]) -> Result<Self, ShapeError> {
        let (cw, ch) = chroma_size((width, height));
        Ok(Self {
            y: Plane::new(width, height, y)?,
            u: Plane::new(cw, ch, u)?,
            v: Plane::new(cw, ch, v)?,
        })
    }

    /// Joins three planes; `u` and `v` must have the size of [`chroma_size`].
    pub fn from_planes(y: Plane, u: Plane, v: Plane) -> Result<Self, ShapeError> {
        check(y.size(), u.size(), v.size())?;
        Ok(Self { y, u, v })
    }

    /// Width and height of the luma plane in px.
    pub fn size(&self) -> (usize, usize) {
        self.y.size()
    }

    /// Luma, blue difference, red difference.
    pub fn planes(&self) -> [&Plane; 3] {
        [&self.y, &self.u, &self.v]
    }

    /// A read-only view.
    pub fn as_ref(&self) -> Yuv420Ref<'_> {
        Yuv420Ref { y: self.y.as_ref(), u: self.u.as_ref(), v: self.v.as_ref() }
    }

    /// A writable view.
    pub fn as_mut(&mut self) -> Yuv420Mut<'_> {
        Yuv420Mut { y: self.y.as_mut(), u: self.u.as_mut(), v: self.v.as_mut() }
    }
}
