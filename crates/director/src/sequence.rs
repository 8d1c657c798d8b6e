//! "First a dolly, then a pan, finally a crane": moves that take turns.

use crate::reader::Reader;
use crate::want::{Want, When};

/// Gives the camera moves of a sentence their parts of the clip, where the prompt puts them one
/// after the other and says no moments of its own.
pub(crate) fn read(reader: &mut Reader<'_>) {
    let sentences = reader.clauses.last().map_or(0, |clause| clause.sentence + 1);
    for sentence in 0..sentences {
        let moves: Vec<usize> = (0..reader.clauses.len())
            .filter(|&clause| reader.clauses[clause].sentence == sentence)
            .filter(|&clause| reader.drafts.iter().any(|d| d.clause == clause && is_move(&d.want)))
            .collect();
        let turns = moves.iter().skip(1).any(|&clause| {
            let range = reader.clauses[clause].words.clone();
            reader.words[range].iter().take(3).any(|w| w.any(&["then", "finally", "afterwards"]))
        });
        if moves.len() < 2 || !turns {
            continue;
        }
        for (nth, &clause) in moves.iter().enumerate() {
            let when = match nth {
                0 => When::Start,
                nth if nth + 1 == moves.len() => When::End,
                _ => When::Middle,
            };
            for draft in reader.drafts.iter_mut().filter(|draft| draft.clause == clause) {
                if is_move(&draft.want) && draft.when.is_none_or(|said| said == When::End) {
                    draft.when = Some(when);
                }
            }
        }
    }
}

fn is_move(want: &Want) -> bool {
    matches!(want, Want::Camera { .. })
}
