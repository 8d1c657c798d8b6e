//! The plan from what was read: tasks, defaults, conflicts, needs.

use std::ops::Range;

use domain::facts::Facts;

use crate::brief::{Aspect, Brief};
use crate::handle::{Handle, HandleKind};
use crate::leftovers;
use crate::plan::{
    DEFAULT_STRENGTH, Keep, Kept, Mention, MentionRole, Need, NeedKind, Overruled, ShotPlan, Task,
    Wish,
};
use crate::reader::{Draft, Reader};
use crate::want::{Camera, Effect, Grade, ImageRole, Medium, Placement, Target, Want};

/// Makes the plan from `reader`, which has read all but the leftovers.
pub(crate) fn plan(mut reader: Reader<'_>, facts: Option<&Facts>) -> ShotPlan {
    let brief = reader.brief;
    let unknown = leftovers::read(&mut reader);
    let mut plan = ShotPlan::empty(brief, facts.is_none());
    let mut covered: Vec<Range<usize>> = Vec::new();
    for mention in &reader.mentions {
        let words = reader.said(&(mention.at..mention.at + 1));
        covered.push(words.start..words.end);
        let role = mention.role.unwrap_or(MentionRole::Unclear);
        plan.references.push(Mention {
            handle: mention.handle,
            role,
            words,
            exists: mention.exists,
        });
    }
    drop_repeats(&mut reader);
    reader.drafts.sort_by_key(|draft| draft.words.start);
    reader.keeps.sort_by_key(|keep| keep.words.start);
    covered.extend(reader.drafts.iter().map(|draft| reader.span(&draft.words)));
    covered.extend(reader.keeps.iter().map(|keep| reader.span(&keep.words)));
    plan.keeps = reader
        .keeps
        .iter()
        .map(|keep| Keep {
            what: keep.what.clone(),
            words: reader.said(&keep.words),
            confidence: keep.confidence,
        })
        .collect();
    let wishes: Vec<_> = reader
        .drafts
        .iter()
        .map(|draft| Wish {
            want: draft.want.clone(),
            words: Some(reader.said(&draft.words)),
            confidence: (draft.confidence * 100.0).round() / 100.0,
            strength: draft.strength,
            on: draft.on.clone(),
            when: draft.when,
            provisional: false,
            note: note(brief, &draft.want),
        })
        .chain(unmentioned(&reader))
        .collect();
    for mut wish in wishes {
        wish.provisional = facts.is_none() && needs_media(&wish.want);
        match plan.keeps.iter().find(|keep| forbids(&keep.what, &wish)) {
            Some(keep) => plan.overruled.push(Overruled { wish, by: keep.words.clone() }),
            None => plan.wishes.push(wish),
        }
    }
    set_tasks(&mut plan);
    plan.needs = needs(brief, facts);
    (plan.not_understood, plan.passed_over) = leftovers::account(&reader, &covered, &unknown);
    plan
}

/// Drops placements of a reference that is only named again: its mention accounts for the word.
fn drop_repeats(reader: &mut Reader<'_>) {
    let drafts = reader.drafts.clone();
    let again = |draft: &Draft| match &draft.want {
        Want::Place(place) if draft.words.len() == 1 => drafts.iter().any(|other| {
            other.words.len() > 1
                && matches!(&other.want, Want::Place(more) if more.source == place.source)
        }),
        _ => false,
    };
    reader.drafts.retain(|draft| !again(draft));
}

/// Says where the request's own fields decide.
fn note(brief: &Brief, want: &Want) -> Option<String> {
    match want {
        Want::Length { secs } if (secs - f64::from(brief.length_secs)).abs() > 1e-6 => {
            Some(format!(
                "the request asks for {} s; its length decides, not the prompt's",
                brief.length_secs
            ))
        }
        Want::Frame { aspect } if *aspect != brief.aspect && brief.aspect != Aspect::Auto => {
            Some("the request's aspect ratio decides, not the prompt's".to_owned())
        }
        _ => None,
    }
}

/// Default wishes for the images and elements that the prompt never mentions.
fn unmentioned(reader: &Reader<'_>) -> Vec<Wish> {
    let images = (1..=reader.brief.images).map(Handle::image);
    let elements = (1..=reader.brief.elements).map(Handle::element);
    images
        .chain(elements)
        .filter(|handle| !reader.mentions.iter().any(|mention| mention.handle == *handle))
        .map(|handle| {
            let (want, use_) = match handle.kind {
                HandleKind::Element => (Want::Place(Placement::of(handle)), "placed in the scene"),
                _ => (Want::Image { source: handle, role: ImageRole::Style }, "used as the style"),
            };
            Wish {
                want,
                words: None,
                confidence: 0.3,
                strength: DEFAULT_STRENGTH,
                on: Target::Frame,
                when: None,
                provisional: false,
                note: Some(format!("the prompt does not mention {handle}; it is {use_}")),
            }
        })
        .collect()
}

/// Whether only the files can tell if and how this can be done.
fn needs_media(want: &Want) -> bool {
    match want {
        Want::Place(_) | Want::Task { .. } => true,
        Want::Image { role, .. } => {
            !matches!(role, ImageRole::Style | ImageRole::Palette | ImageRole::Lighting)
        }
        _ => false,
    }
}

/// Whether keeping `kept` leaves no room for `wish`.
fn forbids(kept: &Kept, wish: &Wish) -> bool {
    let want = &wish.want;
    let image =
        |roles: &[ImageRole]| matches!(want, Want::Image { role, .. } if roles.contains(role));
    match kept {
        Kept::Style => matches!(want, Want::Medium { .. }) || image(&[ImageRole::Style]),
        Kept::Colours => {
            let tonal = [Grade::Brighter, Grade::Darker, Grade::HighContrast, Grade::LowContrast];
            let whole = wish.on.is_frame();
            image(&[ImageRole::Palette])
                || whole && matches!(want, Want::Grade { grade } if !tonal.contains(grade))
                || matches!(want, Want::Medium { medium: Medium::BlackAndWhite | Medium::Sepia })
        }
        Kept::Lighting => {
            image(&[ImageRole::Lighting])
                || matches!(want, Want::TimeOfDay { .. })
                || matches!(want, Want::Effect { effect } if [Effect::HardShadows, Effect::SoftLight, Effect::Backlight, Effect::GodRays].contains(effect))
        }
        Kept::Background => {
            image(&[ImageRole::Background, ImageRole::Sky])
                || matches!(wish.on, Target::Background | Target::Sky)
        }
        Kept::Camera => matches!(want, Want::Camera { .. }),
        Kept::Composition => matches!(
            want,
            Want::Camera {
                act: Camera::CloseUp | Camera::Wide | Camera::PunchIn | Camera::Zoom,
                ..
            }
        ),
        Kept::Timing => matches!(want, Want::Time { .. }),
        Kept::Sound => matches!(want, Want::Sound { .. }),
        Kept::Without { want: without } => same(without, want),
        Kept::Thing { name } => matches!(&wish.on, Target::Thing { name: other } if name == other),
        Kept::Motion | Kept::Subject | Kept::Text | Kept::EverythingElse => false,
    }
}

/// Whether a denied want is this one, whatever their details.
fn same(denied: &Want, want: &Want) -> bool {
    match (denied, want) {
        (Want::Place(a), Want::Place(b)) => a.source == b.source,
        (Want::Camera { act: a, .. }, Want::Camera { act: b, .. }) => a == b,
        _ => denied == want,
    }
}

/// The main task and the others, from the wishes.
fn set_tasks(plan: &mut ShotPlan) {
    let mut tasks: Vec<Task> = Vec::new();
    for wish in &plan.wishes {
        let task = match &wish.want {
            Want::Task { task } => task.clone(),
            Want::Camera { act, .. } if is_viewpoint(*act) => Task::NewAngle,
            _ => continue,
        };
        if !tasks.contains(&task) {
            tasks.push(task);
        }
    }
    tasks.sort_by_key(|task| match task {
        Task::NextShot | Task::PreviousShot => 0,
        Task::MotionTransfer { .. } | Task::CameraTransfer { .. } => 1,
        Task::NewAngle => 2,
        Task::Extend => 3,
        Task::KeepMotionRestyle => 4,
    });
    let mut tasks = tasks.into_iter();
    plan.task = tasks.next().unwrap_or_default();
    plan.also = tasks.collect();
}

fn is_viewpoint(act: Camera) -> bool {
    matches!(
        act,
        Camera::LowAngle
            | Camera::HighAngle
            | Camera::Aerial
            | Camera::PointOfView
            | Camera::OverShoulder
            | Camera::Profile
            | Camera::ReverseAngle
    )
}

/// What follows from the request's own fields.
fn needs(brief: &Brief, facts: Option<&Facts>) -> Vec<Need> {
    const SECS: f64 = 0.05;
    const RATIO: f64 = 0.01;
    let video = facts.and_then(|facts| facts.video(1));
    let provisional = facts.is_none();
    let mut needs = Vec::new();
    let to_secs = f64::from(brief.length_secs);
    let from_secs = video.map(|video| video.duration_secs);
    if from_secs.is_none_or(|from| (from - to_secs).abs() > SECS) {
        needs.push(Need { kind: NeedKind::FitLength { from_secs, to_secs }, provisional });
    }
    if let Some(to) = brief.aspect.ratio() {
        let from = video.map(|video| f64::from(video.width) / f64::from(video.height.max(1)));
        if from.is_none_or(|from| (from / to - 1.0).abs() > RATIO) {
            needs.push(Need { kind: NeedKind::Reframe { from, to }, provisional });
        }
    }
    if brief.keep_sound && video.is_some_and(|video| !video.has_audio) {
        needs.push(Need { kind: NeedKind::NoSound, provisional: false });
    }
    needs
}
