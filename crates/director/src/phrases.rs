//! Tables of phrases, found by their first letter.

use crate::lexer::Word;

/// Phrases and what they mean, in the order in which they are tried: a phrase that another one
/// starts with comes after it.
pub(crate) struct Phrases<T: 'static> {
    /// By first byte: no ending changes it.
    by_letter: Vec<Vec<Phrase<T>>>,
}

struct Phrase<T: 'static> {
    words: Vec<&'static str>,
    means: &'static T,
}

// === impl Phrases ===

impl<T> Phrases<T> {
    pub(crate) fn new(table: &'static [(&'static str, T)]) -> Self {
        let mut by_letter: Vec<Vec<Phrase<T>>> =
            std::iter::repeat_with(Vec::new).take(256).collect();
        for (phrase, means) in table {
            let words = phrase.split(' ').collect();
            by_letter[letter(phrase)].push(Phrase { words, means });
        }
        Self { by_letter }
    }

    /// The first phrase that `words` start with, and how many of them it takes.
    pub(crate) fn find(
        &self,
        words: &[Word],
        fits: impl Fn(&Word, &str) -> bool,
    ) -> Option<(&'static T, usize)> {
        let phrases = &self.by_letter[letter(&words.first()?.norm)];
        let starts = |phrase: &&Phrase<T>| {
            phrase.words.len() <= words.len()
                && phrase.words.iter().zip(words).all(|(base, word)| fits(word, base))
        };
        phrases.iter().find(starts).map(|phrase| (phrase.means, phrase.words.len()))
    }
}

fn letter(text: &str) -> usize {
    usize::from(text.bytes().next().unwrap_or_default())
}
