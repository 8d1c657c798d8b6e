//! ffprobe's answer, as JSON.

use std::collections::HashMap;

use serde::Deserialize;

/// What ffprobe is asked for.
pub(super) const ENTRIES: &str = "packet=stream_index,pts,dts,duration,flags:\
    stream=index,codec_type,codec_name,codec_tag_string,pix_fmt,width,height,sample_aspect_ratio,\
    avg_frame_rate,time_base,start_time,duration,nb_frames,color_space,color_transfer,\
    color_primaries,color_range,channels,channel_layout,sample_rate:\
    stream_disposition=attached_pic:stream_side_data=rotation:format=duration:format_tags=major_brand";

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Answer {
    pub(super) packets: Vec<Packet>,
    pub(super) streams: Vec<Stream>,
    pub(super) format: Format,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Format {
    pub(super) duration: Option<String>,
    tags: HashMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Packet {
    pub(super) stream_index: u32,
    pub(super) pts: Option<i64>,
    pub(super) dts: Option<i64>,
    pub(super) duration: Option<i64>,
    pub(super) flags: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Stream {
    pub(super) index: u32,
    pub(super) codec_type: String,
    pub(super) codec_name: Option<String>,
    pub(super) codec_tag_string: Option<String>,
    pub(super) pix_fmt: Option<String>,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) sample_aspect_ratio: Option<String>,
    pub(super) avg_frame_rate: Option<String>,
    pub(super) time_base: Option<String>,
    pub(super) start_time: Option<String>,
    pub(super) duration: Option<String>,
    pub(super) nb_frames: Option<String>,
    pub(super) color_space: Option<String>,
    pub(super) color_transfer: Option<String>,
    pub(super) color_primaries: Option<String>,
    pub(super) color_range: Option<String>,
    pub(super) channels: u32,
    pub(super) channel_layout: Option<String>,
    pub(super) sample_rate: Option<String>,
    pub(super) side_data_list: Vec<SideData>,
    disposition: Disposition,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Disposition {
    attached_pic: u32,
}

#[derive(Deserialize)]
pub(super) struct SideData {
    pub(super) rotation: Option<f64>,
}

// === impl Answer ===

impl Answer {
    /// The first video stream that is not a cover picture.
    pub(super) fn video(&self) -> Option<&Stream> {
        self.streams.iter().find(|s| s.codec_type == "video" && s.disposition.attached_pic == 0)
    }

    /// The first sound stream.
    pub(super) fn audio(&self) -> Option<&Stream> {
        self.streams.iter().find(|s| s.codec_type == "audio")
    }

    /// The container's major brand.
    pub(super) fn brand(&self) -> Option<String> {
        self.format.tags.get("major_brand").map(|brand| brand.trim_end().to_owned())
    }
}

/// Two integers with a slash between them; `None` if the second is 0.
pub(super) fn fraction(text: Option<&String>) -> Option<(u64, u64)> {
    let (over, under) = text?.split_once('/')?;
    let (over, under): (u64, u64) = (over.parse().ok()?, under.parse().ok()?);
    (under != 0).then_some((over, under))
}

/// A finite number of seconds.
pub(super) fn secs(text: Option<&String>) -> Option<f64> {
    text?.parse().ok().filter(|secs: &f64| secs.is_finite())
}

/// A word that says something.
pub(super) fn known(text: Option<&String>) -> Option<String> {
    text.filter(|word| !matches!(word.as_str(), "unknown" | "reserved" | "")).cloned()
}
