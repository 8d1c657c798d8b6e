//! The filter chain from a stranger's video to plain bt709 frames.
//!
//! ffmpeg turns the picture upright in front of it. Every input property is stated, never left to
//! a default that differs between versions.

use crate::{DecodeSpec, VideoProbe};

/// Scaling that gives the same bytes on every machine.
const SCALING: &str = "flags=bicubic+accurate_rnd+bitexact+full_chroma_int+full_chroma_inp";
/// Luminance of white after tone mapping, in nits (BT.1886 displays).
const WHITE_NITS: u32 = 100;
/// Untagged pictures with no side as long as this are taken for standard definition.
const HD_SIDE: u32 = 1024;

/// Matrices, curves and primaries that both filters know by the names that ffprobe gives.
const MATRICES: [&str; 6] = ["bt709", "smpte170m", "bt470bg", "fcc", "bt2020nc", "bt2020c"];
const CURVES: [&str; 9] = [
    "bt709",
    "smpte170m",
    "bt470m",
    "bt470bg",
    "iec61966-2-1",
    "bt2020-10",
    "bt2020-12",
    "smpte2084",
    "arib-std-b67",
];
const PRIMARIES: [&str; 8] =
    ["bt709", "smpte170m", "bt470bg", "bt2020", "smpte240m", "smpte431", "smpte432", "jedec-p22"];
/// Primaries with colours that a bt709 display cannot show.
const WIDE: [&str; 3] = ["bt2020", "smpte431", "smpte432"];

/// The chain, for `-vf`.
pub(super) fn chain(probe: &VideoProbe, spec: DecodeSpec) -> String {
    let DecodeSpec { width, height, fps, start_secs, .. } = spec;
    let mut chain = vec![format!("setpts=PTS-STARTPTS,fps={fps}:start_time=0:round=near")];
    let skipped = (start_secs * f64::from(fps)).round() as u64;
    if skipped > 0 {
        chain.push(format!("trim=start_frame={skipped},setpts=PTS-STARTPTS"));
    }
    let wide = probe.primaries.as_deref().is_some_and(|name| WIDE.contains(&name));
    if probe.hdr || wide {
        chain.push(format!("scale={width}:{height}:{SCALING},format=yuv420p10le"));
        chain.push(through_light(probe));
    } else {
        let matrix = match matrix(probe) {
            "bt2020nc" | "bt2020c" => "bt2020",
            other => other,
        };
        let range = if probe.full_range { "pc" } else { "tv" };
        chain.push(format!(
            "scale={width}:{height}:{SCALING}:in_color_matrix={matrix}:in_range={range}:\
             out_color_matrix=bt709:out_range=tv"
        ));
    }
    chain.push("setsar=1,format=yuv420p".to_owned());
    chain.join(",")
}

/// Through linear light: to bt709 primaries, and for HDR to what a standard display shows.
fn through_light(probe: &VideoProbe) -> String {
    let curve = known(probe.transfer.as_deref(), &CURVES).unwrap_or("bt709");
    let primaries = known(probe.primaries.as_deref(), &PRIMARIES).unwrap_or("bt2020");
    let matrix = match known(probe.matrix.as_deref(), &MATRICES) {
        Some(matrix) => matrix,
        None if probe.hdr => "bt2020nc",
        None => "bt709",
    };
    let range = if probe.full_range { "full" } else { "limited" };
    let tone = if probe.hdr { ",tonemap=tonemap=hable:desat=0" } else { "" };
    format!(
        "zscale=tin={curve}:pin={primaries}:min={matrix}:rin={range}:t=linear:npl={WHITE_NITS},\
         format=gbrpf32le,zscale=p=bt709{tone},zscale=t=bt709:m=bt709:r=limited,format=yuv420p"
    )
}

/// The matrix that the file names, or the one that its size makes likely.
fn matrix(probe: &VideoProbe) -> &'static str {
    let tagged = known(probe.matrix.as_deref(), &MATRICES);
    let small = probe.coded_width.max(probe.coded_height) < HD_SIDE;
    tagged.unwrap_or(if small { "smpte170m" } else { "bt709" })
}

fn known(name: Option<&str>, names: &[&'static str]) -> Option<&'static str> {
    names.iter().copied().find(|known| Some(*known) == name)
}
