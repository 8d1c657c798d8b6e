//! All inputs of one request, side by side.

use std::time::Duration;

use artifacts::{ArtifactError, Artifacts, PutInfo, Writer};
use catalog::{MediaInput, Model, Source};
use domain::facts::{Facts, InputFacts};
use domain::id::hex;
use domain::{Fault, OwnerId};
use egress::Client;
use futures_util::StreamExt;
use futures_util::future::join_all;
use media::Toolchain;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::error::{DOWNLOAD, IntakeError};
use crate::fetch;
use crate::own::{Own, ResolveOwn};
use crate::pool::{Place, Pool, PoolLimits};

/// Longest time that probing one file may take.
const PROBE_LIMIT: Duration = Duration::from_mins(1);

/// Fetches, keeps, measures and checks. One for the whole process: it owns the bounds on what is
/// done at a time.
#[derive(Debug)]
pub struct Intake {
    pub(crate) client: Client,
    pub(crate) artifacts: Artifacts,
    pub(crate) tools: Toolchain,
    pub(crate) pool: Pool,
    pub(crate) probe_limit: Duration,
}

/// The inputs of one request.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Whose limits hold.
    pub model: &'a Model,
    /// Who may use which of this server's own files.
    pub owner: &'a OwnerId,
    /// What the body names.
    pub inputs: &'a [MediaInput],
    /// Where fetched bytes go in the artifact store, without a slash at the end. No other intake
    /// may write there: name the epoch in it, so that a fenced intake removes only its own.
    pub folder: &'a str,
    /// Knows this server's own URLs.
    pub own: &'a dyn ResolveOwn,
    /// Stops the intake: children are killed, files removed, [`IntakeError::Cancelled`] returned.
    /// A `take` that is dropped instead may leave finished files in `folder`.
    pub cancel: &'a CancellationToken,
}

/// Inputs that were taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// What is known of them, in the order of the body.
    pub facts: Facts,
    /// What is allowed but not recommended.
    pub warnings: Vec<String>,
}

/// The bytes of one input.
enum Obtained {
    /// On disk since earlier.
    Kept(PutInfo),
    /// All there, not kept yet.
    Fetched(Writer, Place),
}

// === impl Intake ===

impl Intake {
    /// An intake that fetches through `client`, keeps bytes in `artifacts` and probes with
    /// `tools`.
    pub fn new(client: Client, artifacts: Artifacts, tools: Toolchain, limits: PoolLimits) -> Self {
        Self { client, artifacts, tools, pool: Pool::new(limits), probe_limit: PROBE_LIMIT }
    }

    /// The same with another longest time for probing one file; a minute where none is said.
    #[must_use]
    pub fn probing_within(self, limit: Duration) -> Self {
        Self { probe_limit: limit, ..self }
    }

    /// Takes all inputs of a request. Files that are kept already (`data:` URIs, this server's
    /// own URLs) are measured where they are and never removed.
    pub async fn take(&self, request: &Request<'_>) -> Result<Taken, IntakeError> {
        let inputs = request.inputs.iter().enumerate();
        let outcomes = join_all(inputs.map(|(n, input)| self.one(request, n, input))).await;
        match settle(outcomes) {
            Ok(taken) if !request.cancel.is_cancelled() => Ok(taken),
            outcome => {
                let error = outcome.err().unwrap_or(IntakeError::Cancelled);
                self.clear(request).await;
                Err(error)
            }
        }
    }

    async fn one(
        &self,
        request: &Request<'_>,
        number: usize,
        input: &MediaInput,
    ) -> Result<(InputFacts, Vec<String>), IntakeError> {
        let obtained = tokio::select! {
            biased;
            () = request.cancel.cancelled() => return Err(IntakeError::Cancelled),
            obtained = self.obtain(request, number, input) => obtained,
        };
        let file = match obtained.map_err(|error| echo(error, input))? {
            Obtained::Kept(file) => file,
            // Not cancelled: a rename that is under way would come after the clean-up.
            Obtained::Fetched(writer, _place) => writer.finish().await?,
        };
        let media =
            self.measure(request, input, &file).await.map_err(|error| echo(error, input))?;
        let warnings = request.model.advise(input, file.bytes);
        let facts = InputFacts {
            pointer: input.pointer.clone(),
            role: input.role,
            artifact: file.path,
            bytes: file.bytes,
            sha256: file.sha256,
            media,
        };
        Ok((facts, warnings))
    }

    /// The bytes of an input.
    async fn obtain(
        &self,
        request: &Request<'_>,
        number: usize,
        input: &MediaInput,
    ) -> Result<Obtained, IntakeError> {
        let url = match &input.source {
            Source::Kept(path) => return self.kept(input, path).await.map(Obtained::Kept),
            Source::Data { .. } => {
                let text = format!("the bytes of `{}` have not been kept", input.pointer);
                return Err(IntakeError::Infrastructure(text));
            }
            Source::Url(url) => url,
        };
        match request.own.resolve(request.owner, url).await {
            Ok(Own::Kept(path)) => self.kept(input, &path).await.map(Obtained::Kept),
            Ok(Own::Elsewhere) => {
                let (writer, place) = fetch::fetch(self, request, number, input, url).await?;
                Ok(Obtained::Fetched(writer, place))
            }
            Ok(Own::Missing) => Err(missing(input)),
            Err(cause) => Err(IntakeError::Infrastructure(cause)),
        }
    }

    /// Size and hash of a file that this server keeps.
    async fn kept(&self, input: &MediaInput, path: &str) -> Result<PutInfo, IntakeError> {
        let reading = match (self.artifacts.get(path, None).await, &input.source) {
            (Ok(reading), _) => reading,
            (Err(ArtifactError::NotFound(_)), Source::Url(_)) => return Err(missing(input)),
            (Err(error), _) => return Err(error.into()),
        };
        if reading.total > input.max_bytes {
            return Err(IntakeError::Faults(vec![input.too_large(Some(reading.total))]));
        }
        let (mut body, mut hash, mut bytes) = (reading.body, Sha256::new(), 0);
        while let Some(part) = body.next().await {
            let part = part?;
            bytes += part.len() as u64;
            hash.update(&part);
        }
        Ok(PutInfo { path: path.to_owned(), bytes, sha256: hex(&hash.finalize()) })
    }

    /// Removes what this intake fetched; what cannot be removed is left to collection.
    async fn clear(&self, request: &Request<'_>) {
        if let Err(error) = self.artifacts.delete_all(request.folder).await {
            tracing::warn!(folder = request.folder, %error, "inputs not removed");
        }
    }
}

fn missing(input: &MediaInput) -> IntakeError {
    let text = "there is no such file of yours on this server; it may have expired, upload it \
                again";
    IntakeError::fault(input, DOWNLOAD, text)
}

/// Where the bytes of the `number`th input go.
pub(crate) fn fetched_path(folder: &str, number: usize) -> String {
    format!("{folder}/{number}")
}

/// Faults count more than anything else: they would be there at the next try, too.
fn settle(
    outcomes: Vec<Result<(InputFacts, Vec<String>), IntakeError>>,
) -> Result<Taken, IntakeError> {
    let mut taken = Taken { facts: Facts::default(), warnings: Vec::new() };
    let (mut faults, mut other) = (Vec::new(), None);
    for outcome in outcomes {
        match outcome {
            Ok((facts, warnings)) => {
                taken.facts.0.push(facts);
                taken.warnings.extend(warnings);
            }
            Err(IntakeError::Faults(found)) => faults.extend(found),
            Err(IntakeError::Cancelled) => other = Some(IntakeError::Cancelled),
            Err(error) => other = other.or(Some(error)),
        }
    }
    match other {
        Some(IntakeError::Cancelled) => Err(IntakeError::Cancelled),
        _ if !faults.is_empty() => Err(IntakeError::Faults(faults)),
        Some(error) => Err(error),
        None => Ok(taken),
    }
}

/// Adds what was sent to faults that do not say it yet.
fn echo(error: IntakeError, input: &MediaInput) -> IntakeError {
    match (error, &input.source) {
        (IntakeError::Faults(faults), Source::Url(url)) => {
            let sent = Value::from(url.as_str());
            let told =
                |fault: Fault| if fault.input.is_null() { fault.input(&sent) } else { fault };
            IntakeError::Faults(faults.into_iter().map(told).collect())
        }
        (error, _) => error,
    }
}
