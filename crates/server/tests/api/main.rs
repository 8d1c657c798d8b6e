//! The API from outside: status, headers and whole bodies, one module for each part of the URL
//! space, and what only a real connection shows.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed call is a failed test")]

mod auth;
mod bodies;
mod chaos;
mod connection;
mod contract;
mod files;
mod health;
mod log;
mod models;
mod openapi;
mod owned;
mod pages;
mod requests;
mod routes;
mod schema;
mod sharing;
mod sign_in;
mod states;
mod steps;
mod submit;
mod support;
mod system;
mod terms;
mod waiting;
mod wire_types;
