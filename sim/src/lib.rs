//! Server, workers, clients, receivers, clocks and network, simulated: one seed is one history.
//!
//! Whatever a queue of requests must not do, it does when a worker that was stopped for a minute
//! comes back between a crash of the server and a repeated submit. Tests that name their cases
//! don't name that one. Here chance makes the cases and a seed brings them back: the store and the
//! rules of `domain` run as they are, and everything around them is played on one thread, with
//! the hosts, the network and the time of turmoil.
//!
//! Invariant: a history depends on its seed alone, byte for byte ([`history`]). Nothing reads a
//! clock, a source of chance, the order of a hash table or a branch that `select!` picked at
//! random (all of them are `biased`).
//!
//! What is checked: every answer of the store by the [`witness`], the invariants of
//! `domain::invariants` every two seconds, what clients and receivers were told ([`journal`]), and
//! at the end that everything has an end ([`verdict`]). What was broken on purpose to see whether
//! that is enough stands in `docs/simulation.md`.

pub mod calls;
pub mod chaos;
pub mod client;
pub mod desk;
pub mod history;
pub mod hook;
pub mod journal;
pub mod letters;
pub mod luck;
pub mod network;
pub mod plan;
pub mod play;
pub mod server;
mod submit;
pub mod time;
pub mod verdict;
pub mod witness;
pub mod worker;
pub mod world;
