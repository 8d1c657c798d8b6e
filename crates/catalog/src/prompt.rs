//! References in a prompt: `@Video1`, `@image_2`, `@ELEMENT3`.

use std::fmt;

/// What a reference names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Video,
    Image,
    Element,
}

/// One reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) kind: Kind,
    /// Counts from 1; 0 and numbers beyond `u32` name nothing.
    pub(crate) n: u32,
}

const WORDS: [(&str, Kind); 3] =
    [("video", Kind::Video), ("image", Kind::Image), ("element", Kind::Element)];

// === impl Kind ===

impl Kind {
    /// What stands between the `@` and the number.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Video => "Video",
            Self::Image => "Image",
            Self::Element => "Element",
        }
    }
}

// === impl Reference ===

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}{}", self.kind.word(), self.n)
    }
}

/// All references, each once, in the order of the text.
///
/// One begins with `@` that does not follow a letter, digit or underscore (so that an e-mail
/// address is none) and ends with digits that no such character follows. Scripts without case
/// do not bind: `@Image1的风格` is a reference.
pub(crate) fn references(text: &str) -> Vec<Reference> {
    let mut out = Vec::new();
    let mut before = None;
    for (at, c) in text.char_indices() {
        if c == '@'
            && !before.is_some_and(binds)
            && let Some(found) = parse(text.get(at + 1..).unwrap_or(""))
            && !out.contains(&found)
        {
            out.push(found);
        }
        before = Some(c);
    }
    out
}

fn parse(rest: &str) -> Option<Reference> {
    let (kind, rest) = WORDS.iter().find_map(|(word, kind)| {
        let head = rest.get(..word.len())?;
        head.eq_ignore_ascii_case(word).then(|| (*kind, rest.get(word.len()..).unwrap_or("")))
    })?;
    let rest = rest.strip_prefix('_').unwrap_or(rest);
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, tail) = rest.split_at(end);
    if digits.is_empty() || tail.chars().next().is_some_and(binds) {
        return None;
    }
    Some(Reference { kind, n: digits.parse().unwrap_or(u32::MAX) })
}

fn binds(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c.is_lowercase() || c.is_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        references(text).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn reads_every_spelling() {
        assert_eq!(
            found("@Video1, (@image_2) @ELEMENT3. @Video_01 @Image1的风格 参考@Image4"),
            ["@Video1", "@Image2", "@Element3", "@Image1", "@Image4"]
        );
        assert_eq!(found("@Image10"), ["@Image10"]);
        assert_eq!(found("@Image0 @Image99999999999"), ["@Image0", "@Image4294967295"]);
    }

    #[test]
    fn leaves_other_words_alone() {
        for text in [
            "me@image1.com",
            "_@Image1",
            "@Image",
            "@Image1st",
            "@Image_x",
            "@Imagé1",
            "@",
            "@vidéo1",
        ] {
            assert!(found(text).is_empty(), "{text}");
        }
    }
}
