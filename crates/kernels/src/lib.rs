//! Image kernels of the engine that needs no weights.
//!
//! Everything here is a pure function of planes, frames and numbers: no I/O, no clock, no hidden
//! randomness. The same input gives the same bytes on any number of threads and on any processor:
//! sums are integers or floats in a fixed order, transcendental functions come from `libm`, and
//! the instruction sets that [`simd`] chooses from run the same source without fused arithmetic.
//!
//! | module | what |
//! |---|---|
//! | [`plane`], [`frame`], [`image`] | 8-bit planes, yuv420p frames, stills; borrowed views first |
//! | [`geometry`], [`field`] | rectangles, similarities, camera paths; flow fields |
//! | [`resize`], [`blur`] | sub-pixel windows to any size; box and Gaussian |
//! | [`flow`] | dense inverse search, both directions, confidence |
//! | [`warp`], [`cubic`], [`interpolate`] | by a flow or a similarity; frames between frames; occlusion |
//! | [`camera`], [`cuts`], [`saliency`], [`sky`] | the camera's path, shot boundaries, the subject, clear sky |
//! | [`mover`], [`fringe`] | what moves by itself, cut out of its background; its border on a frame |
//! | [`color`], [`convert`], [`lut`], [`transfer`] | spaces, frames to stills, grades, colours of another picture |
//! | [`composite`], [`matte`], [`matting`], [`grain`] | layers over frames, cut-outs and their edges, film grain |
//! | [`track`], [`guided`], [`acutance`] | the ground under a foot, mattes along edges, sharpness of edges |
//! | [`scan`], [`repaint`] | margins of scanned pictures; a painting over its source |
//! | [`stylize`] | example-based stylization: the strokes of a picture, carried by motion |
//! | [`grid`], [`haze`], [`particles`] | coarse grids, air by distance, what falls in it |
//! | [`tape`] | what tape and tubes do to lines |
//! | [`tensor`], [`kuwahara`], [`dog`] | where structure runs; strokes along it; lines on it |
//! | [`texture`], [`cells`] | paper, canvas, strokes, tesserae that hang on the scene; pixels |
//! | [`drift`] | how far things have moved against the scene, with the marks on them |
//! | [`metrics`] | quality of pictures and motion |
//! | [`simd`] | which instruction set hot loops run on; the one module with `unsafe` |
//!
//! Conventions: x to the right, y down, pixel (0, 0) covers 0..1, so its centre is (0.5, 0.5).
//! Frames are yuv420p, BT.709, limited range. A [`Similarity`] has its origin at the centre of
//! the frame. Work inside a call is spread over rayon's current pool by rows.

#![allow(clippy::inline_always, reason = "only what is inlined is compiled for the wider level")]

pub mod acutance;
pub mod blur;
pub mod camera;
pub mod cells;
pub mod color;
pub mod composite;
pub mod convert;
pub mod cubic;
pub mod cuts;
pub mod dog;
pub mod drift;
pub mod field;
mod floats;
pub mod flow;
pub mod frame;
pub mod fringe;
pub mod geometry;
pub mod grain;
pub mod grid;
pub mod guided;
mod hash;
pub mod haze;
pub mod image;
pub mod interpolate;
pub mod kuwahara;
mod lattice;
mod linear;
pub mod lut;
pub mod matte;
pub mod matting;
pub mod metrics;
pub mod mover;
pub mod particles;
pub mod plane;
pub mod repaint;
pub mod resize;
mod rows;
pub mod saliency;
pub mod scan;
pub mod simd;
pub mod sky;
pub mod stylize;
pub mod tape;
pub mod tensor;
pub mod texture;
pub mod track;
pub mod transfer;
mod transport;
pub mod uprights;
mod upsample;
pub mod warp;

pub use composite::Layer;
pub use field::{FlowField, FlowPair};
pub use frame::{Yuv420, Yuv420Mut, Yuv420Ref};
pub use geometry::{CameraPath, Rect, Similarity};
pub use image::{Rgb8, Rgba8};
pub use lut::Lut33;
pub use plane::{Mask, Plane, PlaneMut, PlaneRef, ShapeError};
