//! What a file is, by its first bytes.

/// How many bytes [`sniff`] wants to see; fewer may be enough.
pub const SNIFF_BYTES: usize = 512;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// ISO base media: mp4.
    Mp4,
    /// QuickTime.
    Mov,
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
    /// Something that is known by name and not accepted.
    Other(&'static str),
}

// === impl FileKind ===

impl FileKind {
    /// What people call it: `mp4`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Other(name) => name,
        }
    }

    /// Its media type, if it is accepted.
    pub const fn content_type(self) -> Option<&'static str> {
        match self {
            Self::Mp4 => Some("video/mp4"),
            Self::Mov => Some("video/quicktime"),
            Self::Jpeg => Some("image/jpeg"),
            Self::Png => Some("image/png"),
            Self::Webp => Some("image/webp"),
            Self::Other(_) => None,
        }
    }
}

/// First bytes, and what they say.
const MAGIC: [(&[u8], FileKind); 19] = [
    (b"\xFF\xD8\xFF", FileKind::Jpeg),
    (b"\x89PNG\r\n\x1A\n", FileKind::Png),
    (b"GIF8", FileKind::Other("gif")),
    (b"BM", FileKind::Other("bmp")),
    (b"II*\0", FileKind::Other("tiff")),
    (b"MM\0*", FileKind::Other("tiff")),
    (b"\0\0\x01\xBA", FileKind::Other("mpeg-ps")),
    (b"\0\0\x01\xB3", FileKind::Other("mpeg video")),
    (b"\x1A\x45\xDF\xA3", FileKind::Other("webm or mkv")),
    (b"OggS", FileKind::Other("ogg")),
    (b"FLV\x01", FileKind::Other("flv")),
    (b"0&\xB2u", FileKind::Other("wmv")),
    (b"#EXTM3U", FileKind::Other("hls playlist")),
    (b"%PDF", FileKind::Other("pdf")),
    (b"PK\x03\x04", FileKind::Other("zip")),
    (b"\x1F\x8B", FileKind::Other("gzip")),
    (b"ID3", FileKind::Other("mp3")),
    (b"fLaC", FileKind::Other("flac")),
    (b"8BPS", FileKind::Other("psd")),
];

/// Tells a file's kind from its first bytes; `None` if they are like nothing known.
pub fn sniff(bytes: &[u8]) -> Option<FileKind> {
    let at = |offset: usize, magic: &[u8]| {
        bytes.get(offset..).is_some_and(|rest| rest.starts_with(magic))
    };
    if at(4, b"ftyp") {
        return Some(brand(bytes));
    }
    if at(0, b"RIFF") {
        return Some(match bytes.get(8..12) {
            Some(b"WEBP") => FileKind::Webp,
            Some(b"AVI ") => FileKind::Other("avi"),
            Some(b"WAVE") => FileKind::Other("wav"),
            _ => FileKind::Other("riff"),
        });
    }
    // QuickTime files from before `ftyp` begin with any of these boxes.
    if [b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"].iter().any(|name| at(4, *name)) {
        return Some(FileKind::Mov);
    }
    if let Some((_, kind)) = MAGIC.iter().find(|(magic, _)| at(0, magic)) {
        return Some(*kind);
    }
    if at(0, b"\x47") && (at(188, b"\x47") || bytes.len() < 189) {
        return Some(FileKind::Other("mpeg-ts"));
    }
    markup(bytes)
}

fn brand(bytes: &[u8]) -> FileKind {
    match bytes.get(8..12) {
        Some(b"qt  ") => FileKind::Mov,
        Some(b"avif" | b"avis") => FileKind::Other("avif"),
        Some(b"heic" | b"heix" | b"hevc" | b"mif1" | b"msf1") => FileKind::Other("heic"),
        Some(b"M4A " | b"M4B ") => FileKind::Other("m4a"),
        _ => FileKind::Mp4,
    }
}

fn markup(bytes: &[u8]) -> Option<FileKind> {
    let text =
        String::from_utf8_lossy(bytes.get(..SNIFF_BYTES).unwrap_or(bytes)).to_ascii_lowercase();
    let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let kinds = [("<!doctype html", "html"), ("<html", "html"), ("<svg", "svg"), ("<?xml", "xml")];
    if let Some((_, name)) = kinds.iter().find(|(start, _)| text.starts_with(start)) {
        return Some(FileKind::Other(name));
    }
    text.starts_with('{').then_some(FileKind::Other("json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_is_accepted_from_what_is_not() {
        let cases: [(&[u8], FileKind); 9] = [
            (b"\0\0\0\x20ftypisom", FileKind::Mp4),
            (b"\0\0\0\x14ftypqt  ", FileKind::Mov),
            (b"\0\0\0\x08wide\0\0", FileKind::Mov),
            (b"\0\0\0\x1cftypavif", FileKind::Other("avif")),
            (b"RIFF\0\0\0\0WEBPVP8 ", FileKind::Webp),
            (b"\xFF\xD8\xFF\xE0", FileKind::Jpeg),
            (b"#EXTM3U\n#EXT-X", FileKind::Other("hls playlist")),
            (b"\n<!DOCTYPE html><html>", FileKind::Other("html")),
            (b"\x89PNG\r\n\x1A\n\0", FileKind::Png),
        ];
        for (bytes, kind) in cases {
            assert_eq!(sniff(bytes), Some(kind));
        }
        assert_eq!(sniff(b""), None);
        assert_eq!(sniff(b"hello, world"), None);
    }
}
