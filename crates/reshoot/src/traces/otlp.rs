//! Spans by OTLP: protobuf over HTTP, to the collector that the operator named.
//!
//! Ended spans wait in a bounded queue for a thread of the SDK's own, which sends them in batches.
//! That thread is the only one that ever waits for the collector: where the queue is full, spans
//! are dropped.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{Span as _, SpanKind, Status, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span};
use telemetry::spans::{Kind, Recording, Spans, Start, Tracer, Value};
use url::Url;

use crate::exit::{CONFIG, Coded};
use crate::traces::variable;

mod post;

use post::Post;

/// How long the spans that are left at the end may take.
const END_LIMIT: Duration = Duration::from_secs(3);

const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const SAMPLER_ARG: &str = "OTEL_TRACES_SAMPLER_ARG";

/// The export of this process.
pub(crate) struct Export {
    provider: SdkTracerProvider,
}

/// Makes the SDK's spans.
struct Sdk {
    tracer: SdkTracer,
    propagator: TraceContextPropagator,
}

/// One of them.
struct Open(Span);

/// The only header of a call that is looked at here.
struct Traceparent<'a>(&'a str);

// === impl Export ===

impl Export {
    /// An export to the collector at `url`, which stands in the variable `name`. The SDK reads
    /// this variable and the others itself; here is checked what it would not complain of.
    pub(crate) fn to(name: &str, url: &str) -> anyhow::Result<Self> {
        let wrong = |what: String| anyhow::Error::new(Coded::new(CONFIG, what));
        let collector = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let collector = collector.ok_or_else(|| {
            wrong(format!("`{name}` is `{url}`, not a URL such as `http://127.0.0.1:4318`"))
        })?;
        for name in ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"] {
            if let Some(other) = variable(name).filter(|protocol| protocol != "http/protobuf") {
                let only = "this server speaks `http/protobuf` alone";
                return Err(wrong(format!("`{name}` is `{other}`; {only}")));
            }
        }
        check_sampler(variable(SAMPLER).as_deref(), variable(SAMPLER_ARG).as_deref())
            .map_err(wrong)?;
        let post = Post::to(&collector)?;
        let exporter = SpanExporter::builder().with_http().with_http_client(post).build();
        let exporter = exporter.context("no traces can be sent")?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource())
            .build();
        Ok(Self { provider })
    }

    /// Spans that are sent.
    pub(crate) fn spans(&self) -> Spans {
        let (tracer, propagator) = (self.provider.tracer("reshoot"), TraceContextPropagator::new());
        Spans::to(Arc::new(Sdk { tracer, propagator }))
    }

    /// Sends what is left, as far as the collector takes it in time.
    pub(crate) fn end(self) {
        if let Err(error) = self.provider.shutdown_with_timeout(END_LIMIT) {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

/// Who sends: `reshoot` and its version, unless the variables say otherwise.
fn resource() -> Resource {
    let own = [
        KeyValue::new("service.name", "reshoot"),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
    ];
    let resource = Resource::builder_empty()
        .with_attributes(own)
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_detector(Box::new(EnvResourceDetector::new()));
    match variable("OTEL_SERVICE_NAME") {
        Some(name) => resource.with_service_name(name).build(),
        None => resource.build(),
    }
}

/// The SDK takes a sampler that it does not know for one that takes all.
fn check_sampler(sampler: Option<&str>, arg: Option<&str>) -> Result<(), String> {
    match sampler {
        None
        | Some("always_on" | "always_off" | "parentbased_always_on" | "parentbased_always_off") => {
            Ok(())
        }
        Some("traceidratio" | "parentbased_traceidratio") => {
            let ratio = arg.and_then(|arg| arg.parse::<f64>().ok());
            let sane = ratio.is_some_and(|ratio| (0.0..=1.0).contains(&ratio));
            sane.then_some(()).ok_or_else(|| {
                let found = arg.unwrap_or_default();
                format!("`{SAMPLER_ARG}` is `{found}`, not a share from 0 to 1")
            })
        }
        Some(other) => Err(format!(
            "`{SAMPLER}` is `{other}`; it may be `always_on`, `always_off`, `traceidratio` or one \
             of these behind `parentbased_`"
        )),
    }
}

// === impl Sdk ===

impl Tracer for Sdk {
    fn begin(&self, start: Start<'_>) -> Box<dyn Recording> {
        let parent = start.parent.map_or_else(Context::new, |parent| {
            self.propagator.extract_with_context(&Context::new(), &Traceparent(parent))
        });
        let kind = match start.kind {
            Kind::Server => SpanKind::Server,
            Kind::Client => SpanKind::Client,
            Kind::Internal => SpanKind::Internal,
        };
        let span = self.tracer.span_builder(start.name).with_kind(kind);
        Box::new(Open(span.start_with_context(&self.tracer, &parent)))
    }
}

// === impl Open ===

impl Recording for Open {
    fn set(&mut self, name: &'static str, value: Value<'_>) {
        // One that was not sampled is not: it need not be filled.
        if self.0.is_recording() {
            self.0.set_attribute(match value {
                Value::Text(text) => KeyValue::new(name, text.to_owned()),
                Value::Number(number) => KeyValue::new(name, number),
            });
        }
    }

    fn fail(&mut self) {
        self.0.set_status(Status::error(""));
    }
}

// === impl Traceparent ===

impl Extractor for Traceparent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == "traceparent").then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent"]
    }
}
