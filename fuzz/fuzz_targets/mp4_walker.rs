#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| media::fuzz::mp4_walker(bytes));
