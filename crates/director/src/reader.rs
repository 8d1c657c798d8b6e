//! What has been read so far: which words are taken, and for what.

use std::ops::Range;

use crate::brief::Brief;
use crate::clauses::{self, Clause};
use crate::handle::{Handle, HandleKind};
use crate::lexer::{self, Word};
use crate::plan::{DEFAULT_STRENGTH, Kept, MentionRole, Words};
use crate::want::{Target, Want, When};

/// The state that all rules share. A rule takes words; no word is taken twice.
pub(crate) struct Reader<'a> {
    pub(crate) brief: &'a Brief,
    pub(crate) words: Vec<Word>,
    pub(crate) clauses: Vec<Clause>,
    pub(crate) taken: Vec<bool>,
    pub(crate) drafts: Vec<Draft>,
    pub(crate) keeps: Vec<KeepDraft>,
    pub(crate) mentions: Vec<MentionDraft>,
}

/// A wish whose span may still grow.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) want: Want,
    pub(crate) words: Range<usize>,
    pub(crate) clause: usize,
    pub(crate) confidence: f64,
    pub(crate) strength: f64,
    pub(crate) on: Target,
    pub(crate) when: Option<When>,
}

/// A keep, by its words.
#[derive(Debug, Clone)]
pub(crate) struct KeepDraft {
    pub(crate) what: Kept,
    pub(crate) words: Range<usize>,
    pub(crate) confidence: f64,
}

/// A reference, by its word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MentionDraft {
    pub(crate) handle: Handle,
    pub(crate) at: usize,
    pub(crate) clause: usize,
    pub(crate) exists: bool,
    pub(crate) role: Option<MentionRole>,
}

// === impl Reader ===

impl<'a> Reader<'a> {
    pub(crate) fn new(brief: &'a Brief) -> Self {
        let words = lexer::lex(&brief.prompt);
        let clauses = clauses::split(&words);
        let mut mentions = Vec::new();
        for (clause, range) in clauses.iter().map(|clause| clause.words.clone()).enumerate() {
            for at in range {
                if let Some(handle) = words[at].handle() {
                    let exists = exists(brief, handle);
                    mentions.push(MentionDraft { handle, at, clause, exists, role: None });
                }
            }
        }
        let taken = words.iter().map(|word| word.handle().is_some()).collect();
        Self { brief, words, clauses, taken, drafts: Vec::new(), keeps: Vec::new(), mentions }
    }

    /// Wishes `want` because of `words`, which are taken.
    pub(crate) fn wish(&mut self, want: Want, words: Range<usize>, clause: usize, confidence: f64) {
        self.take(words.clone());
        self.drafts.push(Draft {
            want,
            words,
            clause,
            confidence,
            strength: DEFAULT_STRENGTH,
            on: Target::Frame,
            when: None,
        });
    }

    /// Keeps `what` because of `words`, which are taken.
    pub(crate) fn keep(&mut self, what: Kept, words: Range<usize>, confidence: f64) {
        self.take(words.clone());
        self.keeps.push(KeepDraft { what, words, confidence });
    }

    pub(crate) fn take(&mut self, words: Range<usize>) {
        self.taken[words].fill(true);
    }

    /// The prompt from the first to the last of `words`.
    pub(crate) fn text(&self, words: Range<usize>) -> &'a str {
        let span = self.span(&words);
        &self.brief.prompt[span]
    }

    /// Where `words` stand, in bytes.
    pub(crate) fn span(&self, words: &Range<usize>) -> Range<usize> {
        match self.words.get(words.clone()) {
            Some([first, .., last]) => first.start..last.end,
            Some([only]) => only.start..only.end,
            _ => 0..0,
        }
    }

    /// `words`, as the plan shows them.
    pub(crate) fn said(&self, words: &Range<usize>) -> Words {
        let span = self.span(words);
        cut(&self.brief.prompt, span)
    }

    /// Whether no word of `range` is taken.
    pub(crate) fn free(&self, range: Range<usize>) -> bool {
        self.taken[range].iter().all(|taken| !taken)
    }
}

/// The bytes `span` of `prompt`, which lie on the boundaries of characters.
pub(crate) fn cut(prompt: &str, span: Range<usize>) -> Words {
    Words { text: prompt[span.clone()].to_owned(), start: span.start, end: span.end }
}

fn exists(brief: &Brief, handle: Handle) -> bool {
    let count = match handle.kind {
        HandleKind::Video => brief.videos,
        HandleKind::Image => brief.images,
        HandleKind::Element => brief.elements,
    };
    (1..=count).contains(&handle.n)
}
