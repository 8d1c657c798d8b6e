//! The walk over a file's top-level boxes, byte by byte as they come.

use super::boxes::{Fields, Head, Kind, Parsed, text};
use super::fragment::Told;
use super::moov::{self, Movie};
use super::{HeaderError, HeaderFacts, MAX_MOOV_BYTES, MAX_OTHER_BYTES};

/// Samples in front of the header that are shorter than this are read over, not jumped.
const JUMP_WORTH_BYTES: u64 = 256 << 10;
/// Most brands that are kept.
const MAX_BRANDS: usize = 32;

/// Boxes that a file begins with.
const FIRST: [&Kind; 13] = [
    b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"wide", b"free", b"skip", b"pnot", b"sidx",
    b"uuid", b"emsg", b"prft",
];

/// What the walker wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The bytes that follow.
    More,
    /// The header lies behind the samples, at this offset of the file at the earliest: call
    /// [`HeaderWalker::jump`] and go on from there, or push what follows all the same. An offset
    /// at or behind the file's end means that there is no header.
    Jump {
        /// Bytes from the start of the file.
        offset: u64,
    },
    /// Nothing: all that the header tells is known.
    Done,
}

/// Reads headers from a stream of bytes.
#[derive(Debug)]
pub struct HeaderWalker {
    /// Offset of the next byte that is pushed.
    offset: u64,
    /// Whether a box has been seen.
    begun: bool,
    state: State,
    brands: Vec<String>,
    movie: Option<Movie>,
    told: Told,
}

#[derive(Debug)]
enum State {
    /// Between boxes; holds the part of a head that has come.
    Head(Vec<u8>),
    /// In a box that is kept.
    Keep { kind: Kind, left_bytes: u64, body: Vec<u8> },
    /// In a box that is not; `None` means: to the end of the file.
    Skip { left_bytes: Option<u64> },
}

// === impl HeaderWalker ===

impl Default for HeaderWalker {
    fn default() -> Self {
        Self::new()
    }
}

impl HeaderWalker {
    /// A walker at the start of a file.
    pub fn new() -> Self {
        Self {
            offset: 0,
            begun: false,
            state: State::Head(Vec::new()),
            brands: Vec::new(),
            movie: None,
            told: Told::default(),
        }
    }

    /// Takes the next bytes of the file.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Step, HeaderError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = self.take(rest)?;
            self.offset = self.offset.saturating_add(taken as u64);
            rest = rest.get(taken..).unwrap_or_default();
            if self.is_done() {
                return Ok(Step::Done);
            }
        }
        Ok(self.wanted())
    }

    /// Goes on at an offset that [`Step::Jump`] named.
    pub fn jump(&mut self, offset: u64) {
        self.offset = offset;
        self.state = State::Head(Vec::new());
    }

    /// Offset in the file of the byte that is expected next.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes that are held of the file, and how many more of the box that they begin are waited for.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn held_bytes(&self) -> (u64, u64) {
        match &self.state {
            State::Head(head) => (head.len() as u64, 0),
            State::Keep { left_bytes, body, .. } => (body.len() as u64, *left_bytes),
            State::Skip { .. } => (0, 0),
        }
    }

    /// What is known so far; `None` before the `moov` box has come.
    pub fn facts(&self) -> Option<HeaderFacts> {
        let movie = self.movie.as_ref()?;
        let told = movie.video.as_ref().map(|video| self.told.so_far(video));
        movie.facts(&self.brands, told.unwrap_or_default())
    }

    /// The end of the file: what is known, or why nothing is.
    pub fn finish(self) -> Result<HeaderFacts, HeaderError> {
        self.facts().ok_or(HeaderError::NoHeader)
    }

    /// Fragmented files go on telling until they end, unless they announced their length.
    fn is_done(&self) -> bool {
        self.movie.as_ref().is_some_and(|movie| !movie.fragmented || movie.announced_secs.is_some())
    }

    fn wanted(&self) -> Step {
        match (&self.state, &self.movie) {
            (State::Skip { left_bytes: Some(left) }, None) if *left >= JUMP_WORTH_BYTES => {
                Step::Jump { offset: self.offset.saturating_add(*left) }
            }
            _ => Step::More,
        }
    }

    /// Takes some of `bytes` (not empty); says how many.
    fn take(&mut self, bytes: &[u8]) -> Result<usize, HeaderError> {
        match &mut self.state {
            State::Head(head) => {
                let wanted = if head.get(..4) == Some(&[0, 0, 0, 1]) { 16 } else { 8 };
                let taken = bytes.len().min(wanted - head.len().min(wanted));
                head.extend_from_slice(bytes.get(..taken).unwrap_or_default());
                let head = Head::parse(head);
                self.enter(head)?;
                Ok(taken)
            }
            State::Keep { kind, left_bytes, body } => {
                let taken = bytes.len().min(usize::try_from(*left_bytes).unwrap_or(usize::MAX));
                body.extend_from_slice(bytes.get(..taken).unwrap_or_default());
                *left_bytes -= taken as u64;
                if *left_bytes == 0 {
                    let (kind, body) = (*kind, std::mem::take(body));
                    self.state = State::Head(Vec::new());
                    self.keep(kind, &body)?;
                }
                Ok(taken)
            }
            State::Skip { left_bytes: None } => Ok(bytes.len()),
            State::Skip { left_bytes: Some(left) } => {
                let taken = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= taken as u64;
                if *left == 0 {
                    self.state = State::Head(Vec::new());
                }
                Ok(taken)
            }
        }
    }

    /// Enters the box whose head has come, if it is whole.
    fn enter(&mut self, head: Parsed) -> Result<(), HeaderError> {
        let head = match head {
            Parsed::Short => return Ok(()),
            Parsed::Invalid => return Err(HeaderError::NotMp4),
            Parsed::Head(head) => head,
        };
        let sane = head.kind.iter().all(|b| matches!(b, b' '..=b'~' | 0xA9));
        if !sane || (!self.begun && !FIRST.contains(&&head.kind)) {
            return Err(HeaderError::NotMp4);
        }
        self.begun = true;
        let max_bytes = match &head.kind {
            b"moov" => MAX_MOOV_BYTES,
            b"ftyp" | b"moof" | b"sidx" => MAX_OTHER_BYTES,
            _ => return self.skip(head),
        };
        let Some(total) = head.total_bytes else {
            return Err(HeaderError::Malformed(text(head.kind)));
        };
        if total > max_bytes {
            let kind = text(head.kind);
            return Err(HeaderError::TooLarge { kind, claimed_bytes: total, max_bytes });
        }
        let left_bytes = total - head.own_bytes;
        if left_bytes == 0 {
            self.state = State::Head(Vec::new());
            return self.keep(head.kind, &[]);
        }
        self.state = State::Keep { kind: head.kind, left_bytes, body: Vec::new() };
        Ok(())
    }

    fn skip(&mut self, head: Head) -> Result<(), HeaderError> {
        let left_bytes = head.total_bytes.map(|total| total - head.own_bytes);
        if left_bytes.is_none() && self.movie.is_none() {
            // Samples to the end of the file leave no room for a header.
            return Err(HeaderError::NoHeader);
        }
        self.state = match left_bytes {
            Some(0) => State::Head(Vec::new()),
            left_bytes => State::Skip { left_bytes },
        };
        Ok(())
    }

    fn keep(&mut self, kind: Kind, body: &[u8]) -> Result<(), HeaderError> {
        match (&kind, &self.movie) {
            (b"ftyp", _) => self.brands = brands(body),
            (b"moov", None) => {
                let movie = moov::parse(body);
                if movie.video.is_none() {
                    return Err(HeaderError::NoVideoTrack);
                }
                self.movie = Some(movie);
            }
            (b"moof", Some(movie)) => self.told.moof(body, movie),
            (b"sidx", Some(Movie { video: Some(video), .. })) => self.told.sidx(body, video),
            _ => {}
        }
        Ok(())
    }
}

/// Major and compatible brands; the minor version between them is left out.
fn brands(ftyp: &[u8]) -> Vec<String> {
    let mut fields = Fields::new(ftyp);
    let mut found: Vec<String> = fields.kind().map(text).into_iter().collect();
    if fields.skip(4).is_some() {
        while let (Some(brand), true) = (fields.kind(), found.len() < MAX_BRANDS) {
            let brand = text(brand);
            if !found.contains(&brand) {
                found.push(brand);
            }
        }
    }
    found
}
