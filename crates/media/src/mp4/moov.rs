//! The `moov` box: tracks, their lengths, sizes and codecs.

use super::HeaderFacts;
use super::boxes::{Children, Fields, Kind, child, descend, text};

/// Most tracks that are looked at.
const MAX_TRACKS: usize = 64;

/// What the header says about the movie and its first video track.
#[derive(Debug, Clone, Default)]
pub(super) struct Movie {
    pub(super) length_secs: Option<f64>,
    pub(super) video: Option<Track>,
    pub(super) audio_codec: Option<String>,
    /// Whether `mvex` announces fragments.
    pub(super) fragmented: bool,
    /// Length that `mehd` announces.
    pub(super) announced_secs: Option<f64>,
    /// Default sample duration of the video track's fragments.
    pub(super) default_sample_ticks: u32,
}

/// A video track.
#[derive(Debug, Clone)]
pub(super) struct Track {
    pub(super) id: u32,
    /// Ticks a second; not zero.
    pub(super) timescale: u32,
    rotation: u32,
    codec: Kind,
    coded: (u32, u32),
    pixel_aspect: (u32, u32),
    /// Length of its media by `mdhd` and by its sample table, whichever is longer.
    media_secs: f64,
    /// Length by the sample table alone, and the number of samples in it.
    table_secs: f64,
    samples: u64,
    /// Length that its edit list shows.
    edited_secs: Option<f64>,
}

/// Reads the body of a `moov` box.
pub(super) fn parse(moov: &[u8]) -> Movie {
    let (scale, ticks) = child(moov, b"mvhd").and_then(timing).unwrap_or((0, 0));
    let mut movie = Movie { length_secs: secs(ticks, scale), ..Movie::default() };
    let tracks = Children::of(moov).filter(|(kind, _)| kind == b"trak").take(MAX_TRACKS);
    for (_, trak) in tracks {
        let handler = descend(trak, &[b"mdia", b"hdlr"]).and_then(handler);
        match handler.as_ref() {
            Some(b"vide") if movie.video.is_none() => movie.video = track(trak, scale),
            Some(b"soun") if movie.audio_codec.is_none() => {
                movie.audio_codec = entry(trak).map(|(kind, _)| text(kind));
            }
            _ => {}
        }
    }
    if let Some(mvex) = child(moov, b"mvex") {
        movie.fragmented = true;
        movie.announced_secs = child(mvex, b"mehd").and_then(|mehd| {
            let (version, _, mut fields) = Fields::full(mehd)?;
            secs(fields.long(version)?, scale)
        });
        let id = movie.video.as_ref().map(|video| video.id);
        movie.default_sample_ticks = Children::of(mvex)
            .filter(|(kind, _)| kind == b"trex")
            .filter_map(|(_, trex)| defaults(trex))
            .find(|(track, _)| Some(*track) == id)
            .map_or(0, |(_, ticks)| ticks);
    }
    movie
}

/// Ticks as seconds; `None` for no ticks or no timescale.
pub(super) fn secs(ticks: u64, timescale: u32) -> Option<f64> {
    // All ones means "not known" (ISO/IEC 14496-12, 8.2.2).
    let unknown = ticks == 0 || ticks == u64::from(u32::MAX) || ticks == u64::MAX;
    (timescale != 0 && !unknown).then(|| ticks as f64 / f64::from(timescale))
}

/// Timescale and duration of `mvhd` or `mdhd`, which begin alike.
fn timing(body: &[u8]) -> Option<(u32, u64)> {
    let (version, _, mut fields) = Fields::full(body)?;
    fields.skip(if version == 1 { 16 } else { 8 })?;
    Some((fields.u32()?, fields.long(version)?))
}

fn handler(hdlr: &[u8]) -> Option<Kind> {
    let (_, _, mut fields) = Fields::full(hdlr)?;
    fields.skip(4)?;
    fields.kind()
}

/// Track and default sample duration of a `trex`.
fn defaults(trex: &[u8]) -> Option<(u32, u32)> {
    let (_, _, mut fields) = Fields::full(trex)?;
    let id = fields.u32()?;
    fields.skip(4)?;
    Some((id, fields.u32()?))
}

/// The first sample description: codec and body.
fn entry(trak: &[u8]) -> Option<(Kind, &[u8])> {
    let stsd = descend(trak, &[b"mdia", b"minf", b"stbl", b"stsd"])?;
    Children::of(stsd.get(8..)?).next()
}

fn track(trak: &[u8], movie_scale: u32) -> Option<Track> {
    let (id, rotation) = child(trak, b"tkhd").and_then(placed)?;
    let (timescale, ticks) =
        descend(trak, &[b"mdia", b"mdhd"]).and_then(timing).filter(|(scale, _)| *scale != 0)?;
    let (codec, description) = entry(trak)?;
    let (coded, pixel_aspect) = picture(description)?;
    let (samples, table_ticks) =
        descend(trak, &[b"mdia", b"minf", b"stbl", b"stts"]).and_then(times).unwrap_or((0, 0));
    let table_secs = secs(table_ticks, timescale).unwrap_or(0.0);
    let media_secs = secs(ticks, timescale).unwrap_or(0.0).max(table_secs);
    let edited_secs =
        descend(trak, &[b"edts", b"elst"]).and_then(shown).and_then(|t| secs(t, movie_scale));
    Some(Track {
        id,
        timescale,
        rotation,
        codec,
        coded,
        pixel_aspect,
        media_secs,
        table_secs,
        samples,
        edited_secs,
    })
}

/// Id and rotation of a `tkhd`.
fn placed(tkhd: &[u8]) -> Option<(u32, u32)> {
    let (version, _, mut fields) = Fields::full(tkhd)?;
    fields.skip(if version == 1 { 16 } else { 8 })?;
    let id = fields.u32()?;
    fields.skip(if version == 1 { 12 } else { 8 } + 16)?;
    let (a, b) = (fields.i32()?, fields.i32()?);
    let rotation = match (a.unsigned_abs() >= b.unsigned_abs(), a < 0, b < 0) {
        (true, false, _) => 0,
        (true, true, _) => 180,
        (false, _, false) => 90,
        (false, _, true) => 270,
    };
    Some((id, rotation))
}

/// Coded size and pixel aspect of a visual sample entry (ISO/IEC 14496-12, 12.1.3).
fn picture(entry: &[u8]) -> Option<((u32, u32), (u32, u32))> {
    let mut fields = Fields::new(entry);
    fields.skip(24)?;
    let coded = (u32::from(fields.u16()?), u32::from(fields.u16()?));
    fields.skip(50)?;
    let aspect = child(fields.rest(), b"pasp").and_then(|pasp| {
        let mut fields = Fields::new(pasp);
        Some((fields.u32()?, fields.u32()?))
    });
    Some((coded, aspect.filter(|(h, v)| *h != 0 && *v != 0).unwrap_or((1, 1))))
}

/// Number of samples and their ticks in an `stts`. Entries that are not there do not count.
fn times(stts: &[u8]) -> Option<(u64, u64)> {
    let (_, _, mut fields) = Fields::full(stts)?;
    let (mut samples, mut ticks) = (0_u64, 0_u64);
    for _ in 0..fields.u32()? {
        let (Some(count), Some(delta)) = (fields.u32(), fields.u32()) else { break };
        samples = samples.saturating_add(count.into());
        ticks = ticks.saturating_add(u64::from(count) * u64::from(delta));
    }
    Some((samples, ticks))
}

/// Movie ticks that an `elst` shows; empty edits (a delay) show nothing.
fn shown(elst: &[u8]) -> Option<u64> {
    let (version, _, mut fields) = Fields::full(elst)?;
    let mut ticks = 0_u64;
    for _ in 0..fields.u32()? {
        let Some(length) = fields.long(version) else { break };
        let Some(from) = fields.long(version) else { break };
        if fields.skip(4).is_none() {
            break;
        }
        let empty = if version == 1 { from == u64::MAX } else { from == u64::from(u32::MAX) };
        if !empty {
            ticks = ticks.saturating_add(length);
        }
    }
    Some(ticks)
}

// === impl Movie ===

impl Movie {
    /// The facts, with the seconds and frames that fragments have told so far.
    pub(super) fn facts(&self, brands: &[String], told: (f64, u64)) -> Option<HeaderFacts> {
        let video = self.video.as_ref()?;
        let (fragment_secs, fragment_frames) = told;
        let all = (video.table_secs + fragment_secs).max(self.announced_secs.unwrap_or(0.0));
        let media = video.media_secs.max(all);
        let length = match video.edited_secs {
            // The edit list of a fragmented file was written before its fragments were known.
            Some(edited) if !self.fragmented => edited,
            _ => media,
        };
        let frames = video.samples.saturating_add(fragment_frames);
        let timed = video.table_secs + fragment_secs;
        let (width, height) = video.displayed();
        Some(HeaderFacts {
            brands: brands.to_vec(),
            duration_secs: (length > 0.0).then_some(length),
            movie_secs: self.length_secs,
            width,
            height,
            rotation: video.rotation,
            pixel_aspect: video.pixel_aspect,
            video_codec: text(video.codec),
            audio_codec: self.audio_codec.clone(),
            fps: (timed > 0.0 && frames > 0).then(|| frames as f64 / timed),
            fragmented: self.fragmented,
        })
    }
}

// === impl Track ===

impl Track {
    fn displayed(&self) -> (u32, u32) {
        let (h, v) = self.pixel_aspect;
        let width = (f64::from(self.coded.0) * f64::from(h) / f64::from(v)).round() as u32;
        if self.rotation % 180 == 90 { (self.coded.1, width) } else { (width, self.coded.1) }
    }
}
