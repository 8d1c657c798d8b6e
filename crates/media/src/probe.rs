//! What a video file is, as ffprobe sees it.
//!
//! The header's claims about rate and length are not taken: the times of the packets are read and
//! measured, after edit lists, so that a file is judged by what a player would show.

use std::io::Read;
use std::path::Path;

use crate::process::Ended;
use crate::sniff::{FileKind, SNIFF_BYTES, sniff};
use crate::toolchain::{AUDIO_CODECS, Access, Toolchain, VIDEO_CODECS, file_url};
use crate::{CancelToken, MediaError, mp4};

mod answer;
mod timing;

use answer::{Answer, Stream};

/// Most of ffprobe's JSON that is read.
const MAX_JSON_BYTES: u64 = 16 << 20;
/// Most packets whose times are read: minutes of video, far more than is ever accepted.
pub(crate) const MAX_PACKETS: usize = 30_000;
/// Transfer curves of high dynamic range, by ffmpeg's names.
const HDR_TRANSFERS: [&str; 2] = ["smpte2084", "arib-std-b67"];

/// How names of sound decoders begin that are found in mp4 and mov and not supported.
const SOUNDS: [&str; 16] = [
    "adpcm", "pcm", "mp1", "mp2", "vorbis", "flac", "dca", "eac3", "truehd", "mlp", "amr", "qdm",
    "mace", "gsm", "qcelp", "wma",
];

/// A video file, measured.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoProbe {
    /// Major brand of the container, `None` for QuickTime files that have none: `isom`, `qt`.
    pub brand: Option<String>,
    /// Size of the file.
    pub bytes: u64,
    /// Index of the video stream in the file.
    pub stream: u32,
    /// Codec, by ffmpeg's name: `h264`.
    pub codec: String,
    /// Pixel format, by ffmpeg's name: `yuv420p10le`.
    pub pixel_format: String,
    /// Bits of one luma sample.
    pub bit_depth: u32,
    /// Width as coded, in pixels.
    pub coded_width: u32,
    /// Height as coded, in pixels.
    pub coded_height: u32,
    /// Width as displayed: after pixel aspect and rotation, in square pixels, rounded to the
    /// nearest; may be odd.
    pub width: u32,
    /// Height as displayed.
    pub height: u32,
    /// Clockwise rotation for display, in degrees: 0, 90, 180 or 270.
    pub rotation: u32,
    /// Width over height of one coded pixel.
    pub pixel_aspect: (u32, u32),
    /// Frames a second on average: frames over the time that they are shown.
    pub fps: f64,
    /// The same as a fraction in lowest terms.
    pub fps_ratio: (u64, u64),
    /// Whether frames come at uneven times.
    pub variable_rate: bool,
    /// Length of the video stream in seconds, after edit lists.
    pub duration_secs: f64,
    /// Frames of the video stream, after edit lists.
    pub frames: u64,
    /// Colour matrix by ffmpeg's name, if the file says.
    pub matrix: Option<String>,
    /// Transfer curve by ffmpeg's name, if the file says.
    pub transfer: Option<String>,
    /// Colour primaries by ffmpeg's name, if the file says.
    pub primaries: Option<String>,
    /// Whether samples use all codes (0 to 255) instead of the video range.
    pub full_range: bool,
    /// Whether the curve is PQ or HLG.
    pub hdr: bool,
    /// Time of the first picture on the file's own clock, in seconds.
    pub start_secs: f64,
    /// The first sound stream, if there is one.
    pub audio: Option<AudioProbe>,
}

/// The sound of a video file.
#[derive(Debug, Clone, PartialEq)]
pub struct AudioProbe {
    /// Index of the stream in the file.
    pub stream: u32,
    /// Codec, by ffmpeg's name: `aac`, `pcm_s16le`.
    pub codec: String,
    /// Channels.
    pub channels: u32,
    /// How they are placed, by ffmpeg's name, if the file says: `5.1`.
    pub layout: Option<String>,
    /// Samples a second.
    pub sample_rate: u32,
    /// When it begins, in seconds from the first picture; negative if it begins earlier.
    pub start_secs: f64,
    /// How long it is, in seconds, if the file says.
    pub duration_secs: Option<f64>,
}

/// Measures the file at `path`. Packets are read, none is decoded, so a file that ends early is
/// noticed.
pub fn probe_video(
    tools: &Toolchain,
    path: &Path,
    cancel: &CancelToken,
) -> Result<VideoProbe, MediaError> {
    cancel.check()?;
    let bytes = look(path)?;
    let mut args: Vec<std::ffi::OsString> =
        ["-f", "mov", "-show_entries", answer::ENTRIES, "-of", "json=compact=1", "-read_intervals"]
            .map(Into::into)
            .into();
    args.extend([format!("%+#{MAX_PACKETS}").into(), "-i".into(), file_url(path)]);
    let access = Access { read: Some(path), write: None };
    let mut running = tools.probe(access, &args, cancel)?;
    let mut json = Vec::new();
    if let Some(stdout) = running.stdout() {
        stdout.take(MAX_JSON_BYTES).read_to_end(&mut json)?;
    }
    let ended = running.wait()?;
    if !ended.status.success() {
        return Err(unreadable(&ended));
    }
    let cut = ["partial file", "stream ends prematurely"];
    if cut.iter().any(|words| ended.stderr.contains(words)) {
        return Err(MediaError::Truncated("its content ends before its index does".into()));
    }
    let answer: Answer = serde_json::from_slice(&json)
        .map_err(|e| MediaError::NotAVideo(format!("ffprobe's answer was not understood: {e}")))?;
    measure(&answer, bytes)
}

/// Looks at the file's boxes before any other program does; its size.
fn look(path: &Path) -> Result<u64, MediaError> {
    let mut file = std::fs::File::open(path)?;
    let bytes = file.metadata()?.len();
    let mut head = Vec::with_capacity(SNIFF_BYTES);
    Read::by_ref(&mut file).take(SNIFF_BYTES as u64).read_to_end(&mut head)?;
    match sniff(&head) {
        Some(FileKind::Mp4 | FileKind::Mov) => {}
        Some(kind) => return Err(MediaError::NotAVideo(format!("it is of type {}", kind.name()))),
        None if head.is_empty() => return Err(MediaError::NotAVideo("it is empty".into())),
        None => return Err(MediaError::NotAVideo("its type is not known".into())),
    }
    match mp4::cut_short(path)? {
        None => Ok(bytes),
        Some((kind, missing)) => {
            Err(MediaError::Truncated(format!("{missing} bytes of its `{kind}` box are missing")))
        }
    }
}

fn unreadable(ended: &Ended) -> MediaError {
    if let Some(codec) = refused(&ended.stderr) {
        // ffprobe does not say what kind of decoder it refused.
        return if SOUNDS.iter().any(|start| codec.starts_with(start)) {
            MediaError::Unsupported { stream: "audio", codec, allowed: AUDIO_CODECS }
        } else {
            MediaError::Unsupported { stream: "video", codec, allowed: VIDEO_CODECS }
        };
    }
    let why = ended.last_line();
    let cut = ["moov atom not found", "End of file", "truncated"];
    if cut.iter().any(|word| ended.stderr.contains(word)) {
        MediaError::Truncated(why)
    } else {
        MediaError::NotAVideo(why)
    }
}

/// The decoder that ffprobe refused to open.
fn refused(stderr: &str) -> Option<String> {
    let (_, rest) = stderr.split_once("Codec (")?;
    let (codec, _) = rest.split_once(") not on whitelist")?;
    Some(codec.to_owned())
}

fn measure(answer: &Answer, bytes: u64) -> Result<VideoProbe, MediaError> {
    let video = answer.video().ok_or(MediaError::NoVideoStream)?;
    let codec = supported(video, "video", VIDEO_CODECS)?;
    if video.width == 0 || video.height == 0 {
        return Err(MediaError::NotAVideo("its pictures have no size".into()));
    }
    let times = timing::measure(answer, video)
        .ok_or_else(|| MediaError::NotAVideo("it shows no pictures".into()))?;
    let sound = answer.audio().map(|stream| sound(stream, times.start_secs)).transpose()?;
    let rotation = rotation(video);
    let pixel_aspect = pixel_aspect(video);
    let (width, height) = displayed(video, pixel_aspect, rotation);
    let transfer = answer::known(video.color_transfer.as_ref());
    let pixel_format = video.pix_fmt.clone().unwrap_or_default();
    Ok(VideoProbe {
        brand: answer.brand(),
        bytes,
        stream: video.index,
        codec,
        bit_depth: bit_depth(&pixel_format),
        coded_width: video.width,
        coded_height: video.height,
        width,
        height,
        rotation,
        pixel_aspect,
        fps: times.fps_ratio.0 as f64 / times.fps_ratio.1 as f64,
        fps_ratio: times.fps_ratio,
        variable_rate: times.uneven,
        duration_secs: times.duration_secs,
        frames: times.frames,
        matrix: answer::known(video.color_space.as_ref()),
        primaries: answer::known(video.color_primaries.as_ref()),
        full_range: video.color_range.as_deref() == Some("pc") || pixel_format.starts_with("yuvj"),
        hdr: transfer.as_deref().is_some_and(|curve| HDR_TRANSFERS.contains(&curve)),
        transfer,
        pixel_format,
        start_secs: times.start_secs,
        audio: sound,
    })
}

fn sound(stream: &Stream, video_start_secs: f64) -> Result<AudioProbe, MediaError> {
    let rate = stream.sample_rate.as_deref().and_then(|rate| rate.parse().ok());
    Ok(AudioProbe {
        stream: stream.index,
        codec: supported(stream, "audio", AUDIO_CODECS)?,
        channels: stream.channels,
        layout: answer::known(stream.channel_layout.as_ref()),
        sample_rate: rate.unwrap_or(0),
        start_secs: answer::secs(stream.start_time.as_ref()).unwrap_or(0.0) - video_start_secs,
        duration_secs: answer::secs(stream.duration.as_ref()).filter(|secs| *secs > 0.0),
    })
}

fn supported(
    stream: &Stream,
    kind: &'static str,
    allowed: &'static [&'static str],
) -> Result<String, MediaError> {
    let tag = stream.codec_tag_string.as_deref().unwrap_or("unknown");
    let name = stream.codec_name.as_deref().unwrap_or(tag);
    let family = if name.starts_with("pcm_") { "pcm" } else { name };
    if allowed.contains(&family) {
        Ok(name.to_owned())
    } else {
        Err(MediaError::Unsupported { stream: kind, codec: name.to_owned(), allowed })
    }
}

/// ffprobe gives counter-clockwise degrees, -180 to 180.
fn rotation(video: &Stream) -> u32 {
    let turned = video.side_data_list.iter().find_map(|data| data.rotation).unwrap_or(0.0);
    let quarters = (-turned / 90.0).round() as i64;
    quarters.rem_euclid(4) as u32 * 90
}

fn pixel_aspect(video: &Stream) -> (u32, u32) {
    let parsed = video.sample_aspect_ratio.as_deref().and_then(|text| {
        let (h, v) = text.split_once(':')?;
        Some((h.parse().ok()?, v.parse().ok()?))
    });
    parsed.filter(|(h, v)| *h > 0 && *v > 0).unwrap_or((1, 1))
}

fn displayed(video: &Stream, (h, v): (u32, u32), rotation: u32) -> (u32, u32) {
    let width = (f64::from(video.width) * f64::from(h) / f64::from(v)).round().max(1.0) as u32;
    if rotation % 180 == 90 { (video.height, width) } else { (width, video.height) }
}

/// Bits of a sample by the name of its format: `yuv420p10le`, `p010le`, `gbrp12be`; 8 if it has
/// none.
fn bit_depth(pixel_format: &str) -> u32 {
    let name = pixel_format.trim_end_matches("le").trim_end_matches("be");
    match name.rsplit_once('p').map(|(_, bits)| bits) {
        Some("9") => 9,
        Some("10" | "010" | "210" | "410") => 10,
        Some("12" | "012" | "212" | "412") => 12,
        Some("14") => 14,
        Some("16" | "016" | "216" | "416") => 16,
        _ => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_format_tells_its_depth() {
        let cases =
            [("yuv420p", 8), ("yuv420p10le", 10), ("yuv422p12be", 12), ("p010le", 10), ("gray", 8)];
        for (name, bits) in cases {
            assert_eq!(bit_depth(name), bits, "{name}");
        }
    }
}
