//! Elements, sound and determinism, seen and heard in finished clips.

mod common;

use common::{Studio, luma, onset, plan, reference, still};
use director::{Handle, Mood, Place, Placement, TimeChange, Want};
use domain::facts::Role;

/// A bright texture that a camera pans over by one px a frame.
const PAN: &str = "nullsrc=size=640x240:rate=24:duration=3.2,format=yuv420p,\
    geq=lum='170+22*sin(X/7)*cos(Y/9)+20*sin(X/23+Y/17)+15*sin(X*X/3000)':cb=128:cr=128,\
    crop=320:240:n:0";

/// A black disc before white.
const DISC: &str = "nullsrc=size=200x200:duration=1,geq=r='255*gt(hypot(X-100,Y-100),70)':g='255*gt(hypot(X-100,Y-100),70)':b='255*gt(hypot(X-100,Y-100),70)'";

#[test]
fn an_element_sticks_to_a_panning_scene() {
    let studio = Studio::new();
    let pan = studio.video("pan.mp4", PAN);
    let mut disc = studio.image(1, "disc.png", DISC);
    disc.role = Role::ElementFrontal { n: 1 };
    let placement = Placement { at: vec![Place::Right], ..Placement::of(Handle::element(1)) };
    let take =
        studio.make(&studio.shot(plan(3, [Want::Place(placement)]), vec![pan, disc], (320, 240)));
    assert!(take.report.unmet.is_empty(), "{:?}", take.report.unmet);
    let (frames, (width, _)) = luma(&take.outputs[0].path);
    let centre = |n: usize| {
        let dark = frames[n].iter().enumerate().filter(|(_, code)| **code < 70);
        let (sum, count) =
            dark.fold((0.0, 0.0), |(sum, count), (i, _)| (sum + (i % width) as f64, count + 1.0));
        (sum / count, count)
    };
    let (start, area) = centre(0);
    assert!(area > 1500.0 && (start - 256.0).abs() < 6.0, "{start} {area}");
    for n in [10, 30, 50, 70] {
        let (x, count) = centre(n);
        assert!((x - (start - n as f64)).abs() < 2.0, "frame {n}: {start} -> {x}");
        assert!((count / area - 1.0).abs() < 0.1);
    }
}

#[test]
fn a_pan_goes_on_where_the_reference_ends() {
    let studio = Studio::new();
    let pan = studio.video("pan.mp4", PAN);
    let take = studio.make(&studio.shot(plan(4, []), vec![pan], (320, 240)));
    let framing = take.report.passes.iter().find(|pass| pass.name == "framing").unwrap();
    let speed = framing.parameters["goes_on"]["pan_widths_a_second"][0].as_f64().unwrap();
    assert!((speed - 24.0 / 320.0).abs() < 0.015, "{speed}");
    let narrowest = framing.parameters["narrowest_px"].as_f64().unwrap();
    assert!((272.0..310.0).contains(&narrowest), "{narrowest}");
    let still = studio.video("still.mp4", "testsrc2=size=320x240:rate=24:duration=3.2");
    let take = studio.make(&studio.shot(plan(4, []), vec![still], (320, 240)));
    assert!(take.report.passes.iter().all(|pass| pass.name != "framing"));
}

#[test]
fn a_cluttered_element_is_unmet_and_the_clip_is_made() {
    let studio = Studio::new();
    let pan = studio.video("pan.mp4", PAN);
    let path = studio.path("clutter.png");
    studio.ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=300x300",
        "-frames:v",
        "1",
        path.to_str().unwrap(),
    ]);
    let clutter = still(Role::ElementFrontal { n: 1 }, path);
    let want = Want::Place(Placement::of(Handle::element(1)));
    let take = studio.make(&studio.shot(plan(3, [want]), vec![pan, clutter], (320, 240)));
    assert_eq!(take.report.unmet.len(), 1);
    assert!(take.report.unmet[0].reason.contains("@Element1"));
    assert!(!take.report.unmet[0].provisional);
}

#[test]
fn kept_sound_lies_under_its_picture() {
    let studio = Studio::new();
    let path = studio.path("beep.mp4");
    studio.ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=320x240:rate=24:duration=4",
        "-f",
        "lavfi",
        "-i",
        "aevalsrc='0.8*sin(2*PI*880*t)*between(t,1.5,1.9)':s=48000:d=4",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p",
        "-c:a",
        "aac",
        path.to_str().unwrap(),
    ]);
    let heard = |wants: Vec<Want>| {
        let mut plan = plan(3, wants);
        plan.keep_sound = true;
        let take = studio.make(&studio.shot(plan, vec![reference(path.clone(), true)], (320, 240)));
        onset(&take.outputs[0].path)
    };
    let plain = heard(Vec::new()).unwrap();
    assert!((plain - 1.5).abs() < 1.0 / 24.0, "{plain}");
    let fast =
        heard(vec![Want::Time { change: TimeChange::SpeedUp { speed: Some(1.5) } }]).unwrap();
    assert!((fast - 1.0).abs() < 0.08, "{fast}");
    let slow =
        heard(vec![Want::Time { change: TimeChange::SlowMotion { speed: Some(0.6) } }]).unwrap();
    assert!((slow - 2.5).abs() < 1.5 / 24.0, "{slow}");
}

#[test]
fn sound_after_a_freeze_is_still_under_its_picture() {
    let studio = Studio::new();
    let path = studio.path("flash.mp4");
    let flash = "color=black:s=320x240:r=24:d=6,format=yuv420p,\
                 geq=lum='16+200*between(N,60,63)':cb=128:cr=128";
    let beep = "aevalsrc='0.8*sin(2*PI*880*t)*between(t,2.5,2.667)':s=48000:d=6";
    let args = ["-f", "lavfi", "-i", flash, "-f", "lavfi", "-i", beep, "-c:v", "libx264"];
    let out = ["-preset", "ultrafast", "-c:a", "aac", path.to_str().unwrap()];
    studio.ffmpeg(&[args.as_slice(), out.as_slice()].concat());
    let freeze = common::wish(Want::Time { change: TimeChange::Freeze });
    let mut plan = plan(6, []);
    plan.wishes = vec![director::Wish { when: Some(director::When::Middle), ..freeze }];
    plan.keep_sound = true;
    let take = studio.make(&studio.shot(plan, vec![reference(path, true)], (320, 240)));
    let (frames, _) = luma(&take.outputs[0].path);
    let bright = frames.iter().position(|frame| frame[0] > 120).unwrap();
    let loud = onset(&take.outputs[0].path).unwrap();
    assert!(bright > 84, "the freeze comes before the flash: {bright}");
    assert!((loud - bright as f64 / 24.0).abs() < 1.0 / 24.0, "{loud} {bright}");
}

#[test]
fn threads_change_no_pixel() {
    let studio = Studio::new();
    let pan = studio.video("pan.mp4", PAN);
    let wants = [
        Want::Mood { mood: Mood::Cinematic },
        Want::Time { change: TimeChange::SlowMotion { speed: Some(0.7) } },
        Want::Camera { act: director::Camera::Handheld, direction: None },
    ];
    let made = |threads: usize| {
        let shot = studio.shot(plan(3, wants.clone()), vec![pan.clone()], (240, 240));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let take = pool.install(|| studio.make(&shot));
        std::fs::read(&take.outputs[0].path).unwrap()
    };
    assert!(made(1) == made(2));
}

#[test]
fn a_clear_sky_changes_alone_and_another_is_refused() {
    let studio = Studio::new();
    let skyline = "nullsrc=size=320x180:rate=24:duration=2.2,format=yuv420p,\
        geq=lum='if(lt(Y,60+30*mod(floor(X/40),3)),200-Y/3,60+70*mod(floor(X/3)*7+floor(Y/3)*5,3)/2)':\
        cb=138:cr=124";
    let texture = "testsrc2=size=320x180:rate=24:duration=2.2";
    let made = |source: &str| {
        let reference = studio.video("reference.mp4", source);
        let dark = Want::Grade { grade: director::Grade::DayForNight };
        let mut plan = plan(2, []);
        let on = director::Target::Sky;
        plan.wishes = vec![director::Wish { on, ..common::wish(dark) }];
        let take = studio.make(&studio.shot(plan, vec![reference], (320, 180)));
        (luma(&take.outputs[0].path).0, take.report)
    };
    let (frames, report) = made(skyline);
    assert!(report.unmet.is_empty(), "{:?}", report.unmet);
    let at = |x: usize, y: usize| i32::from(frames[20][y * 320 + x]);
    assert!(at(60, 30) < 140, "{}", at(60, 30));
    let ground: i32 = (0..320).map(|x| at(x, 160)).sum::<i32>() / 320;
    assert!((ground - 95).abs() < 12, "{ground}");
    let (_, report) = made(texture);
    assert_eq!(report.unmet.len(), 1);
    assert!(report.unmet[0].reason.contains("no clear sky"), "{:?}", report.unmet);
    assert!(report.passes.iter().all(|pass| pass.name != "sky_grade"));
}
