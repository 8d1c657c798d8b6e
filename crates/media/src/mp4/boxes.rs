//! Boxes and their fields: a cursor that cannot leave its slice.

/// A box's name.
pub(super) type Kind = [u8; 4];

/// The head of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: Kind,
    /// Bytes of the head itself: 8 or 16.
    pub(super) own_bytes: u64,
    /// Bytes of the whole box; `None` means: to the end of the file.
    pub(super) total_bytes: Option<u64>,
}

/// What the first bytes of a box say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parsed {
    /// More bytes are needed.
    Short,
    /// The size is smaller than the head.
    Invalid,
    Head(Head),
}

/// Big-endian fields, read one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(&'a [u8]);

/// Boxes within a box. Ends at the first one that does not fit.
pub(super) struct Children<'a>(&'a [u8]);

/// A name as text, for messages.
pub(super) fn text(kind: Kind) -> String {
    kind.iter()
        .map(|&byte| if matches!(byte, b' '..=b'~') { char::from(byte) } else { '?' })
        .collect()
}

/// The first child of a name.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "names are written as byte strings")]
pub(super) fn child<'a>(body: &'a [u8], kind: &Kind) -> Option<&'a [u8]> {
    Children::of(body).find(|(found, _)| found == kind).map(|(_, body)| body)
}

/// The body at the end of a path of names.
pub(super) fn descend<'a>(body: &'a [u8], path: &[&Kind]) -> Option<&'a [u8]> {
    path.iter().try_fold(body, |body, kind| child(body, kind))
}

// === impl Head ===

impl Head {
    /// Reads a head from the first bytes of a box (ISO/IEC 14496-12, 4.2).
    pub(super) fn parse(bytes: &[u8]) -> Parsed {
        let mut fields = Fields::new(bytes);
        let (Some(size), Some(kind)) = (fields.u32(), fields.kind()) else { return Parsed::Short };
        match size {
            0 => Parsed::Head(Self { kind, own_bytes: 8, total_bytes: None }),
            1 => match fields.u64() {
                None => Parsed::Short,
                Some(large @ 16..) => {
                    Parsed::Head(Self { kind, own_bytes: 16, total_bytes: Some(large) })
                }
                Some(_) => Parsed::Invalid,
            },
            8.. => Parsed::Head(Self { kind, own_bytes: 8, total_bytes: Some(size.into()) }),
            _ => Parsed::Invalid,
        }
    }
}

// === impl Fields ===

impl<'a> Fields<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Version and flags of a full box, and its fields.
    pub(super) fn full(body: &'a [u8]) -> Option<(u8, u32, Self)> {
        let mut fields = Self(body);
        let word = fields.u32()?;
        Some(((word >> 24) as u8, word & 0x00FF_FFFF, fields))
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn skip(&mut self, bytes: usize) -> Option<()> {
        self.0 = self.0.get(bytes..)?;
        Some(())
    }

    pub(super) fn kind(&mut self) -> Option<Kind> {
        self.array()
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// A time or length: 64 bits in version 1, else 32.
    pub(super) fn long(&mut self, version: u8) -> Option<u64> {
        if version == 1 { self.u64() } else { self.u32().map(u64::from) }
    }

    /// What has not been read.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.0
    }
}

// === impl Children ===

impl<'a> Children<'a> {
    pub(super) const fn of(body: &'a [u8]) -> Self {
        Self(body)
    }
}

impl<'a> Iterator for Children<'a> {
    type Item = (Kind, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let Parsed::Head(head) = Head::parse(self.0) else { return None };
        let total = match head.total_bytes {
            None => self.0.len(),
            Some(bytes) => usize::try_from(bytes).ok()?,
        };
        let body = self.0.get(head.own_bytes as usize..total)?;
        self.0 = self.0.get(total..)?;
        Some((head.kind, body))
    }
}
