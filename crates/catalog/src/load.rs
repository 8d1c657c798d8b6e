//! Loading models, and asking for them.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use domain::usage::Microdollars;
use serde::Deserialize;
use thiserror::Error;

use crate::builtin::{self, Files};
use crate::manifest::Manifest;
use crate::model::{Model, Strictness};

mod build;

/// Longest `README.md`, in bytes.
const MAX_README_BYTES: usize = 64 << 10;
/// Folders deeper than this are not looked into.
const MAX_DEPTH: usize = 8;

/// All models, by id.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    models: BTreeMap<String, Model>,
}

/// Why a catalogue could not be loaded.
#[derive(Debug, Error)]
pub enum CatalogError {
    /// A file or folder cannot be read.
    #[error("cannot read `{file}`")]
    Unreadable {
        /// Which.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// A folder holds no model.
    #[error("`{folder}` holds no model: no manifest.toml in it or below it")]
    Empty {
        /// Which.
        folder: String,
    },
    /// A file says something wrong.
    #[error("`{file}`: `{key}`: {reason}")]
    Wrong {
        /// Which file.
        file: String,
        /// Which key in it; a JSON pointer in a schema.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A setting is for a model that is not there.
    #[error("there is no model `{model_id}` to set anything for")]
    NoSuchModel {
        /// Its id.
        model_id: String,
    },
}

/// What an operator sets for one model; what is left out stays as the manifest says.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overrides {
    /// USD for each second or output.
    #[serde(default)]
    pub price_usd: Option<f64>,
    /// One of the manifest's qualities, which set the size of the output.
    #[serde(default)]
    pub quality: Option<String>,
    /// Whether unknown fields are refused.
    #[serde(default)]
    pub strict: Option<bool>,
}

/// What to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query<'a> {
    /// Words that all have to be in id, name or description, in any case.
    pub search: Option<&'a str>,
    /// One category.
    pub category: Option<&'a str>,
    /// One kind.
    pub kind: Option<&'a str>,
    /// Most models of the page, 1 to [`Query::MAX_LIMIT`].
    pub limit: usize,
    /// How many to skip.
    pub offset: usize,
}

/// Some models of a list.
#[derive(Debug, Clone)]
pub struct Page<'a> {
    /// In the order of their ids.
    pub models: Vec<&'a Model>,
    /// How many there are on all pages.
    pub total: usize,
}

// === impl Query ===

impl Query<'_> {
    /// Models of a page unless the caller says otherwise.
    pub const DEFAULT_LIMIT: usize = 100;
    /// Most models of a page.
    pub const MAX_LIMIT: usize = 500;

    fn matches(&self, model: &Model) -> bool {
        let category =
            self.category.is_none_or(|wanted| model.categories().iter().any(|c| c == wanted));
        let kind = self.kind.is_none_or(|wanted| wanted == model.kind());
        let words = self.search.is_none_or(|words| {
            let text = format!("{}\n{}\n{}", model.id(), model.display_name(), model.description());
            let text = text.to_lowercase();
            words.split_whitespace().all(|word| text.contains(&word.to_lowercase()))
        });
        category && kind && words
    }
}

impl Default for Query<'_> {
    fn default() -> Self {
        Self { search: None, category: None, kind: None, limit: Self::DEFAULT_LIMIT, offset: 0 }
    }
}

// === impl Catalog ===

impl Catalog {
    /// The models that come with the program.
    pub fn builtin() -> Result<Self, CatalogError> {
        let mut catalog = Self::default();
        for files in builtin::MODELS {
            catalog.add(build::model(*files, files.folder)?);
        }
        Ok(catalog)
    }

    /// The models of the folders below `dir`: `<dir>/<model id>/manifest.toml`, its schemas and,
    /// where there is one, its `README.md` of at most 64 KiB.
    pub fn load(dir: &Path) -> Result<Self, CatalogError> {
        let mut catalog = Self::default();
        let mut folders = Vec::new();
        find(dir, 0, &mut folders)?;
        if folders.is_empty() {
            return Err(CatalogError::Empty { folder: dir.display().to_string() });
        }
        for folder in folders {
            let relative = folder.strip_prefix(dir).unwrap_or(&folder);
            let names: Vec<_> = relative.iter().map(|name| name.to_string_lossy()).collect();
            let readme = readme(&folder.join("README.md"))?;
            let files = Files {
                folder: &names.join("/"),
                manifest: &read(&folder.join("manifest.toml"))?,
                input: &read(&folder.join("input.schema.json"))?,
                output: &read(&folder.join("output.schema.json"))?,
                readme: readme.as_deref(),
            };
            catalog.add(build::model(files, &folder.display().to_string())?);
        }
        Ok(catalog)
    }

    /// Both catalogues; a model of `other` replaces one of the same id.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.models.extend(other.models);
        self
    }

    /// The catalogue as the operator wants it. Keys are model ids.
    pub fn with_overrides(
        mut self,
        overrides: &BTreeMap<String, Overrides>,
    ) -> Result<Self, CatalogError> {
        for (model_id, wanted) in overrides {
            let Some(model) = self.models.get_mut(model_id) else {
                return Err(CatalogError::NoSuchModel { model_id: model_id.clone() });
            };
            apply(model, wanted)?;
        }
        Ok(self)
    }

    /// One model. The id is matched exactly.
    pub fn get(&self, model_id: &str) -> Option<&Model> {
        self.models.get(model_id)
    }

    /// All models, in the order of their ids.
    pub fn models(&self) -> impl Iterator<Item = &Model> {
        self.models.values()
    }

    /// The models that match, page by page.
    pub fn list(&self, query: &Query<'_>) -> Page<'_> {
        let matching: Vec<&Model> = self.models().filter(|model| query.matches(model)).collect();
        let total = matching.len();
        let limit = query.limit.clamp(1, Query::MAX_LIMIT);
        Page { models: matching.into_iter().skip(query.offset).take(limit).collect(), total }
    }

    /// All categories, sorted, each once.
    pub fn categories(&self) -> Vec<String> {
        let mut all: Vec<String> = self.models().flat_map(Model::categories).cloned().collect();
        all.sort();
        all.dedup();
        all
    }

    fn add(&mut self, model: Model) {
        self.models.insert(model.id().to_owned(), model);
    }
}

fn apply(model: &mut Model, wanted: &Overrides) -> Result<(), CatalogError> {
    let wrong = |model: &Manifest, key: &str, reason: String| CatalogError::Wrong {
        file: format!("settings of {}", model.model_id),
        key: key.to_owned(),
        reason,
    };
    if let Some(price) = wanted.price_usd {
        if !price.is_finite() || price < 0.0 {
            let reason = format!("`{price}` is not a price, at least 0 is required");
            return Err(wrong(&model.manifest, "price_usd", reason));
        }
        model.price = Microdollars::from_usd(price);
    }
    if let Some(quality) = &wanted.quality {
        let sizes = build::sizes(&model.manifest.output, quality);
        model.output.sizes =
            sizes.map_err(|(_, reason)| wrong(&model.manifest, "quality", reason))?;
    }
    if let Some(strict) = wanted.strict {
        model.strictness = if strict { Strictness::Strict } else { Strictness::Lenient };
    }
    Ok(())
}

fn find(dir: &Path, depth: usize, out: &mut Vec<PathBuf>) -> Result<(), CatalogError> {
    let unreadable = |source| CatalogError::Unreadable { file: dir.display().to_string(), source };
    let mut below = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            below.push(path);
        } else if path.file_name().is_some_and(|name| name == "manifest.toml") {
            out.push(dir.to_owned());
        }
    }
    if depth < MAX_DEPTH {
        below.sort();
        for path in below {
            find(&path, depth + 1, out)?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, CatalogError> {
    std::fs::read_to_string(path)
        .map_err(|source| CatalogError::Unreadable { file: path.display().to_string(), source })
}

fn readme(path: &Path) -> Result<Option<String>, CatalogError> {
    let file = || path.display().to_string();
    let mut text = String::new();
    let opened = match std::fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened,
    };
    opened
        .and_then(|opened| opened.take(MAX_README_BYTES as u64 + 1).read_to_string(&mut text))
        .map_err(|source| CatalogError::Unreadable { file: file(), source })?;
    if text.len() > MAX_README_BYTES {
        let reason = format!("more than {MAX_README_BYTES} bytes");
        return Err(CatalogError::Wrong { file: file(), key: "/".to_owned(), reason });
    }
    Ok(Some(text))
}
