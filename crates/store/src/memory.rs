//! The reference store: everything in one locked struct.
