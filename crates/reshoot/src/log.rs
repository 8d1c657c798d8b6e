//! The log: one line an event, on standard error.
//!
//! A busy server writes a line for every call, and a system call for each of them would cost more
//! than the call's own work. The lines of a thread of the runtime are therefore gathered, and
//! written when such a thread finds nothing left to do, when a few KiB have come together, and
//! with the first warning: no line waits for longer than the work at hand. Any other thread writes
//! at once.

use std::cell::{Cell, RefCell};
use std::fmt::{self, Write as _};
use std::io::{IsTerminal, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::Clock;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Scope};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, registry};

use crate::machine::SystemClock;

/// So many bytes are written without waiting for more.
const ENOUGH: usize = 8 << 10;

/// Lines that wait to be written.
static GATHERED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

thread_local! {
    /// Whether this thread calls [`flush`] before it sleeps.
    static FLUSHES: Cell<bool> = const { Cell::new(false) };
    /// The line that is being made, kept for its memory.
    static LINE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Writes events as lines.
struct Lines {
    colours: bool,
}

/// The fields of a span, as text.
struct SpanFields(String);

/// Adds fields to a line: `message` as it is, others as ` name=value`.
struct Fields<'a>(&'a mut String);

/// Keeps whatever is written to it on one line.
struct OneLine<'a>(&'a mut String);

/// Starts the log. `RESHOOT_LOG` says what is in it (`tracing`'s filter directives); without it,
/// whatever is at least as grave as `info`.
pub(crate) fn start() {
    let filter = EnvFilter::try_from_env("RESHOOT_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = Lines { colours: std::io::stderr().is_terminal() };
    registry().with(filter).with(lines).init();
}

/// Writes what was gathered. A thread of the runtime calls it whenever it goes to sleep.
pub(crate) fn flush() {
    write_out(&mut gathered());
}

/// [`flush`], by a thread that will always do so before it sleeps.
pub(crate) fn flush_before_sleep() {
    FLUSHES.set(true);
    flush();
}

fn gathered() -> MutexGuard<'static, Vec<u8>> {
    GATHERED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write_out(lines: &mut Vec<u8>) {
    if !lines.is_empty() {
        // Where the log cannot be written, nobody can be told.
        let _ = std::io::stderr().write_all(lines);
        lines.clear();
    }
}

// === impl Lines ===

impl Lines {
    fn put(&self, line: &mut String, level: Level, event: &Event<'_>, spans: &str) {
        let (colour, plain) = match level {
            _ if !self.colours => ("", ""),
            Level::ERROR => ("\x1b[31m", "\x1b[0m"),
            Level::WARN => ("\x1b[33m", "\x1b[0m"),
            Level::INFO => ("\x1b[32m", "\x1b[0m"),
            _ => ("\x1b[2m", "\x1b[0m"),
        };
        // Writing to a string does not fail.
        let _ = write!(line, "{} {colour}{:>5}{plain} {spans}", SystemClock.now(), level.as_str());
        event.record(&mut Fields(line));
        line.push('\n');
    }
}

impl<S> Layer<S> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut text = String::new();
        attributes.record(&mut Fields(&mut text));
        span.extensions_mut().insert(SpanFields(text));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(SpanFields(text)) = span.extensions_mut().get_mut::<SpanFields>() {
            values.record(&mut Fields(text));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut spans = String::new();
        for span in context.event_scope(event).into_iter().flat_map(Scope::from_root) {
            spans.push_str(span.name());
            if let Some(SpanFields(text)) = span.extensions().get::<SpanFields>() {
                let _ = write!(spans, "{{{}}}", text.trim_start());
            }
            spans.push_str(": ");
        }
        let level = *event.metadata().level();
        // Taken, not borrowed: what a field prints may log, too.
        let mut line = LINE.with(RefCell::take);
        line.clear();
        self.put(&mut line, level, event, &spans);
        let mut lines = gathered();
        lines.extend_from_slice(line.as_bytes());
        if level <= Level::WARN || lines.len() >= ENOUGH || !FLUSHES.get() {
            write_out(&mut lines);
        }
        drop(lines);
        LINE.set(line);
    }
}

// === impl Fields ===

impl Fields<'_> {
    fn name(&mut self, field: &Field) -> &mut String {
        if field.name() != "message" {
            self.0.push(' ');
            self.0.push_str(field.name());
            self.0.push('=');
        }
        self.0
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        let bare = |b: u8| b.is_ascii_graphic() && !b"\"=\\".contains(&b);
        let line = self.name(field);
        if field.name() == "message" {
            let _ = OneLine(line).write_str(value);
        } else if !value.is_empty() && value.bytes().all(bare) {
            line.push_str(value);
        } else {
            let _ = write!(line, "{value:?}");
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        let _ = write!(self.name(field), "{value}");
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        let _ = write!(self.name(field), "{value}");
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(OneLine(self.name(field)), "{value:?}");
    }
}

// === impl OneLine ===

impl fmt::Write for OneLine<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if !text.contains(char::is_control) {
            self.0.push_str(text);
            return Ok(());
        }
        for c in text.chars() {
            if c.is_control() { self.0.extend(c.escape_default()) } else { self.0.push(c) }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// The lines, without their times.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<String>>>);

    impl<S> Layer<S> for Kept
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let mut line = String::new();
            Lines { colours: false }.put(&mut line, *event.metadata().level(), event, "");
            let (time, rest) = line.split_once(' ').unwrap();
            assert!(time.parse::<domain::Timestamp>().is_ok(), "{time}");
            self.0.lock().unwrap().push(rest.to_owned());
        }
    }

    fn lines(say: impl FnOnce()) -> Vec<String> {
        let kept = Kept::default();
        tracing::subscriber::with_default(registry().with(kept.clone()), say);
        Arc::into_inner(kept.0).unwrap().into_inner().unwrap()
    }

    #[test]
    fn an_event_is_one_line_with_its_fields() {
        let said = lines(|| {
            tracing::info!(method = "GET", route = "/v1/models", status = 200_u16, "call");
            tracing::warn!(delay = -3, fine = true, what = ?Some(1), "later");
        });
        assert_eq!(
            said,
            [
                " INFO call method=GET route=/v1/models status=200\n",
                " WARN later delay=-3 fine=true what=Some(1)\n"
            ]
        );
    }

    #[test]
    fn nothing_that_is_logged_can_start_a_line_or_end_a_field() {
        let said = lines(|| {
            let text = "a\nb \x1b[31m= \"c\"";
            tracing::info!(text, shown = %text, empty = "", "{text}");
        });
        assert_eq!(
            said,
            [" INFO a\\nb \\u{1b}[31m= \"c\" text=\"a\\nb \\u{1b}[31m= \\\"c\\\"\" \
              shown=a\\nb \\u{1b}[31m= \"c\" empty=\"\"\n"]
        );
    }

    #[test]
    fn lines_of_a_thread_that_flushes_wait_and_a_warning_takes_them_along() {
        // Threads of their own: others of this process may log at the same time.
        let held = || String::from_utf8(gathered().clone()).unwrap();
        tracing::subscriber::with_default(registry().with(Lines { colours: false }), || {
            tracing::info!("at once: {}", line!());
            assert_eq!(held(), "");
            flush_before_sleep();
            tracing::info!("gathered");
            assert!(held().ends_with(" INFO gathered\n"), "{}", held());
            tracing::warn!("out");
            assert_eq!(held(), "");
        });
    }
}
