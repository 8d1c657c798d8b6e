//! Words for the relation to the reference video.

use super::Entry;
use crate::plan::Task;
use crate::want::Want;

const fn task(task: Task) -> Want {
    Want::Task { task }
}

pub(super) static ENTRIES: &[Entry] = &[
    ("next shot", task(Task::NextShot), 0.95),
    ("next scene", task(Task::NextShot), 0.85),
    ("next clip", task(Task::NextShot), 0.85),
    ("next moment", task(Task::NextShot), 0.7),
    ("next beat", task(Task::NextShot), 0.7),
    ("following shot", task(Task::NextShot), 0.85),
    ("following scene", task(Task::NextShot), 0.75),
    ("subsequent shot", task(Task::NextShot), 0.9),
    ("follow up shot", task(Task::NextShot), 0.85),
    ("shot that follows", task(Task::NextShot), 0.85),
    ("what happens next", task(Task::NextShot), 0.85),
    ("what comes next", task(Task::NextShot), 0.85),
    ("happens next", task(Task::NextShot), 0.7),
    ("continue the story", task(Task::NextShot), 0.7),
    ("continuing the story", task(Task::NextShot), 0.7),
    ("previous shot", task(Task::PreviousShot), 0.95),
    ("previous scene", task(Task::PreviousShot), 0.85),
    ("prior shot", task(Task::PreviousShot), 0.9),
    ("preceding shot", task(Task::PreviousShot), 0.9),
    ("shot before", task(Task::PreviousShot), 0.8),
    ("what happened before", task(Task::PreviousShot), 0.85),
    ("happened before", task(Task::PreviousShot), 0.7),
    ("what came before", task(Task::PreviousShot), 0.85),
    ("new angle", task(Task::NewAngle), 0.9),
    ("new camera angle", task(Task::NewAngle), 0.95),
    ("different angle", task(Task::NewAngle), 0.9),
    ("different camera angle", task(Task::NewAngle), 0.95),
    ("another angle", task(Task::NewAngle), 0.9),
    ("another camera angle", task(Task::NewAngle), 0.95),
    ("alternate angle", task(Task::NewAngle), 0.9),
    ("alternative angle", task(Task::NewAngle), 0.9),
    ("new perspective", task(Task::NewAngle), 0.85),
    ("different perspective", task(Task::NewAngle), 0.85),
    ("another perspective", task(Task::NewAngle), 0.85),
    ("new viewpoint", task(Task::NewAngle), 0.9),
    ("different viewpoint", task(Task::NewAngle), 0.9),
    ("another viewpoint", task(Task::NewAngle), 0.9),
    ("other side", task(Task::NewAngle), 0.5),
    ("extend", task(Task::Extend), 0.85),
    ("continue the shot", task(Task::Extend), 0.85),
    ("continue the video", task(Task::Extend), 0.85),
    ("continue the clip", task(Task::Extend), 0.85),
    ("continue the action", task(Task::Extend), 0.7),
    ("continuation", task(Task::Extend), 0.75),
    ("make it longer", task(Task::Extend), 0.85),
    ("make the video longer", task(Task::Extend), 0.9),
    ("make the clip longer", task(Task::Extend), 0.9),
    ("keep going", task(Task::Extend), 0.6),
];
