//! The figures as a picture (SVG): how much of its gate's room each one uses.

use std::fmt::Write as _;

use crate::Row;

const ROW: usize = 22;
const LEFT: usize = 120;
const CELL: usize = 130;
const TOP: usize = 40;

/// The most of a gate's room that a bar shows.
const MOST: f64 = 2.0;

/// A bar for each gate of each case; the line in the middle of a column is the gate.
pub fn plot(rows: &[Row]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for gate in rows.iter().flat_map(|row| &row.gates) {
        if !names.contains(&gate.name) {
            names.push(gate.name);
        }
    }
    let (width, height) = (LEFT + CELL * names.len() + 10, TOP + ROW * rows.len() + 10);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" \
         fill=\"white\"/>\n"
    );
    for (column, name) in names.iter().enumerate() {
        let x = LEFT + CELL * column;
        let (middle, end) = (x + (CELL - 20) / 2, TOP + ROW * rows.len());
        let _ = writeln!(out, "<text x=\"{x}\" y=\"20\">{}</text>", escaped(name));
        let _ = writeln!(
            out,
            "<line x1=\"{middle}\" y1=\"28\" x2=\"{middle}\" y2=\"{end}\" stroke=\"#999\"/>"
        );
    }
    for (line, row) in rows.iter().enumerate() {
        let y = TOP + ROW * line;
        let _ = writeln!(out, "<text x=\"6\" y=\"{}\">{}</text>", y + 12, escaped(&row.case));
        for gate in &row.gates {
            let Some(column) = names.iter().position(|name| *name == gate.name) else { continue };
            let x = LEFT + CELL * column;
            let long = gate.used.clamp(0.01, MOST) / MOST * (CELL - 20) as f64;
            let colour = if gate.is_passed() { "#4a8f5b" } else { "#c4472b" };
            let _ = writeln!(
                out,
                "<rect x=\"{x}\" y=\"{}\" width=\"{long:.1}\" height=\"12\" fill=\"{colour}\">\
                 <title>{:.3}, {}</title></rect>",
                y + 3,
                gate.value,
                gate.allowed
            );
        }
    }
    out.push_str("</svg>\n");
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
