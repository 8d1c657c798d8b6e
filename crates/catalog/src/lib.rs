//! The models, as data, and the only place that knows what their fields are called.
//!
//! A model is a folder: `manifest.toml`, two schemas and, for people, a `README.md`. The manifest
//! maps JSON pointers to roles (prompt, reference video, images, elements, length, ratio, sound) and states limits,
//! cross-field rules and the output; the schemas are kept in the dialect in which catalogues of
//! this kind serve them, and normalised to JSON Schema 2020-12 at load.
//!
//! Everything here is a synchronous function of its arguments. [`Model::validate`] finds every
//! fault that can be known without touching a URL, all at once; [`Model::check`] holds measured
//! media against the limits. Nothing downstream validates again: what was accepted is kept as
//! canonical JSON, and [`Model::inputs`] reads it back at any later time.
//!
//! Invariant: a model that loads is coherent. Each role points at a field of the right shape,
//! each offered ratio has a size, each default satisfies its own schema.

#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;

mod builtin;
mod check;
mod compose;
mod data;
mod form;
mod inputs;
mod load;
mod manifest;
mod media;
mod message;
mod model;
mod output;
mod prompt;
mod rules;
mod schema;
mod validate;

pub use compose::{NoSuchPart, Parts};
pub use data::{DataUri, decode_base64};
pub use inputs::{Inputs, UnreadableBody, keep};
pub use load::{Catalog, CatalogError, Overrides, Page, Query};
pub use manifest::{EngineDefaults, PriceUnit, Timeouts};
pub use media::{ImageLimits, KEPT_SCHEME, MediaInput, MediaLimits, Source, VideoLimits};
pub use model::{Accepted, Model, Strictness};
pub use output::{OfferedSize, OutputKind, OutputSpec, Ratio, Size};
pub use rules::{HttpsOnly, MAX_URL_CHARS, UrlPolicy};
