//! Words for messages: what was found, in terms that people search for.

use serde_json::Value;

/// A value by its JSON type, with its article.
pub(crate) const fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Words in backticks: `` `a`, `b` ``.
pub(crate) fn ticked(words: &[String]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// The words of an enum: text bare, anything else as JSON.
pub(crate) fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A number with up to two decimals; with more where two would make it look like `limit`.
pub(crate) fn number(value: f64, limit: f64) -> String {
    let mut text = rounded(value, 2);
    for decimals in 3..=6 {
        if value == limit || text != rounded(limit, decimals - 1) {
            break;
        }
        text = rounded(value, decimals);
    }
    text
}

fn rounded(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A count of bytes in MiB.
pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", rounded(bytes as f64 / 1_048_576.0, 1))
}

/// "1 image", "2 images".
pub(crate) fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_never_look_like_the_limit_that_they_break() {
        assert_eq!(number(12.0, 10.05), "12");
        assert_eq!(number(10.0504, 10.05), "10.0504");
        assert_eq!(number(23.976, 24.0), "23.98");
        assert_eq!(number(0.3984, 0.4), "0.398");
        assert_eq!(number(3.0, 3.0), "3");
        assert_eq!(mebibytes(10_485_760), "10 MiB");
    }
}
