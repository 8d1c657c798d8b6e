//! The reference store passes the suite.

use store::memory::MemoryStore;

fn empty() -> (MemoryStore, ()) {
    (MemoryStore::new(), ())
}

store::conformance_suite!(empty);
