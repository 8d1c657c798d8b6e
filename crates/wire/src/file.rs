//! Uploads.

use serde::{Deserialize, Serialize};

/// The reply to an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileUploaded {
    /// Absolute; good as an input of the same owner.
    pub url: String,
    /// Size.
    pub bytes: u64,
    /// As sniffed, not as claimed.
    pub content_type: String,
    /// When it is dropped; null where nothing is.
    pub expires_at: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_json_snapshot;

    #[test]
    fn an_upload_answers_with_its_url() {
        let body = FileUploaded {
            url: "https://h/files/t/a.png".to_owned(),
            bytes: 12,
            content_type: "image/png".to_owned(),
            expires_at: Some("2026-11-29T05:43:01.123456+00:00".to_owned()),
        };
        assert_json_snapshot!(body, @r#"
        {
          "url": "https://h/files/t/a.png",
          "bytes": 12,
          "content_type": "image/png",
          "expires_at": "2026-11-29T05:43:01.123456+00:00"
        }
        "#);
    }
}
