//! What every player needs of the file. These gates are hard.

use std::path::Path;

use media::{CancelToken, Toolchain, probe_video};

use crate::QualityError;

/// `profile_idc` of H.264 High (Rec. ITU-T H.264, annex A).
const HIGH: u8 = 100;

/// What the file was to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Asked {
    /// Width in px.
    pub width: u32,
    /// Height in px.
    pub height: u32,
    /// Frames a second.
    pub fps: u32,
    /// Frames.
    pub frames: u32,
    /// Whether it has to have sound, as long as the picture within a frame.
    pub sound: bool,
}

/// The faults of the file at `path`, one sentence each; none if it is as it was asked.
pub fn technical(
    tools: &Toolchain,
    path: &Path,
    asked: Asked,
    cancel: &CancelToken,
) -> Result<Vec<String>, QualityError> {
    let probe = probe_video(tools, path, cancel)?;
    let bytes = std::fs::read(path)
        .map_err(|cause| QualityError::File { path: path.display().to_string(), cause })?;
    let mut faults = Vec::new();
    let mut need = |holds: bool, fault: String| {
        if !holds {
            faults.push(fault);
        }
    };
    need(probe.codec == "h264", format!("the codec is `{}`, not h264", probe.codec));
    let profile = profile(&bytes);
    need(profile == Some(HIGH), format!("the H.264 profile is {profile:?}, not High ({HIGH})"));
    let format = &probe.pixel_format;
    need(format == "yuv420p", format!("the pixel format is `{format}`, not yuv420p"));
    let colours = [&probe.matrix, &probe.transfer, &probe.primaries];
    let bt709 = colours.iter().all(|name| name.as_deref() == Some("bt709"));
    need(bt709, format!("matrix, curve and primaries are {colours:?}, not bt709"));
    let size = (probe.width, probe.height);
    let wanted = (asked.width, asked.height);
    need(size == wanted, format!("the size is {size:?}, not {wanted:?}"));
    let rate = probe.fps_ratio;
    need(rate == (u64::from(asked.fps), 1), format!("the rate is {rate:?}, not {}", asked.fps));
    let frames = probe.frames;
    need(frames == u64::from(asked.frames), format!("{frames} frames, not {}", asked.frames));
    need(is_faststart(&bytes), "the header does not come before the frames".to_owned());
    if asked.sound {
        let frame = 1.0 / f64::from(asked.fps);
        let length = f64::from(asked.frames) * frame;
        let sound = probe.audio.as_ref().and_then(|audio| audio.duration_secs);
        let fits = sound.is_some_and(|secs| (secs - length).abs() <= frame + 1e-6);
        need(fits, format!("the sound is {sound:?} s long, not {length} s"));
    }
    Ok(faults)
}

/// `AVCProfileIndication` of the decoder configuration (ISO/IEC 14496-15, 5.3.3).
fn profile(bytes: &[u8]) -> Option<u8> {
    let at = bytes.windows(4).position(|window| window == b"avcC")?;
    bytes.get(at + 5).copied()
}

/// Whether `moov` comes before `mdat` (ISO/IEC 14496-12).
fn is_faststart(bytes: &[u8]) -> bool {
    let mut at = 0usize;
    while let Some([a, b, c, d, kind @ ..]) = bytes.get(at..at + 8) {
        match kind {
            b"moov" => return true,
            b"mdat" => return false,
            _ => {}
        }
        let size = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        if size < 8 {
            return false;
        }
        at += size;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
        let mut bytes = (body.len() as u32 + 8).to_be_bytes().to_vec();
        bytes.extend_from_slice(&kind);
        bytes.extend_from_slice(body);
        bytes
    }

    #[test]
    fn a_header_behind_the_frames_is_noticed() {
        let (head, data) = (boxed(*b"moov", b"x"), boxed(*b"mdat", b"frames"));
        let start = boxed(*b"ftyp", b"isom");
        assert!(is_faststart(&[&start[..], &head, &data].concat()));
        assert!(!is_faststart(&[&start[..], &data, &head].concat()));
        assert!(!is_faststart(b"short"));
    }

    #[test]
    fn the_profile_is_read_from_the_configuration() {
        assert_eq!(profile(&boxed(*b"avcC", &[1, 100, 0, 40])), Some(100));
        assert_eq!(profile(b"nothing"), None);
    }
}
