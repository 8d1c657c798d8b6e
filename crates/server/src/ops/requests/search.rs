//! A list that is narrowed by words.
//!
//! No index knows the words of a prompt, so rows are read and looked at, newest first. That is
//! bounded: one call looks at [`MOST_LOOKED_AT`] requests that the other filters let through, in
//! steps between which other calls get their turn, and at no more, however few are found. A page
//! may therefore be short, or empty, and still not be the last; its cursor goes on behind the last
//! request that was looked at.

use catalog::Catalog;
use domain::RequestId;
use store::{Listing, RequestRow, Store, StoreError};

use crate::params::BadParam;
use crate::render;

/// Requests that one call looks at, at most.
const MOST_LOOKED_AT: u32 = STEP * 10;
/// Requests that are read at a time.
const STEP: u32 = 100;
/// Longest text of words. Each word is looked for in each request.
const MAX_CHARS: usize = 128;

/// Words that all have to be in a request's id, model id or prompt, in any case.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words(Vec<String>);

/// What a search found, and behind which request it goes on, if there is more to look at.
pub(super) type Found = (Vec<RequestRow>, Option<RequestId>);

// === impl Words ===

impl Words {
    /// `None` where there is no word.
    pub(super) fn of(text: &str) -> Result<Option<Self>, BadParam> {
        if text.chars().count() > MAX_CHARS {
            return Err(BadParam::new(
                "search",
                text,
                format!("a text of at most {MAX_CHARS} characters"),
            ));
        }
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        Ok((!words.is_empty()).then_some(Self(words)))
    }

    /// Whether all of them are there; `prompt` is not where the model is gone.
    fn are_in(&self, row: &RequestRow, prompt: Option<&str>) -> bool {
        let text = format!("{}\n{}\n{}", row.id, row.model, prompt.unwrap_or_default());
        let text = text.to_lowercase();
        self.0.iter().all(|word| text.contains(word))
    }

    /// One page of a list, of those that have all of the words.
    pub(super) async fn find(
        &self,
        store: &dyn Store,
        catalog: &Catalog,
        listing: &Listing,
    ) -> Result<Found, StoreError> {
        let (mut found, mut last, mut before) = (Vec::new(), None, listing.before);
        for _ in 0..MOST_LOOKED_AT / STEP {
            let step = Listing { before, limit: STEP, ..listing.clone() };
            let page = store.list(step).await?;
            before = page.next;
            let mut rows = page.rows.into_iter().peekable();
            while let Some(row) = rows.next() {
                last = Some(row.id.clone());
                if self.are_in(&row, render::prompt(catalog, &row)) {
                    found.push(row);
                }
                if found.len() >= listing.limit as usize {
                    let more = rows.peek().is_some() || before.is_some();
                    return Ok((found, last.filter(|_| more)));
                }
            }
            if before.is_none() {
                return Ok((found, None));
            }
            tokio::task::yield_now().await;
        }
        Ok((found, last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_parted_by_space_and_bounded() {
        let words = |text: &str| Words::of(text).unwrap().map(|words| words.0);
        assert_eq!(words(" Été\tRain "), Some(vec!["été".to_owned(), "rain".to_owned()]));
        assert_eq!(words("  "), None);
        assert!(Words::of(&"ä".repeat(MAX_CHARS)).is_ok());
        let error = Words::of(&"ä".repeat(MAX_CHARS + 1)).unwrap_err().to_string();
        assert!(error.ends_with("a text of at most 128 characters is required"), "{error}");
    }
}
