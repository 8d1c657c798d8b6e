#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| catalog::fuzz::data_uri(bytes));
