//! The real binary, from outside: a server that is started, called, stopped and killed, and the
//! commands beside it. Calls are made with `curl`, as the people who integrate it do.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
#![allow(clippy::panic, reason = "a test may fail loudly")]
#![allow(clippy::print_stdout, reason = "a test says what it skips, and what it counted")]

mod support;

mod cancel;
mod commands;
mod crash;
mod faults;
mod hostile;
mod kills;
mod main_job;
mod second_model;
mod stop;
#[cfg(not(feature = "otlp"))]
mod traces;
mod uploads;
