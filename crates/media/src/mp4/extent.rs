//! Whether a file ends before its boxes do.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::boxes::{Head, Parsed, text};

/// Most top-level boxes that are followed.
const MAX_BOXES: usize = 100_000;

/// Follows the top-level boxes of a file; the name of the first one that ends behind the end of
/// the file, and how many of its bytes are missing.
pub(crate) fn cut_short(path: &Path) -> std::io::Result<Option<(String, u64)>> {
    let mut file = File::open(path)?;
    let end = file.metadata()?.len();
    let mut at = 0_u64;
    for _ in 0..MAX_BOXES {
        file.seek(SeekFrom::Start(at))?;
        let mut bytes = Vec::with_capacity(16);
        Read::by_ref(&mut file).take(16).read_to_end(&mut bytes)?;
        let Parsed::Head(Head { kind, total_bytes: Some(total), .. }) = Head::parse(&bytes) else {
            return Ok(None);
        };
        let next = at.saturating_add(total);
        if next > end && [b"moov", b"mdat", b"moof"].contains(&&kind) {
            return Ok(Some((text(kind), next - end)));
        }
        at = next;
        if at >= end {
            break;
        }
    }
    Ok(None)
}
