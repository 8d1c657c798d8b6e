//! The figures as a table.

use std::fmt::Write as _;

use serde::Serialize;

use crate::{Gate, Scores};

/// One case, done.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The case's name.
    pub case: String,
    /// Its prompt.
    pub prompt: String,
    /// The passes that the engine ran.
    pub passes: Vec<String>,
    /// What the engine left out, as `words: reason`.
    pub unmet: Vec<String>,
    /// The figures.
    pub scores: Scores,
    /// Gates and their figures.
    pub gates: Vec<Gate>,
    /// What is wrong with the file.
    pub faults: Vec<String>,
}

// === impl Row ===

impl Row {
    /// Gates that are not passed.
    pub fn missed(&self) -> impl Iterator<Item = &Gate> {
        self.gates.iter().filter(|gate| !gate.is_passed())
    }
}

/// Columns: title and the gates whose figures stand in them.
const COLUMNS: [(&str, &str); 7] = [
    ("motion error, px", "motion error"),
    ("motion correlation", "motion corr."),
    ("warp error, times the source's", "warp error ÷ source"),
    ("flicker, less the source's", "flicker − source"),
    ("drift of sharpness", "sharpness drift"),
    ("drift of colours", "colour drift"),
    ("times nearer to the style", "nearer to style"),
];

/// A Markdown table: a row a case, a column a metric, the figure of the worst shot; figures that
/// miss their gate are bold.
pub fn markdown(rows: &[Row]) -> String {
    let mut out = String::from("| case | passes |");
    for (_, title) in COLUMNS {
        let _ = write!(out, " {title} |");
    }
    out.push_str(" element | file | left out |\n|---|---|");
    out.push_str(&"---|".repeat(COLUMNS.len() + 3));
    out.push('\n');
    for row in rows {
        let _ = write!(out, "| {} | {} |", row.case, row.passes.join(", "));
        for (name, _) in COLUMNS {
            out.push_str(&cell(row, name));
        }
        out.push_str(&cell(row, "element identity"));
        let file = if row.faults.is_empty() { "ok".to_owned() } else { row.faults.join("; ") };
        let _ = writeln!(out, " {file} | {} |", row.unmet.join("; "));
    }
    out
}

fn cell(row: &Row, name: &str) -> String {
    match row.gates.iter().find(|gate| gate.name == name) {
        None => " |".to_owned(),
        Some(gate) if gate.is_passed() => format!(" {:.3} |", gate.value),
        Some(gate) => format!(" **{:.3}** |", gate.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_gate_is_bold() {
        let gate = |value: f64| Gate {
            name: "motion correlation",
            value,
            allowed: "at least 0.9",
            used: (1.0 - value) / 0.1,
        };
        let row = |value| Row {
            case: "x".to_owned(),
            prompt: String::new(),
            passes: vec!["grade".to_owned()],
            unmet: Vec::new(),
            scores: Scores { shots: Vec::new(), style_gain: None, element_identity: None },
            gates: vec![gate(value)],
            faults: Vec::new(),
        };
        let table = markdown(&[row(0.95), row(0.5)]);
        assert!(table.contains(" 0.950 |") && table.contains(" **0.500** |"), "{table}");
        let columns: Vec<_> = table.lines().map(|line| line.matches('|').count()).collect();
        assert!(columns.iter().all(|&count| count == columns[0]), "{table}");
        assert_eq!(row(0.5).missed().count(), 1);
    }
}
