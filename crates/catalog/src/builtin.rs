//! The models that come with the program, embedded so that it is one file.

/// The files of one model folder.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Files<'a> {
    /// The folder, relative to the catalogue's: it has to equal the model's id.
    pub(crate) folder: &'a str,
    /// `manifest.toml`.
    pub(crate) manifest: &'a str,
    /// `input.schema.json`.
    pub(crate) input: &'a str,
    /// `output.schema.json`.
    pub(crate) output: &'a str,
    /// `README.md`, which a folder may do without.
    pub(crate) readme: Option<&'a str>,
}

macro_rules! folder {
    ($path:literal) => {
        Files {
            folder: $path,
            manifest: include_str!(concat!("../../../models/", $path, "/manifest.toml")),
            input: include_str!(concat!("../../../models/", $path, "/input.schema.json")),
            output: include_str!(concat!("../../../models/", $path, "/output.schema.json")),
            readme: Some(include_str!(concat!("../../../models/", $path, "/README.md"))),
        }
    };
}

/// All of them.
pub(crate) const MODELS: &[Files<'static>] =
    &[folder!("kling/kling-video-o1/video-to-video/reference")];
