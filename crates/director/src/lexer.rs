//! Words, numbers, ratios and handles, each with its place in the prompt.
//!
//! Punctuation is kept apart as a break before the next word, so that rules see words only;
//! hyphens join nothing and break nothing: `slow-motion` is two words of one phrase.

use crate::handle::{Handle, binds};

/// One word of the prompt.
#[derive(Debug, Clone)]
pub(crate) struct Word {
    /// Lower case, American spelling, without a possessive ending.
    pub(crate) norm: String,
    /// Byte span in the prompt.
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) kind: WordKind,
    /// Whether it ended in `'s`.
    pub(crate) possessive: bool,
    /// What stands between the previous word and this one.
    pub(crate) gap: Gap,
}

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum WordKind {
    Plain,
    Number(f64, Unit),
    Ratio(f64, f64),
    Handle(Handle),
    /// The `2)` of a numbered list.
    Marker,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    None,
    Times,
    Percent,
    Secs,
}

/// How strongly punctuation separates two words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gap {
    None,
    Comma,
    Stop,
}

// === impl Word ===

impl Word {
    /// Whether it is `base` or an inflected form of it.
    pub(crate) fn is(&self, base: &str) -> bool {
        self.kind == WordKind::Plain && inflects(&self.norm, base)
    }

    /// Whether it is one of `bases`, uninflected.
    pub(crate) fn any(&self, bases: &[&str]) -> bool {
        self.kind == WordKind::Plain && bases.contains(&self.norm.as_str())
    }

    /// Whether it is one of `bases` or an inflected form of one.
    pub(crate) fn any_form(&self, bases: &[&str]) -> bool {
        bases.iter().any(|base| self.is(base))
    }

    pub(crate) fn handle(&self) -> Option<Handle> {
        match self.kind {
            WordKind::Handle(handle) => Some(handle),
            _ => None,
        }
    }
}

/// Whether both start with the same letter: no ending changes it, and it rules most out at once.
pub(crate) fn alike(norm: &str, base: &str) -> bool {
    norm.as_bytes().first() == base.as_bytes().first()
}

/// Whether `norm` is `base` with one of the regular endings of English.
pub(crate) fn inflects(norm: &str, base: &str) -> bool {
    if !alike(norm, base) {
        return false;
    }
    if norm == base {
        return true;
    }
    if base.len() < 3 || norm.len() < base.len() {
        return false;
    }
    if let Some(rest) = norm.strip_prefix(base) {
        let doubled = base.chars().last().and_then(|last| rest.strip_prefix(last));
        return matches!(rest, "s" | "es" | "ing" | "ed" | "d")
            || matches!(doubled, Some("ing" | "ed"));
    }
    if let Some(stem) = base.strip_suffix('e') {
        return norm.strip_prefix(stem) == Some("ing");
    }
    base.strip_suffix('y')
        .is_some_and(|stem| matches!(norm.strip_prefix(stem), Some("ies" | "ied")))
}

/// Splits `prompt` into words.
pub(crate) fn lex(prompt: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::with_capacity(prompt.len() / 5);
    let mut gap = Gap::None;
    let mut at = 0;
    let mut before = ' ';
    while let Some(c) = prompt[at..].chars().next() {
        let rest = &prompt[at..];
        let taken = if c == '@' && !binds(before) {
            Handle::read(rest).map(|(handle, used)| (WordKind::Handle(handle), used))
        } else if c.is_ascii_digit() && !is_inner(before) {
            Some(read_number(rest))
        } else if is_inner(c) {
            Some((WordKind::Plain, word_len(rest)))
        } else {
            None
        };
        let used = if let Some((mut kind, used)) = taken {
            let tail = &prompt[at + used..];
            if before.is_whitespace() && is_marker(kind, tail) {
                (kind, gap) = (WordKind::Marker, Gap::Stop);
            }
            words.push(word(prompt, at, used, kind, gap));
            gap = Gap::None;
            // "w/ rain" is "with rain".
            let short = tail.starts_with('/') && words.last_mut().is_some_and(spell_out);
            used + usize::from(short)
        } else {
            gap = gap.max(gap_of(c));
            c.len_utf8()
        };
        before = prompt[at..at + used].chars().next_back().unwrap_or(' ');
        at += used;
    }
    words
}

/// Whether a number before `tail` counts the items of a list.
fn is_marker(kind: WordKind, tail: &str) -> bool {
    matches!(kind, WordKind::Number(_, Unit::None))
        && tail.strip_prefix(')').is_some_and(|rest| rest.starts_with(char::is_whitespace))
}

fn spell_out(word: &mut Word) -> bool {
    let short = word.norm == "w";
    if short {
        "with".clone_into(&mut word.norm);
        word.end += 1;
    }
    short
}

fn is_inner(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn gap_of(c: char) -> Gap {
    match c {
        '.' | '!' | '?' | ';' | '\n' | '。' | '！' | '？' | '；' => Gap::Stop,
        ',' | ':' | '(' | ')' | '[' | ']' | '—' | '–' | '/' | '|' | '、' | '，' | '•' | '"'
        | '“' | '”' => Gap::Comma,
        _ => Gap::None,
    }
}

fn word_len(rest: &str) -> usize {
    let mut end = 0;
    let mut chars = rest.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let apostrophe =
            matches!(c, '\'' | '’') && chars.peek().is_some_and(|(_, next)| next.is_alphabetic());
        if !is_inner(c) && !apostrophe {
            break;
        }
        end = at + c.len_utf8();
    }
    end
}

fn read_number(rest: &str) -> (WordKind, usize) {
    let len = number_len(rest);
    let value = rest[..len].parse().unwrap_or(0.0);
    let after = &rest[len..];
    if let Some(second) =
        after.strip_prefix(':').filter(|s| s.starts_with(|c: char| c.is_ascii_digit()))
    {
        let more = number_len(second);
        let other = second[..more].parse().unwrap_or(0.0);
        return (WordKind::Ratio(value, other), len + 1 + more);
    }
    let tail = word_len(after);
    match after[..tail].to_ascii_lowercase().as_str() {
        "" if after.starts_with('%') => (WordKind::Number(value, Unit::Percent), len + 1),
        "" => (WordKind::Number(value, Unit::None), len),
        "x" => (WordKind::Number(value, Unit::Times), len + tail),
        // "The 90s" are years; nobody asks for a clip of 90 s that way.
        "s" if value >= 40.0 && value % 10.0 == 0.0 => (WordKind::Plain, len + tail),
        "s" | "sec" | "secs" => (WordKind::Number(value, Unit::Secs), len + tail),
        _ => (WordKind::Plain, len + tail),
    }
}

fn number_len(rest: &str) -> usize {
    let whole = rest.bytes().take_while(u8::is_ascii_digit).count();
    let Some(fraction) = rest[whole..].strip_prefix('.') else { return whole };
    match fraction.bytes().take_while(u8::is_ascii_digit).count() {
        0 => whole,
        digits => whole + 1 + digits,
    }
}

fn word(prompt: &str, start: usize, used: usize, kind: WordKind, gap: Gap) -> Word {
    let end = start + used;
    let mut norm = prompt[start..end].to_lowercase();
    if norm.contains('’') {
        norm = norm.replace('’', "'");
    }
    let mut possessive = false;
    if let Some(owner) = norm.strip_suffix("'s") {
        possessive = true;
        norm.truncate(owner.len());
    }
    if matches!(kind, WordKind::Handle(_)) {
        let tail = &prompt[end..];
        possessive = tail.starts_with("'s") || tail.starts_with("’s");
    }
    Word { norm: american(norm), start, end, kind, possessive, gap }
}

/// British spellings to the ones that the lexicon has.
fn american(norm: String) -> String {
    const PAIRS: [(&str, &str); 8] = [
        ("colour", "color"),
        ("grey", "gray"),
        ("centre", "center"),
        ("stabilis", "stabiliz"),
        ("stylis", "styliz"),
        ("vapour", "vapor"),
        ("mould", "mold"),
        ("theatre", "theater"),
    ];
    for (british, american) in PAIRS {
        if norm.contains(british) {
            return norm.replace(british, american);
        }
    }
    norm
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_regular_endings() {
        for (norm, base) in [
            ("pans", "pan"),
            ("panning", "pan"),
            ("flies", "fly"),
            ("moving", "move"),
            ("added", "add"),
        ] {
            assert!(inflects(norm, base), "{norm} {base}");
        }
        for (norm, base) in [("panther", "pan"), ("is", "i"), ("dusty", "dust")] {
            assert!(!inflects(norm, base), "{norm} {base}");
        }
    }

    #[test]
    fn reads_handles_numbers_and_ratios() {
        let kinds: Vec<_> = lex("a@Image1 参考@Image3的 @IMAGE_2's 0.5x 200% 16:9 5-second 16mm")
            .into_iter()
            .map(|word| (word.kind, word.possessive))
            .collect();
        assert_eq!(
            kinds,
            [
                (WordKind::Plain, false),
                (WordKind::Plain, false),
                (WordKind::Plain, false),
                (WordKind::Handle(Handle::image(3)), false),
                (WordKind::Plain, false),
                (WordKind::Handle(Handle::image(2)), true),
                (WordKind::Plain, false),
                (WordKind::Number(0.5, Unit::Times), false),
                (WordKind::Number(200.0, Unit::Percent), false),
                (WordKind::Ratio(16.0, 9.0), false),
                (WordKind::Number(5.0, Unit::None), false),
                (WordKind::Plain, false),
                (WordKind::Plain, false),
            ]
        );
    }
}
