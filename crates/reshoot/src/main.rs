//! The `reshoot` binary.
fn main() {}
