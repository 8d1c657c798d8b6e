//! What a file on disk turns out to be, and whether that is allowed.

use std::path::PathBuf;

use artifacts::PutInfo;
use catalog::{MediaInput, MediaLimits};
use domain::facts::{ImageFacts, MediaFacts, VideoFacts};
use futures_util::StreamExt;
use media::sniff::SNIFF_BYTES;
use media::still::ImageError;
use media::{CancelToken, FileKind, ImageLimits, MediaError, VideoProbe};

use crate::error::IntakeError;
use crate::take::{Intake, Request};

/// Memory that decoding one picture may take: 8192x8192 px with four channels of 16 bits, and as
/// much again for what the decoder itself needs.
const DECODE_BYTES: u64 = 1 << 30;

pub(crate) const VIDEO_LOAD: &str = "video_load_error";
const IMAGE_LOAD: &str = "image_load_error";

impl Intake {
    /// Measures a file and holds it against the limits of its field.
    pub(crate) async fn measure(
        &self,
        request: &Request<'_>,
        input: &MediaInput,
        file: &PutInfo,
    ) -> Result<MediaFacts, IntakeError> {
        let _turn = tokio::select! {
            biased;
            () = request.cancel.cancelled() => return Err(IntakeError::Cancelled),
            turn = self.pool.measure() => turn?,
        };
        let head = self.head(file).await?;
        let kind = kind(input, &head)?;
        let path = self.artifacts.local_path(&file.path)?;
        let (facts, sound) = match &*input.limits {
            MediaLimits::Video(_) => {
                let probe = self.probe(request, input, path).await?;
                let sound = probe.audio.as_ref().map(|audio| audio.codec.clone());
                (MediaFacts::Video(video_facts(probe)), sound)
            }
            MediaLimits::Image(limits) => {
                let facts = image(request, input, path, file.bytes, limits.max_side).await?;
                (MediaFacts::Image(facts), None)
            }
        };
        let mut faults = request.model.check(input, &facts, file.bytes);
        faults.extend(sound.and_then(|codec| input.check_sound(&codec)));
        if faults.is_empty() {
            tracing::debug!(pointer = input.pointer, kind = kind.name(), "input taken");
            Ok(facts)
        } else {
            Err(IntakeError::Faults(faults))
        }
    }

    async fn head(&self, file: &PutInfo) -> Result<Vec<u8>, IntakeError> {
        if file.bytes == 0 {
            return Ok(Vec::new());
        }
        let mut body = self.artifacts.get(&file.path, Some(0..SNIFF_BYTES as u64)).await?.body;
        let mut head = Vec::new();
        while let Some(part) = body.next().await {
            head.extend_from_slice(&part?);
        }
        Ok(head)
    }

    async fn probe(
        &self,
        request: &Request<'_>,
        input: &MediaInput,
        path: PathBuf,
    ) -> Result<VideoProbe, IntakeError> {
        let (tools, token) = (self.tools.clone(), CancelToken::new());
        let within = token.clone();
        let mut probing =
            tokio::task::spawn_blocking(move || media::probe_video(&tools, &path, &within));
        let late = tokio::select! {
            done = &mut probing => return probed(input, done),
            () = request.cancel.cancelled() => false,
            () = tokio::time::sleep(self.probe_limit) => true,
        };
        token.cancel();
        // The child is dead; the thread only has to notice.
        drop(probing.await);
        if late {
            let secs = self.probe_limit.as_secs_f64();
            let text = format!("it could not be read within {secs} s; encode it again as mp4");
            return Err(IntakeError::fault(input, VIDEO_LOAD, text));
        }
        Err(IntakeError::Cancelled)
    }
}

/// The kind of a file by its first bytes, if its field allows it.
pub(crate) fn kind(input: &MediaInput, head: &[u8]) -> Result<FileKind, IntakeError> {
    let found = media::sniff(head);
    let name = match found {
        Some(kind) => kind.name(),
        None if head.is_empty() => "empty file",
        None => "unknown",
    };
    match (input.check_format(name), found) {
        (None, Some(kind)) => Ok(kind),
        (fault, _) => {
            let fault = fault.unwrap_or_else(|| input.wrong_format(name));
            Err(IntakeError::Faults(vec![fault]))
        }
    }
}

fn probed(
    input: &MediaInput,
    done: Result<Result<VideoProbe, MediaError>, tokio::task::JoinError>,
) -> Result<VideoProbe, IntakeError> {
    let error = match done {
        Ok(Ok(probe)) => return Ok(probe),
        Ok(Err(error)) => error,
        Err(error) => return Err(IntakeError::Infrastructure(error.to_string())),
    };
    Err(match &error {
        MediaError::Cancelled => IntakeError::Cancelled,
        MediaError::Missing { .. }
        | MediaError::Io(_)
        | MediaError::Sandbox { .. }
        | MediaError::Killed { .. }
        | MediaError::Invalid { .. } => IntakeError::Infrastructure(error.to_string()),
        MediaError::Unsupported { stream: "audio", .. } => {
            IntakeError::fault(input, "unsupported_audio_format", &error)
        }
        MediaError::Unsupported { .. } => {
            IntakeError::fault(input, "unsupported_video_format", &error)
        }
        _ => IntakeError::fault(input, VIDEO_LOAD, &error),
    })
}

/// The facts of a probed video.
pub fn video_facts(probe: VideoProbe) -> VideoFacts {
    VideoFacts {
        width: probe.width,
        height: probe.height,
        duration_secs: probe.duration_secs,
        fps: probe.fps,
        codec: probe.codec,
        has_audio: probe.audio.is_some(),
        variable_rate: probe.variable_rate,
        hdr: probe.hdr,
    }
}

/// Decodes the picture: only then is it sure that it can be, and whether it is opaque.
async fn image(
    request: &Request<'_>,
    input: &MediaInput,
    path: PathBuf,
    bytes: u64,
    max_side: u32,
) -> Result<ImageFacts, IntakeError> {
    let decoding = tokio::task::spawn_blocking(move || decode(&path, max_side));
    let decoded = decoding.await.map_err(|e| IntakeError::Infrastructure(e.to_string()))?;
    match decoded? {
        Ok(facts) => Ok(facts),
        Err(ImageError::TooLarge { width, height, .. }) => {
            let facts = ImageFacts { width, height, format: String::new(), has_alpha: false };
            let mut faults = request.model.check(input, &MediaFacts::Image(facts), bytes);
            faults.retain(|fault| fault.kind != "unsupported_image_format");
            Err(IntakeError::Faults(faults))
        }
        Err(error) => Err(IntakeError::fault(input, IMAGE_LOAD, error)),
    }
}

fn decode(
    path: &std::path::Path,
    max_side: u32,
) -> Result<Result<ImageFacts, ImageError>, IntakeError> {
    let bytes = std::fs::read(path)
        .map_err(|e| IntakeError::Infrastructure(format!("reading an input failed: {e}")))?;
    let limits = ImageLimits { max_side, max_alloc: DECODE_BYTES };
    Ok(media::decode_image(&bytes, limits).map(|image| ImageFacts {
        width: image.width,
        height: image.height,
        format: image.format.to_owned(),
        has_alpha: image.has_alpha,
    }))
}
