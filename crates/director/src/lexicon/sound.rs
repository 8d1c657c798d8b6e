//! Words for sound.

use super::Entry;
use crate::want::{Sound, Want};

const fn sound(sound: Sound) -> Want {
    Want::Sound { sound }
}

pub(super) static ENTRIES: &[Entry] = &[
    ("mute", sound(Sound::Mute), 0.85),
    ("no sound", sound(Sound::Mute), 0.95),
    ("no audio", sound(Sound::Mute), 0.95),
    ("without sound", sound(Sound::Mute), 0.95),
    ("without audio", sound(Sound::Mute), 0.95),
    ("no music", sound(Sound::Mute), 0.7),
    ("silent film", sound(Sound::Mute), 0.5),
    ("music", sound(Sound::New), 0.8),
    ("soundtrack", sound(Sound::New), 0.8),
    ("sound effect", sound(Sound::New), 0.85),
    ("voiceover", sound(Sound::New), 0.85),
    ("voice over", sound(Sound::New), 0.85),
    ("narration", sound(Sound::New), 0.8),
];
