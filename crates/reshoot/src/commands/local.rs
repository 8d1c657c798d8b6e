//! Inputs from the command line: local files are put into a scratch store and named by URLs of
//! this program's own, so that they go through the very same validation and intake as a
//! request's.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use artifacts::Artifacts;
use catalog::{Catalog, HttpsOnly, Model, Parts, Strictness};
use domain::facts::Facts;
use domain::{Clock, FileToken, OwnerId};
use intake::{IntakeError, Own, Request, ResolveOwn, Resolving};
use tokio_util::sync::CancellationToken;

use crate::cli::Inputs;
use crate::config::Installation;
use crate::exit::{Coded, DATA, NO_INPUT, UNAVAILABLE, USAGE};
use crate::machine::{KernelRng, SystemClock};
use crate::wiring;

/// Inputs that passed validation and intake.
pub(crate) struct Local {
    pub catalog: Arc<Catalog>,
    pub model: String,
    pub inputs: catalog::Inputs,
    pub facts: Facts,
    pub warnings: Vec<String>,
    pub artifacts: Artifacts,
}

/// Files of the command line, by the URLs that stand for them.
#[derive(Default)]
struct Named {
    by_url: HashMap<String, String>,
}

// === impl Local ===

impl Local {
    /// Validates and takes in what the command line names. `dir` is scratch space.
    pub(crate) async fn take(
        installation: &Installation,
        args: &Inputs,
        dir: &Path,
        cancel: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let catalog = Arc::new(wiring::catalog(installation)?);
        let artifacts = wiring::artifacts(dir)?;
        let model = model(&catalog, &args.model)?;
        let mut named = Named::default();
        let body = named.compose(model, args, &artifacts).await?;
        let accepted = model
            .validate(&body, Strictness::Strict, &HttpsOnly)
            .map_err(|faults| wrong(&IntakeError::Faults(faults)))?;
        let taken = wiring::intake(installation, artifacts.clone())?
            .take(&Request {
                model,
                owner: &OwnerId::new(SystemClock.now(), &KernelRng),
                inputs: &accepted.inputs.media,
                folder: "inputs",
                own: &named,
                cancel,
            })
            .await
            .map_err(|error| wrong(&error))?;
        Ok(Self {
            model: model.id().to_owned(),
            catalog: Arc::clone(&catalog),
            inputs: accepted.inputs,
            facts: taken.facts,
            warnings: taken.warnings,
            artifacts,
        })
    }

    /// The model whose limits held.
    pub(crate) fn model(&self) -> anyhow::Result<&Model> {
        model(&self.catalog, &self.model)
    }
}

/// A model of the catalogue.
pub(crate) fn model<'a>(catalog: &'a Catalog, id: &str) -> anyhow::Result<&'a Model> {
    catalog.get(id).ok_or_else(|| {
        Coded::new(NO_INPUT, format!("there is no model `{id}`; `reshoot models` lists them"))
            .into()
    })
}

/// The error of a command for a fault of its inputs.
fn wrong(error: &IntakeError) -> anyhow::Error {
    let code = match error {
        IntakeError::Faults(_) => DATA,
        IntakeError::Infrastructure(_) | IntakeError::Cancelled => UNAVAILABLE,
    };
    Coded::new(code, error.to_string()).into()
}

// === impl Named ===

impl Named {
    async fn compose(
        &mut self,
        model: &Model,
        args: &Inputs,
        artifacts: &Artifacts,
    ) -> anyhow::Result<serde_json::Value> {
        let video = match &args.video {
            Some(video) => Some(self.url(video, artifacts).await?),
            None => None,
        };
        let mut images = Vec::new();
        for image in &args.image {
            images.push(self.url(image, artifacts).await?);
        }
        let mut elements = Vec::new();
        for element in &args.element {
            let mut views = Vec::new();
            for view in element.split(',').filter(|view| !view.is_empty()) {
                views.push(self.url(view, artifacts).await?);
            }
            if views.is_empty() {
                bail!(Coded::new(USAGE, "--element needs a frontal image: FRONT[,OTHER...]"));
            }
            elements.push(views);
        }
        Ok(model.compose(&Parts {
            prompt: &args.prompt,
            video: video.as_deref(),
            images: &images,
            elements: &elements,
            length: args.duration.as_deref(),
            ratio: args.aspect_ratio.as_deref(),
            keep_sound: args.keep_audio,
        })?)
    }

    /// The URL that stands for a file; a URL stands for itself.
    async fn url(&mut self, file_or_url: &str, artifacts: &Artifacts) -> anyhow::Result<String> {
        if file_or_url.contains("://") {
            return Ok(file_or_url.to_owned());
        }
        let source = Path::new(file_or_url);
        if !source.is_file() {
            bail!(Coded::new(NO_INPUT, format!("there is no file `{file_or_url}`")));
        }
        let token = FileToken::new(&KernelRng);
        let path = format!("uploads/{token}/file");
        artifacts.put_file(&path, source).await.with_context(|| format!("`{file_or_url}`"))?;
        let url = format!("https://localhost/files/{token}/file");
        self.by_url.insert(url.clone(), path);
        Ok(url)
    }
}

impl ResolveOwn for Named {
    fn resolve<'a>(&'a self, _owner: &'a OwnerId, url: &'a str) -> Resolving<'a> {
        let own = self.by_url.get(url).cloned().map_or(Own::Elsewhere, Own::Kept);
        Box::pin(std::future::ready(Ok(own)))
    }
}
