//! One file from another host onto the disk, looked at as it comes.

use std::time::Duration;

use artifacts::Writer;
use catalog::MediaInput;
use egress::{ByteRange, GetRequest, Response};
use media::mp4::{HeaderWalker, MAX_MOOV_BYTES, Step};
use tokio::time::Instant;
use url::Url;

use crate::early::{self, Early};
use crate::error::IntakeError;
use crate::pool::Place;
use crate::take::{Intake, Request, fetched_path};

/// Bytes that are read ahead of a file in search of a header behind its samples.
const MAX_TAIL_BYTES: u64 = MAX_MOOV_BYTES;

/// Boxes that are leapt over in search of such a header.
const MAX_LEAPS: usize = 4;

/// The search may take this part of the time that is left for the file, which waits meanwhile:
/// there are hosts that serve one connection of a client after the other.
const TAIL_SHARE: u32 = 4;

/// Fetches `url` within the limits of `input`: all of its bytes, which are yet to be kept, and the
/// place in the pool that they take until then. What fails leaves nothing on disk.
pub(crate) async fn fetch(
    intake: &Intake,
    request: &Request<'_>,
    number: usize,
    input: &MediaInput,
    url: &str,
) -> Result<(Writer, Place), IntakeError> {
    let mut place = intake.pool.enter(&host(url), input.max_bytes).await?;
    let get = GetRequest {
        url: url.to_owned(),
        range: None,
        max_bytes: input.max_bytes,
        deadline: Instant::now() + Duration::from_secs(u64::from(input.fetch_secs)),
    };
    let response = intake.client.get(&get).await.map_err(|e| IntakeError::fetch(input, &e))?;
    let (total, ranged) = (response.total, response.accepts_ranges);
    if let Some(total) = total {
        place.shrink(total);
    }
    let mut early = Early::new(request.model, input, total);
    let mut writer = intake.artifacts.writer(&fetched_path(request.folder, number)).await?;
    let mut body = response.body;
    while let Some(bytes) = body.chunk().await.map_err(|e| IntakeError::fetch(input, &e))? {
        if let early::Step::Tail { start } = early.push(&bytes)?
            && let (Some(total), true) = (total, ranged)
        {
            // The body waits meanwhile: it is not read, so its host cannot go on sending.
            tail(intake, &get, start, total, &early).await?;
        }
        writer.write(&bytes).await?;
    }
    early.end()?;
    Ok((writer, place))
}

/// Reads the header of a file that has it at its end. Whatever goes wrong with that decides
/// nothing: the file itself is still on its way.
async fn tail(
    intake: &Intake,
    whole: &GetRequest,
    mut start: u64,
    total: u64,
    early: &Early<'_>,
) -> Result<(), IntakeError> {
    let now = Instant::now();
    let deadline = now + whole.deadline.saturating_duration_since(now) / TAIL_SHARE;
    let (mut walker, mut left_bytes) = (HeaderWalker::new(), MAX_TAIL_BYTES);
    for _ in 0..MAX_LEAPS {
        let Some(max_bytes) = total.checked_sub(start).filter(|rest| *rest > 0) else {
            return Ok(());
        };
        let range = Some(ByteRange::From(start));
        let get = GetRequest { url: whole.url.clone(), range, max_bytes, deadline };
        let mut body = match intake.client.get(&get).await {
            Ok(Response { status: 206, total: Some(found), body, .. }) if found == total => body,
            Ok(_) => return Ok(()),
            Err(error) => {
                tracing::debug!(%error, "no look at the end of the file");
                return Ok(());
            }
        };
        walker.jump(start);
        start = loop {
            let Ok(Some(bytes)) = body.chunk().await else { return Ok(()) };
            left_bytes = left_bytes.saturating_sub(bytes.len() as u64);
            match early.tail(&mut walker, &bytes)? {
                Step::More if left_bytes > 0 => {}
                Step::More | Step::Done => return Ok(()),
                Step::Jump { offset } => break offset,
            }
        };
    }
    Ok(())
}

/// The host that a URL names, as a key for the cap per host.
fn host(url: &str) -> String {
    let url = Url::parse(url).ok();
    url.and_then(|url| url.host_str().map(str::to_ascii_lowercase)).unwrap_or_default()
}
