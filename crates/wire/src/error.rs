//! Errors: one body, one list of numbers, one HTTP code for each number.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Every error number the API answers with.
///
/// The numbers of the documented classes keep their documented value although the HTTP code
/// differs from their first digits: clients sort by the HTTP code, people search for the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "u32", try_from = "u32")]
pub enum ErrorCode {
    /// 400000: the body or a parameter cannot be read.
    Malformed,
    /// 400001: no such model.
    InvalidResourceIdentifier,
    /// 400002: the budget or balance is used up.
    InsufficientResources,
    /// 400004: the key is missing, unknown, expired or revoked.
    UserAccountError,
    /// 403001: the key lacks the role for this call.
    PermissionDenied,
    /// 404001: no such request, file or path for this owner.
    ResourceNotFound,
    /// 405001: the path exists, the method does not.
    MethodNotAllowed,
    /// 408001: the body did not arrive in time.
    Timeout,
    /// 409001: contradicts what is there, such as an idempotency key with another body.
    Conflict,
    /// 413001: the body is over its limit.
    TooLarge,
    /// 415001: the content type is not one that the call reads.
    UnsupportedMediaType,
    /// 422001: fields are at fault; `detail` lists all of them.
    Validation,
    /// 429001: over a limit of the key, or the server is full.
    RateLimited,
    /// 500001: a fault of the server.
    Internal,
    /// 503001: the server cannot do this now.
    Unavailable,
}

/// The body of every reply that is not 2xx.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The number.
    pub error_code: ErrorCode,
    /// One sentence: what is wrong, what is allowed, what to do.
    pub error_message: String,
    /// The fields at fault, for a 422.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub detail: Vec<Detail>,
}

/// One field at fault, in a 422 and in a failed result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detail {
    /// Where: `["body", "elements", 1, "frontal_image_url"]`.
    pub loc: Vec<Value>,
    /// One sentence: the field, what was found, what is allowed.
    pub msg: String,
    /// The machine-readable kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// Numbers and words of the limit that was broken.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub ctx: Map<String, Value>,
    /// What was sent there, shortened.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub input: Value,
}

/// `error` of a failed result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunError {
    /// A stable word, e.g. `input_invalid`.
    pub code: String,
    /// The class, e.g. `input`.
    #[serde(rename = "type")]
    pub kind: String,
    /// One sentence for people.
    pub message: String,
    /// The fields at fault; empty where no field is.
    #[serde(default)]
    pub detail: Vec<Detail>,
}

/// A number that no error has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownErrorCode(pub u32);

// === impl ErrorCode ===

impl ErrorCode {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Malformed,
        Self::InvalidResourceIdentifier,
        Self::InsufficientResources,
        Self::UserAccountError,
        Self::PermissionDenied,
        Self::ResourceNotFound,
        Self::MethodNotAllowed,
        Self::Timeout,
        Self::Conflict,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::Validation,
        Self::RateLimited,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The number in the body.
    pub const fn number(self) -> u32 {
        match self {
            Self::Malformed => 400_000,
            Self::InvalidResourceIdentifier => 400_001,
            Self::InsufficientResources => 400_002,
            Self::UserAccountError => 400_004,
            Self::PermissionDenied => 403_001,
            Self::ResourceNotFound => 404_001,
            Self::MethodNotAllowed => 405_001,
            Self::Timeout => 408_001,
            Self::Conflict => 409_001,
            Self::TooLarge => 413_001,
            Self::UnsupportedMediaType => 415_001,
            Self::Validation => 422_001,
            Self::RateLimited => 429_001,
            Self::Internal => 500_001,
            Self::Unavailable => 503_001,
        }
    }

    /// The HTTP code of the reply.
    pub const fn http(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::UserAccountError => 401,
            Self::InsufficientResources => 402,
            Self::PermissionDenied => 403,
            Self::InvalidResourceIdentifier | Self::ResourceNotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Timeout => 408,
            Self::Conflict => 409,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::Validation => 422,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    /// The documented class, where the class is documented: it opens the message.
    pub const fn class(self) -> Option<&'static str> {
        match self {
            Self::InvalidResourceIdentifier => Some("InvalidResourceIdentifier"),
            Self::InsufficientResources => Some("InsufficientResources"),
            Self::UserAccountError => Some("UserAccountError"),
            Self::PermissionDenied => Some("PermissionDeniedError"),
            Self::ResourceNotFound => Some("ResourceNotFound"),
            Self::Malformed
            | Self::MethodNotAllowed
            | Self::Timeout
            | Self::Conflict
            | Self::TooLarge
            | Self::UnsupportedMediaType
            | Self::Validation
            | Self::RateLimited
            | Self::Internal
            | Self::Unavailable => None,
        }
    }
}

impl From<ErrorCode> for u32 {
    fn from(code: ErrorCode) -> Self {
        code.number()
    }
}

impl TryFrom<u32> for ErrorCode {
    type Error = UnknownErrorCode;

    fn try_from(number: u32) -> Result<Self, Self::Error> {
        let found = Self::ALL.into_iter().find(|code| code.number() == number);
        found.ok_or(UnknownErrorCode(number))
    }
}

// === impl UnknownErrorCode ===

impl std::fmt::Display for UnknownErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` is not an error code of this API", self.0)
    }
}

impl std::error::Error for UnknownErrorCode {}

// === impl ErrorBody ===

impl ErrorBody {
    /// An error without fields at fault. The documented class, if any, is put in front.
    pub fn new(code: ErrorCode, message: impl AsRef<str>) -> Self {
        let message = message.as_ref();
        let error_message = match code.class() {
            Some(class) => format!("{class}: {message}"),
            None => message.to_owned(),
        };
        Self { error_code: code, error_message, detail: Vec::new() }
    }

    /// A 422. The message is the first fault's, and says how many more there are.
    pub fn validation(detail: Vec<Detail>) -> Self {
        let first = detail.first().map_or("the input is not valid", |fault| fault.msg.as_str());
        let message = match detail.len() {
            0 | 1 => first.to_owned(),
            n => format!("{first} (and {} more, see `detail`)", n - 1),
        };
        Self { error_code: ErrorCode::Validation, error_message: message, detail }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_json_snapshot;
    use serde_json::json;

    fn detail() -> Detail {
        Detail {
            loc: vec![json!("body"), json!("video_url")],
            msg: "video_url: 12.00 s duration, 3 to 10.05 s is required".to_owned(),
            kind: "video_duration_too_long".to_owned(),
            ctx: Map::from_iter([("max_duration".to_owned(), json!(10.05))]),
            input: json!("https://example.com/a.mp4"),
        }
    }

    #[test]
    fn every_number_is_its_own_and_survives_the_round_trip() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::try_from(code.number()), Ok(code));
            assert!((400..600).contains(&code.http()));
        }
        assert_eq!(ErrorCode::try_from(0), Err(UnknownErrorCode(0)));
        assert!(serde_json::from_value::<ErrorCode>(json!(400_005)).is_err());
    }

    #[test]
    fn numbers_and_http_codes_are_the_published_ones() {
        let table: Vec<String> = ErrorCode::ALL
            .iter()
            .map(|code| {
                format!("{} {} {}", code.number(), code.http(), code.class().unwrap_or("-"))
            })
            .collect();
        assert_json_snapshot!(table, @r#"
        [
          "400000 400 -",
          "400001 404 InvalidResourceIdentifier",
          "400002 402 InsufficientResources",
          "400004 401 UserAccountError",
          "403001 403 PermissionDeniedError",
          "404001 404 ResourceNotFound",
          "405001 405 -",
          "408001 408 -",
          "409001 409 -",
          "413001 413 -",
          "415001 415 -",
          "422001 422 -",
          "429001 429 -",
          "500001 500 -",
          "503001 503 -"
        ]
        "#);
    }

    #[test]
    fn an_error_without_fields_has_two_members() {
        let body = ErrorBody::new(ErrorCode::UserAccountError, "missing or invalid bearer token");
        assert_json_snapshot!(body, @r#"
        {
          "error_code": 400004,
          "error_message": "UserAccountError: missing or invalid bearer token"
        }
        "#);
    }

    #[test]
    fn a_422_puts_the_first_fault_in_front_and_lists_all() {
        let mut second = detail();
        second.ctx.clear();
        second.input = Value::Null;
        assert_json_snapshot!(ErrorBody::validation(vec![detail(), second]), @r#"
        {
          "error_code": 422001,
          "error_message": "video_url: 12.00 s duration, 3 to 10.05 s is required (and 1 more, see `detail`)",
          "detail": [
            {
              "loc": [
                "body",
                "video_url"
              ],
              "msg": "video_url: 12.00 s duration, 3 to 10.05 s is required",
              "type": "video_duration_too_long",
              "ctx": {
                "max_duration": 10.05
              },
              "input": "https://example.com/a.mp4"
            },
            {
              "loc": [
                "body",
                "video_url"
              ],
              "msg": "video_url: 12.00 s duration, 3 to 10.05 s is required",
              "type": "video_duration_too_long"
            }
          ]
        }
        "#);
    }
}
