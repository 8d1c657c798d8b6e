//! Traces: whether spans are recorded, and where they go.
//!
//! The variables of OpenTelemetry say so. A build without the feature `otlp` sends none, and says
//! so to whoever set them.

use telemetry::spans::Spans;

#[cfg(feature = "otlp")]
mod otlp;

/// Where the collector is. The first one is for traces alone, and a whole URL.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// What this process does with its spans.
pub(crate) struct Traces {
    #[cfg(feature = "otlp")]
    export: Option<otlp::Export>,
}

/// A variable that is not empty.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The variable that names a collector, and what it says; none if nothing is to be sent.
fn endpoint() -> Option<(&'static str, String)> {
    let off = variable("OTEL_SDK_DISABLED").is_some_and(|word| word.eq_ignore_ascii_case("true"))
        || variable("OTEL_TRACES_EXPORTER").is_some_and(|word| word == "none");
    if off {
        return None;
    }
    ENDPOINTS.into_iter().find_map(|name| Some((name, variable(name)?)))
}

// === impl Traces ===

#[cfg(feature = "otlp")]
impl Traces {
    /// Reads the variables.
    pub(crate) fn set_up() -> anyhow::Result<Self> {
        let set_up = |(name, url): (&str, String)| otlp::Export::to(name, &url);
        Ok(Self { export: endpoint().map(set_up).transpose()? })
    }

    /// Where spans go.
    pub(crate) fn spans(&self) -> Spans {
        self.export.as_ref().map(otlp::Export::spans).unwrap_or_default()
    }

    /// Sends what has not been sent, if that takes no longer than a few seconds.
    pub(crate) fn end(self) {
        if let Some(export) = self.export {
            export.end();
        }
    }
}

#[cfg(not(feature = "otlp"))]
impl Traces {
    /// Tells whoever wants traces that there are none.
    #[expect(clippy::unnecessary_wraps, reason = "with the feature, this can fail")]
    pub(crate) fn set_up() -> anyhow::Result<Self> {
        if let Some((name, _)) = endpoint() {
            tracing::warn!(
                "`{name}` is set, but this build sends no traces: build it with \
                 `cargo build --release --locked -p reshoot --features otlp`"
            );
        }
        Ok(Self {})
    }

    /// Nowhere.
    #[expect(clippy::unused_self, reason = "with the feature, it is used")]
    pub(crate) fn spans(&self) -> Spans {
        Spans::default()
    }

    /// There is nothing to send.
    #[expect(clippy::unused_self, reason = "with the feature, it is used")]
    pub(crate) fn end(self) {}
}
