use super::*;
use kernels::Yuv420;

fn flat(code: [u8; 3]) -> Yuv420 {
    Yuv420::new(64, 36, code).unwrap()
}

fn analyse(frames: &[Yuv420], questions: Questions) -> Analysis {
    let mut analyst = Analyst::new(questions);
    for frame in frames {
        analyst.see(frame.as_ref()).unwrap();
    }
    analyst.finish()
}

#[test]
fn each_shot_has_its_own_colours() {
    let mut frames = vec![flat([200, 90, 150]); 10];
    frames.extend(vec![flat([60, 160, 100]); 11]);
    let asked = Questions { cuts: true, colours: true, ..Questions::default() };
    let analysis = analyse(&frames, asked);
    assert_eq!(analysis.shots, vec![0..10, 10..21]);
    assert!(analysis.colours[0].mean()[0] > analysis.colours[1].mean()[0] + 30.0);
    assert_eq!((analysis.shot_of(9), analysis.shot_of(10)), (0, 1));
    assert_eq!(analysis.grade_of(9), (0, None));
}

#[test]
fn the_subject_is_what_moved_even_while_it_rests() {
    let mut subjects = vec![(0.9, 0.5, 0.6); 10];
    let mut movers = vec![(0.5, 0.5, 0.0); 10];
    movers[2] = (0.2, 0.4, 0.5);
    movers[6] = (0.4, 0.4, 0.5);
    follow_movers(&mut subjects, &movers, &(0..10));
    assert_eq!(subjects[0].0, 0.2);
    assert!((subjects[4].0 - 0.3).abs() < 1e-6);
    assert_eq!(subjects[9].0, 0.4);
    let mut still = vec![(0.9, 0.5, 0.6); 4];
    follow_movers(&mut still, &[(0.5, 0.5, 0.001); 4], &(0..4));
    assert_eq!(still[3].0, 0.9);
}

#[test]
fn what_is_not_asked_is_not_computed() {
    let frames = vec![flat([100, 128, 128]); 5];
    let asked = Questions { cuts: true, ..Questions::default() };
    let analysis = analyse(&frames, asked);
    assert!(analysis.path.is_none() && analysis.sharpness.is_empty());
    assert!(analysis.colours.is_empty() && analysis.subjects.is_empty());
}

#[test]
fn a_dissolve_blends_the_grades() {
    let analysis = Analysis {
        shots: vec![0..40, 40..80],
        dissolved: vec![false, true],
        ..Analysis::default()
    };
    assert_eq!(analysis.grade_of(20), (0, None));
    let (shot, other) = analysis.grade_of(39);
    let (next, share) = other.unwrap();
    assert!(shot == 0 && next == 1 && share > 0.4);
    assert_eq!(analysis.grade_of(40), (1, Some((0, 0.5))));
    assert_eq!(analysis.grade_of(60), (1, None));
}

#[test]
fn moments_that_look_alike_are_near() {
    let frames: Vec<Yuv420> = (0..40u8).map(|n| flat([60 + 10 * (n % 10), 128, 128])).collect();
    let asked = Questions { likeness: true, ..Questions::default() };
    let analysis = analyse(&frames, asked);
    assert!(analysis.distance(5, 25) < 0.1 * analysis.distance(5, 28));
    assert!(analysis.usual() > 0.0);
}
