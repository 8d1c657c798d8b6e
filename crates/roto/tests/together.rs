//! Several wishes in one prompt: what was promised is what was done, and what was not is said.

mod common;

use std::collections::BTreeSet;

use common::{Studio, luma};
use director::Brief;
use domain::facts::Role;
use engine::Engine;

const SHOT: &str = "testsrc2=size=320x180:rate=24:duration=3.4,\
    geq=lum='lum(X,Y)*0.5+60+20*sin((X+2*N)/9)*cos(Y/11)':cb='cb(X,Y)':cr='cr(X,Y)'";

const PICTURE: &str = "testsrc=size=480x270:duration=1";

const DISC: &str = "nullsrc=size=120x120:duration=1,geq=r='255*gt(hypot(X-60,Y-60),40)':\
    g='255*gt(hypot(X-60,Y-60),40)':b='255*gt(hypot(X-60,Y-60),40)'";

const PROMPTS: [&str; 18] = [
    "Based on @Video1, generate the next shot at golden hour with a slow punch in. Put @Element1 on the left.",
    "A seamless loop in slow motion, teal and orange",
    "Take @Image1 as the start frame. Generate a new video following the camera movement of @Video1, noir style",
    "Start from @Image1, in black and white, then push in slowly",
    "End on @Image1, warm colours, handheld camera",
    "Reverse the video and make it night",
    "Boomerang, vivid, with film grain and a vignette",
    "Speed ramp from fast to slow, pan left, in the colours of @Image1",
    "Time lapse at sunset with letterbox bars",
    "Generate the previous shot, faded, stabilise the camera",
    "Whip pan to the right at the end, cinematic, add @Element1 flying from left to right",
    "Dutch angle, ominous, half speed",
    "Freeze at the end, sepia, zoom out",
    "Crane up, dreamy, keep the motion of @Video1",
    "A dragon appears in the sky, at dusk, with a close-up",
    "Take @Image1 as the start frame and follow the camera movement of @Video1 in slow motion, with @Element1 on the right",
    "Continue the video for longer, golden hour, tilt up, film grain",
    "New camera angle of the scene, cool colours, the camera follows the subject",
];

#[test]
fn what_is_promised_is_what_is_done() {
    let studio = Studio::new();
    let reference = studio.video("reference.mp4", SHOT);
    let picture = studio.image(1, "picture.png", PICTURE);
    let mut disc = studio.image(2, "disc.png", DISC);
    disc.role = Role::ElementFrontal { n: 1 };
    for (k, prompt) in PROMPTS.into_iter().enumerate() {
        let brief = Brief {
            prompt: prompt.to_owned(),
            length_secs: 3,
            images: 1,
            elements: 1,
            ..Brief::default()
        };
        let plan = director::plan(&brief, None);
        let size = if k % 3 == 1 { (90, 160) } else { (160, 90) };
        let promised = studio.engine().assess(&plan, None);
        let inputs = vec![reference.clone(), picture.clone(), disc.clone()];
        let take = studio.make(&studio.shot(plan, inputs, size));
        let (frames, shown) = luma(&take.outputs[0].path);
        let wanted = (size.0 as usize, size.1 as usize);
        assert_eq!((frames.len(), shown), (72, wanted), "{prompt}");
        let names = take.report.passes.iter().map(|pass| pass.name.as_str());
        let done: BTreeSet<&str> = names
            .filter(|name| !["analysis", "encode", "pass_through"].contains(name))
            // The shape and the length of the files are known only to the run.
            .filter(|name| !["time", "framing"].contains(name))
            .collect();
        let promised: BTreeSet<&str> = promised
            .honoured
            .iter()
            .map(String::as_str)
            .filter(|name| !["time", "framing"].contains(name))
            .collect();
        assert_eq!(done, promised, "{prompt}");
        for unmet in &take.report.unmet {
            assert!(!unmet.provisional && !unmet.reason.is_empty(), "{prompt}: {unmet:?}");
        }
        let flat = |frame: &Vec<u8>| frame.iter().all(|code| *code == frame[0]);
        assert!(!frames.iter().any(flat), "an empty frame: {prompt}");
    }
}
