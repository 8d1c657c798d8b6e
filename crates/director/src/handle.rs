//! `@Image1`: how a prompt names an input.

use std::fmt;
use std::str::FromStr;

use domain::facts::Role;
use serde::{Deserialize, Serialize};

/// One input by the name that the prompt gives it. Written and serialised as `@Image1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Handle {
    /// What sort of input.
    pub kind: HandleKind,
    /// Which of its sort, from 1.
    pub n: u32,
}

/// The sorts of input that a prompt can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandleKind {
    /// `@VideoN`.
    Video,
    /// `@ImageN`.
    Image,
    /// `@ElementN`.
    Element,
}

/// Why a text is no handle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandleError {
    /// It does not have the form.
    #[error("`{text}` is not of the form `@Video1`, `@Image1` or `@Element1`")]
    Form {
        /// What was given.
        text: String,
    },
}

/// Whether a character makes one word with what stands beside it: an `@` behind it begins no
/// handle, a number before it ends none. Scripts without case do not: `@Image1的风格` has one.
/// The catalogue counts references by the same rule.
pub(crate) fn binds(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c.is_lowercase() || c.is_uppercase()
}

// === impl Handle ===

impl Handle {
    /// `@VideoN`.
    pub const fn video(n: u32) -> Self {
        Self { kind: HandleKind::Video, n }
    }

    /// `@ImageN`.
    pub const fn image(n: u32) -> Self {
        Self { kind: HandleKind::Image, n }
    }

    /// `@ElementN`.
    pub const fn element(n: u32) -> Self {
        Self { kind: HandleKind::Element, n }
    }

    /// The file to look at first: an element's is its frontal view.
    pub const fn role(self) -> Role {
        match self.kind {
            HandleKind::Video => Role::Video { n: self.n },
            HandleKind::Image => Role::Image { n: self.n },
            HandleKind::Element => Role::ElementFrontal { n: self.n },
        }
    }

    /// Reads a handle at the start of `text`, in any case, with or without `_` before the number;
    /// says how many bytes it takes. The number must not be followed by a letter with case, a digit
    /// or `_`.
    pub fn read(text: &str) -> Option<(Self, usize)> {
        let rest = text.strip_prefix('@')?;
        let (kind, name) = [
            (HandleKind::Video, "video"),
            (HandleKind::Image, "image"),
            (HandleKind::Element, "element"),
        ]
        .into_iter()
        .find(|(_, name)| rest.get(..name.len()).is_some_and(|s| s.eq_ignore_ascii_case(name)))?;
        let after = &rest[name.len()..];
        let digits = after.strip_prefix('_').unwrap_or(after);
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        let n = digits[..count].parse().ok()?;
        if digits[count..].starts_with(binds) {
            return None;
        }
        Some((Self { kind, n }, text.len() - digits.len() + count))
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.kind {
            HandleKind::Video => "Video",
            HandleKind::Image => "Image",
            HandleKind::Element => "Element",
        };
        write!(f, "@{name}{}", self.n)
    }
}

impl FromStr for Handle {
    type Err = HandleError;

    fn from_str(text: &str) -> Result<Self, HandleError> {
        match Self::read(text) {
            Some((handle, used)) if used == text.len() => Ok(handle),
            _ => Err(HandleError::Form { text: text.to_owned() }),
        }
    }
}

impl TryFrom<String> for Handle {
    type Error = HandleError;

    fn try_from(text: String) -> Result<Self, HandleError> {
        text.parse()
    }
}

impl From<Handle> for String {
    fn from(handle: Handle) -> Self {
        handle.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_any_case_and_an_underscore() {
        assert_eq!(Handle::read("@IMAGE_2, then"), Some((Handle::image(2), 8)));
        assert_eq!(Handle::read("@element1's"), Some((Handle::element(1), 9)));
        assert_eq!("@Video1".parse(), Ok(Handle::video(1)));
        assert_eq!(Handle::read("@Image4的风格"), Some((Handle::image(4), 7)));
    }

    #[test]
    fn refuses_what_only_looks_like_one() {
        for text in ["@Image", "@Image1st", "@Image_", "@Imagé1", "Image1", "@Image99999999999"] {
            assert_eq!(Handle::read(text), None, "{text}");
        }
    }
}
