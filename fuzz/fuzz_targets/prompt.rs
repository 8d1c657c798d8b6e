#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| director::fuzz::prompt(bytes));
