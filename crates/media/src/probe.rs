//! What a video file is, as ffprobe sees it.

use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use crate::process::Ended;
use crate::toolchain::{AUDIO_CODECS, Access, Toolchain, VIDEO_CODECS, file_url};
use crate::{CancelToken, MediaError};

/// Most of ffprobe's JSON that is read.
const MAX_JSON_BYTES: u64 = 1 << 20;
/// Transfer curves of high dynamic range, by ffmpeg's names.
const HDR_TRANSFERS: [&str; 2] = ["smpte2084", "arib-std-b67"];
/// Frame times count as uneven when nominal and average rate differ by more than this factor.
const UNEVEN: f64 = 0.01;

/// A video file, measured.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoProbe {
    /// Codec, by ffmpeg's name: `h264`.
    pub codec: String,
    /// Pixel format, by ffmpeg's name: `yuv420p10le`.
    pub pixel_format: String,
    /// Width as coded, in pixels.
    pub coded_width: u32,
    /// Height as coded, in pixels.
    pub coded_height: u32,
    /// Width as displayed: after pixel aspect and rotation, in square pixels.
    pub width: u32,
    /// Height as displayed.
    pub height: u32,
    /// Clockwise rotation for display, in degrees: 0, 90, 180 or 270.
    pub rotation: u32,
    /// Frames a second on average: frames read over their duration.
    pub fps: f64,
    /// Whether frames come at uneven times.
    pub variable_rate: bool,
    /// Length of the video stream in seconds, after edit lists.
    pub duration_secs: f64,
    /// Packets of the video stream.
    pub frames: u64,
    /// Colour matrix by ffmpeg's name, if the file says.
    pub matrix: Option<String>,
    /// Transfer curve by ffmpeg's name, if the file says.
    pub transfer: Option<String>,
    /// Whether the curve is PQ or HLG.
    pub hdr: bool,
    /// The first sound stream, if there is one.
    pub audio: Option<AudioProbe>,
}

/// The sound of a video file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioProbe {
    /// Codec, by ffmpeg's name: `aac`, `pcm_s16le`.
    pub codec: String,
    /// Channels.
    pub channels: u32,
    /// Samples a second.
    pub sample_rate: u32,
}

#[derive(Deserialize)]
struct Output {
    #[serde(default)]
    streams: Vec<Stream>,
    format: Option<Format>,
}

#[derive(Deserialize)]
struct Format {
    duration: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Stream {
    codec_type: String,
    codec_name: Option<String>,
    codec_tag_string: Option<String>,
    pix_fmt: Option<String>,
    width: u32,
    height: u32,
    sample_aspect_ratio: Option<String>,
    r_frame_rate: Option<String>,
    avg_frame_rate: Option<String>,
    duration: Option<String>,
    nb_read_packets: Option<String>,
    color_space: Option<String>,
    color_transfer: Option<String>,
    channels: u32,
    sample_rate: Option<String>,
    side_data_list: Vec<SideData>,
    disposition: Disposition,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Disposition {
    attached_pic: u32,
}

#[derive(Deserialize)]
struct SideData {
    rotation: Option<f64>,
}

/// Measures the file at `path`. Every packet is read (none is decoded), so a file that ends
/// early is noticed.
pub fn probe_video(
    tools: &Toolchain,
    path: &Path,
    cancel: &CancelToken,
) -> Result<VideoProbe, MediaError> {
    let mut args: Vec<std::ffi::OsString> =
        ["-f", "mov", "-count_packets", "-show_streams", "-show_format", "-of", "json", "-i"]
            .map(Into::into)
            .into();
    args.push(file_url(path));
    let access = Access { read: Some(path), write: None };
    let mut running = tools.probe(access, &args, cancel)?;
    let mut json = Vec::new();
    if let Some(stdout) = running.stdout() {
        stdout.take(MAX_JSON_BYTES).read_to_end(&mut json)?;
    }
    let ended = running.wait()?;
    if !ended.status.success() {
        // ffprobe may give up on a codec after it has told which one it is.
        let told = serde_json::from_slice(&json).ok().and_then(|output| measure(&output).err());
        return Err(match told {
            Some(unsupported @ MediaError::Unsupported { .. }) => unsupported,
            _ => unreadable(&ended),
        });
    }
    if ended.stderr.contains("partial file") {
        return Err(MediaError::Truncated("its content ends before its index does".into()));
    }
    let output: Output = serde_json::from_slice(&json)
        .map_err(|e| MediaError::NotAVideo(format!("ffprobe's answer was not understood: {e}")))?;
    measure(&output)
}

fn unreadable(ended: &Ended) -> MediaError {
    let why = ended.last_line();
    if let Some((_, rest)) = ended.stderr.split_once("Codec (")
        && let Some((codec, _)) = rest.split_once(") not on whitelist")
    {
        let (stream, allowed) = ("video", VIDEO_CODECS);
        return MediaError::Unsupported { stream, codec: codec.to_owned(), allowed };
    }
    let cut = ["moov atom not found", "End of file", "truncated"];
    if cut.iter().any(|word| ended.stderr.contains(word)) {
        MediaError::Truncated(why)
    } else {
        MediaError::NotAVideo(why)
    }
}

fn measure(output: &Output) -> Result<VideoProbe, MediaError> {
    let of = |kind: &str| {
        let kind = kind.to_owned();
        output.streams.iter().find(move |s| s.codec_type == kind && s.disposition.attached_pic == 0)
    };
    let video = of("video").ok_or(MediaError::NoVideoStream)?;
    let codec = supported(video, "video", VIDEO_CODECS)?;
    let audio = of("audio").map(sound).transpose()?;
    let rotation = rotation(video);
    let (width, height) = displayed(video, rotation);
    let duration_secs = seconds(video.duration.as_ref())
        .or_else(|| seconds(output.format.as_ref().and_then(|format| format.duration.as_ref())))
        .ok_or_else(|| MediaError::NotAVideo("it does not say how long it is".into()))?;
    let frames = video.nb_read_packets.as_deref().and_then(|n| n.parse().ok()).unwrap_or(0_u64);
    let nominal = ratio(video.r_frame_rate.as_deref()).unwrap_or(0.0);
    let average = ratio(video.avg_frame_rate.as_deref()).filter(|fps| *fps > 0.0);
    let fps = average.unwrap_or(frames as f64 / duration_secs.max(1e-3));
    let transfer = known(video.color_transfer.as_ref());
    Ok(VideoProbe {
        codec,
        pixel_format: video.pix_fmt.clone().unwrap_or_default(),
        coded_width: video.width,
        coded_height: video.height,
        width,
        height,
        rotation,
        fps,
        variable_rate: (nominal - fps).abs() > UNEVEN * fps,
        duration_secs,
        frames,
        matrix: known(video.color_space.as_ref()),
        hdr: transfer.as_deref().is_some_and(|curve| HDR_TRANSFERS.contains(&curve)),
        transfer,
        audio,
    })
}

fn sound(stream: &Stream) -> Result<AudioProbe, MediaError> {
    Ok(AudioProbe {
        codec: supported(stream, "audio", AUDIO_CODECS)?,
        channels: stream.channels,
        sample_rate: stream.sample_rate.as_deref().and_then(|rate| rate.parse().ok()).unwrap_or(0),
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

fn displayed(video: &Stream, rotation: u32) -> (u32, u32) {
    let aspect = video
        .sample_aspect_ratio
        .as_deref()
        .and_then(|text| ratio(Some(&text.replace(':', "/"))))
        .filter(|aspect| *aspect > 0.0)
        .unwrap_or(1.0);
    let width = (f64::from(video.width) * aspect).round() as u32;
    if rotation % 180 == 90 { (video.height, width) } else { (width, video.height) }
}

fn ratio(text: Option<&str>) -> Option<f64> {
    let (over, under) = text?.split_once('/')?;
    let (over, under): (f64, f64) = (over.parse().ok()?, under.parse().ok()?);
    (under != 0.0).then_some(over / under)
}

fn seconds(text: Option<&String>) -> Option<f64> {
    text?.parse().ok().filter(|secs: &f64| secs.is_finite() && *secs >= 0.0)
}

fn known(text: Option<&String>) -> Option<String> {
    text.filter(|word| *word != "unknown" && *word != "reserved").cloned()
}
