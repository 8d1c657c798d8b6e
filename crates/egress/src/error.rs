//! Why a URL could not be fetched or posted to, in words for whoever named it.
//!
//! Hosts are named; paths, queries and resolved addresses are not.

use std::time::Duration;

use crate::get::MAX_REDIRECTS;

/// Why a fetch, or a POST, failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Not a URL, or one without a host.
    #[error("this is not a URL that can be opened ({0}); give an https URL")]
    BadUrl(String),
    /// Another scheme than https.
    #[error("`{0}` URLs are not opened; give an https URL")]
    Scheme(String),
    /// A user or password in the URL.
    #[error(
        "URLs with a user name or password are not opened; give an https URL without them (that \
         of a file may be pre-signed)"
    )]
    Credentials,
    /// The host's address is not public.
    #[error(
        "`{host}` is not a public address: {purpose}; give a URL that anybody could open, or ask \
         the operator to exempt the host"
    )]
    NotPublic {
        /// The host as the URL names it.
        host: String,
        /// What the address is for.
        purpose: &'static str,
    },
    /// The name has no address.
    #[error("the name `{host}` could not be resolved; check the URL")]
    Unresolved {
        /// The host as the URL names it.
        host: String,
    },
    /// No connection, or one that broke before the answer.
    #[error("`{host}` could not be reached: {reason}")]
    Connect {
        /// The host as the URL names it.
        host: String,
        /// The cause.
        reason: String,
    },
    /// The certificate or the handshake is not in order.
    #[error("no secure connection to `{host}`: {reason}")]
    Tls {
        /// The host as the URL names it.
        host: String,
        /// The cause.
        reason: String,
    },
    /// An answer to a GET that is not the file.
    #[error("`{host}` answered HTTP {status}{}", hint(*.status))]
    Status {
        /// The host as the URL names it.
        host: String,
        /// The HTTP status.
        status: u16,
        /// How long the host asks to wait.
        retry_after: Option<Duration>,
    },
    /// More hops than are followed.
    #[error("the URL redirects more than {MAX_REDIRECTS} times; give the final URL")]
    TooManyRedirects,
    /// A hop that is not followed.
    #[error("`{from}` redirects to a place that is not fetched: {cause}")]
    Redirect {
        /// The host that redirects.
        from: String,
        /// What is wrong with where it leads.
        cause: Box<FetchError>,
    },
    /// More bytes than are allowed.
    #[error("{}, at most {} are allowed", found(*.announced), bytes(*.max_bytes))]
    TooLarge {
        /// The limit.
        max_bytes: u64,
        /// The size that the host announced, if it was that which broke the limit.
        announced: Option<u64>,
    },
    /// The time was up.
    #[error("`{host}` took too long")]
    Timeout {
        /// The host as the URL names it.
        host: String,
    },
    /// The body ended early.
    #[error("`{host}` closed the connection before the file was whole ({received} bytes came)")]
    Truncated {
        /// The host as the URL names it.
        host: String,
        /// Bytes of the body that came.
        received: u64,
    },
    /// A compressed answer, although none was asked for.
    #[error("`{host}` sent content-encoding `{encoding}`; the file has to be served as it is")]
    Encoded {
        /// The host as the URL names it.
        host: String,
        /// The encoding.
        encoding: String,
    },
    /// Not HTTP, or broken HTTP.
    #[error("`{host}` did not answer in proper HTTP: {reason}")]
    Garbled {
        /// The host as the URL names it.
        host: String,
        /// The cause.
        reason: String,
    },
    /// This machine is out of sockets or memory: no fault of the URL.
    #[error("this server cannot open connections now: {0}")]
    Exhausted(String),
}

/// Why a client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// TLS refuses its configuration.
    #[error("TLS could not be set up: {0}")]
    Tls(#[from] rustls::Error),
}

// === impl FetchError ===

impl FetchError {
    /// Whether the same request may well succeed a moment later.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Unresolved { .. } | Self::Connect { .. } | Self::Exhausted(_) => true,
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500..=599),
            _ => false,
        }
    }

    /// Whether the cause lies with this server, not with the URL.
    pub const fn is_local(&self) -> bool {
        matches!(self, Self::Exhausted(_))
    }

    /// The HTTP status that ended the fetch, if one did.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }
}

const fn hint(status: u16) -> &'static str {
    match status {
        401 | 403 => {
            "; a pre-signed URL may have expired or may be signed for another method than GET"
        }
        404 | 410 => "; there is no file at this URL",
        408 | 429 | 500..=599 => "; try again later or host the file elsewhere",
        _ => "",
    }
}

fn found(announced: Option<u64>) -> String {
    announced.map_or_else(
        || "the file is too large".to_owned(),
        |size| format!("the file has {}", bytes(size)),
    )
}

/// Bytes as people read them: `10.0 MiB (10485760 bytes)`.
fn bytes(count: u64) -> String {
    const MIB: f64 = 1_048_576.0;
    if count < 1_048_576 {
        return format!("{count} bytes");
    }
    format!("{:.1} MiB ({count} bytes)", count as f64 / MIB)
}
