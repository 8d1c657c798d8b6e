//! Writes the history of each seed that is named: `cargo run -- 17`.

use std::io::{self, Write as _};
use std::process::ExitCode;

fn main() -> io::Result<ExitCode> {
    let mut well = true;
    for argument in std::env::args().skip(1) {
        let Ok(seed) = argument.parse() else {
            writeln!(io::stderr(), "sim: `{argument}` is not a seed, a whole number")?;
            return Ok(ExitCode::FAILURE);
        };
        let outcome = sim::play::seed(seed);
        io::stdout().write_all(outcome.text.as_bytes())?;
        for (what, count) in &outcome.counts {
            writeln!(io::stderr(), "{count:>6} {what}")?;
        }
        well &= outcome.wrong.is_empty();
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
