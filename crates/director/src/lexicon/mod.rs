//! Phrases and what they mean, by theme.
//!
//! Phrases are in lower case and American spelling; regular endings of each word are understood,
//! hyphens count as spaces. Where two phrases start at a word, the longer one wins.

pub(crate) mod aspects;
mod camera;
mod grade;
mod light;
mod medium;
mod mood;
mod sound;
mod task;
mod time;
pub(crate) mod words;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::lexer::Word;
use crate::want::Want;

/// One phrase: its words, what it means, how surely.
pub(crate) type Entry = (&'static str, Want, f64);

/// An entry with its words apart.
pub(crate) struct Phrase {
    words: Vec<&'static str>,
    pub(crate) want: &'static Want,
    pub(crate) confidence: f64,
}

type Index = HashMap<[u8; 2], Vec<Phrase>>;

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let tables = [
        task::ENTRIES,
        camera::ENTRIES,
        time::ENTRIES,
        mood::ENTRIES,
        medium::ENTRIES,
        grade::ENTRIES,
        light::ENTRIES,
        sound::ENTRIES,
    ];
    let mut index = Index::new();
    for (phrase, want, confidence) in tables.into_iter().flatten() {
        let words: Vec<_> = phrase.split(' ').collect();
        let key = key(words[0]);
        index.entry(key).or_default().push(Phrase { words, want, confidence: *confidence });
    }
    for phrases in index.values_mut() {
        phrases.sort_by_key(|phrase| std::cmp::Reverse(phrase.words.len()));
    }
    index
});

/// The first two bytes: endings never change them.
fn key(norm: &str) -> [u8; 2] {
    let mut bytes = norm.bytes();
    [bytes.next().unwrap_or_default(), bytes.next().unwrap_or_default()]
}

/// The longest phrase that `words` start with, and how many words it takes. Exact words win over
/// inflected ones of the same length; one adverb in `-ly` may stand inside (`camera slowly pans`).
pub(crate) fn longest(words: &[Word]) -> Option<(&'static Phrase, usize)> {
    let first = words.first().filter(|word| word.handle().is_none())?;
    let mut found: Option<(&Phrase, usize)> = None;
    for phrase in INDEX.get(&key(&first.norm))? {
        if found.is_some_and(|(best, _)| best.words.len() > phrase.words.len()) {
            break;
        }
        let exact = first.norm == phrase.words[0];
        if found.is_some() && !exact {
            continue;
        }
        if let Some(used) = phrase.used(words) {
            found = Some((phrase, used));
            if exact {
                break;
            }
        }
    }
    found
}

// === impl Phrase ===

impl Phrase {
    /// How many of `words` it takes, from the first on.
    fn used(&self, words: &[Word]) -> Option<usize> {
        let mut at = 0;
        for (nth, base) in self.words.iter().enumerate() {
            let fits = |word: &Word| word.norm == *base || word.is(base);
            let word = words.get(at)?;
            if nth > 0 && !fits(word) && word.norm.ends_with("ly") {
                at += 1;
            }
            if !words.get(at).is_some_and(fits) {
                return None;
            }
            at += 1;
        }
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::lex;

    #[test]
    fn finds_every_phrase_by_its_own_words() {
        for phrase in INDEX.values().flatten() {
            let words = lex(&phrase.words.join(" "));
            let found = longest(&words).map(|(found, used)| (found.want, used));
            let expected = Some((phrase.want, phrase.words.len()));
            assert_eq!(found, expected, "`{}` has two meanings", phrase.words.join(" "));
        }
    }

    #[test]
    fn says_confidence_in_range() {
        assert!(INDEX.values().flatten().all(|phrase| (0.0..=1.0).contains(&phrase.confidence)));
    }
}
