//! Runs [`media::jail::main`], so that this crate's tests have something to re-execute.
fn main() -> std::process::ExitCode {
    media::jail::main(std::env::args_os().skip(1))
}
