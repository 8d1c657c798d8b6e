//! What the tests of several crates need: a media host whose every answer is scripted, a clock
//! that is moved by hand and random bytes that come from a seed.
//!
//! For tests only: a setup that fails ends the test with a panic. Nothing here sleeps to wait
//! for something to happen, and nothing leaves the loopback interface.

mod chaos;
mod host;
mod reply;
mod serve;
mod time;
mod tls;

pub use chaos::Chaos;
pub use host::{MediaHost, Recorded};
pub use reply::Reply;
pub use time::{ManualClock, SeededRng};
pub use tls::TestCa;
