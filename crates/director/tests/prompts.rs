//! Prompts as people write them, and the plans that they get.

#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use support::render_all;

#[test]
fn tasks() {
    insta::assert_snapshot!(render_all(&[
        "Based on @Video1, generate the next shot. keep the style of the video",
        "Generate the previous shot of @Video1, what happened before she sat down",
        "Show me this scene from a different camera angle, low angle looking up at the tower",
        "Animate the person in @Image1 using the movements from the video",
        "Take @Image1 as the start frame. Generate a new video following the camera movement of @Video1",
        "Make @Element1 dance like the dancer in @Video1",
        "Extend the clip and let it loop seamlessly",
        "Next shot: a wide shot of the same street at night, in the style of @Image1",
        "Keep the motion of @Video1 but repaint everything in the style of @Image2",
        "use @Video1's camera movement, place @Element1 in the centre",
        "Make it better",
        "",
    ]));
}

#[test]
fn references() {
    insta::assert_snapshot!(render_all(&[
        "In the style of @Image1, heavy brush strokes",
        "Painted like @image_2, with the colours of @IMAGE1",
        "Use the colour palette and the lighting of @Image1",
        "Replace the background with @Image1 and the sky with @Image2",
        "@Image1 as the start frame and @Image2 as the end frame",
        "Light it like @Image1, graded like @Image2",
        "Use @Image1",
        "use @Image1 as a style reference, @Image2 for the background",
        "Begin on @Image1, then drift into the video",
        "The woman in @Image1 replaces the man in the video",
        "restyle with the brushwork and texture of @Image1's canvas",
        "In the style of @Image1 and @Image2, don't use @Element1",
        "In the style of @Image4, mail me@Image1.com",
    ]));
}

#[test]
fn elements() {
    insta::assert_snapshot!(render_all(&[
        "Add @Element1 on the left side of the frame",
        "Replace the red car with @Element1",
        "Put a small @Element1 on the table next to the lamp",
        "@Element1 enters from the left and walks across the street",
        "Insert @Element1 in the foreground, @Element2 flies across the sky in the background",
        "Place @Element1 behind @Element2, on the ground",
        "@Element1, walking from left to right, enters the frame",
        "In the background @Element2 hovers above the water",
        "swap the dog for @Element2 please, and keep everything else",
        "have @Image1 appear in the centre, tiny",
    ]));
}

#[test]
fn camera_and_time() {
    insta::assert_snapshot!(render_all(&[
        "The camera slowly pans to the left, then tilts up",
        "slow dolly in on her face, handheld",
        "Zoom out quickly from left to right",
        "crane shot rising, orbiting clockwise around the statue",
        "No camera movement, locked-off tripod shot",
        "Stabilise the footage and punch in a little",
        "The camera moves forward through the crowd",
        "slow-motion at 50% speed",
        "Speed it up 2x and play it in reverse",
        "half speed at the end, freeze frame after 3 seconds",
        "speed ramp into slow motion as he jumps",
        "Make it a 10-second boomerang in 9:16",
        "time-lapse of clouds, vertical video, 2.39:1",
    ]));
}

#[test]
fn looks() {
    insta::assert_snapshot!(render_all(&[
        "Turn it into a watercolour painting with visible paper grain",
        "oil painting, golden hour, slightly warmer",
        "Film noir: black-and-white, high contrast, heavy grain and a subtle vignette",
        "make it a rainy night with neon lights, thick fog rolling in",
        "Pencil sketch look, hand-drawn, gradually becoming an anime",
        "Grade it teal & orange, a touch of bloom, faded blacks",
        "16mm film, light leaks, a bit of dust and scratches",
        "snow falling softly at dusk, very cold, desaturated",
        "Make the sky orange and blur the background",
        "Give it a strong blue tint; darker shadows, brighter highlights",
        "cyberpunk city vibe, glowing windows, moonlit",
        "Studio Ghibli inspired, vibrant colors, dreamy soft light",
        "day for night with lit windows, bleach bypass",
    ]));
}

#[test]
fn subject_and_background() {
    insta::assert_snapshot!(render_all(&[
        "Replace the background with @Image1",
        "@Image1 as the background",
        "Put the rabbit in front of @Image1",
        "Put @Element1 in front of @Image1",
        "Keep the rabbit as it is, paint only the background as a watercolour",
        "Black and white background, the subject stays in colour",
        "A warm subject before a blue background",
    ]));
}

#[test]
fn keeping_and_denying() {
    insta::assert_snapshot!(render_all(&[
        "Keep the motion, camera and background, but make it a charcoal drawing",
        "Don't change the colours; add rain",
        "Do not touch the background or the lighting, make it sepia",
        "a storm without rain, snow or lightning",
        "golden hour, no grain, no lens flares, no text",
        "Never alter her face. Everything else becomes a comic book",
        "Keep it warm and moody, keep the camera steady",
        "Preserve the original timing and audio; slow motion",
        "with the same camera movement, at sunset instead of night",
        "keep the colours, teal and orange grade, keep the red door",
        "The background stays the same, the style remains unchanged, watercolor",
        "no people",
    ]));
}

#[test]
fn content_and_noise() {
    insta::assert_snapshot!(render_all(&[
        "A dragon lands on the roof of the tower and breathes fire",
        "she opens the door and walks into the snow",
        "Add two hot-air balloons in the distance",
        "Remove the tourists from the square",
        "asdf qwer zxcv",
        "🔥🔥 make it cinematic 🎬",
        "Fais une aquarelle, de nuit, avec de la neige s'il te plaît",
        "夜のシーンにしてください、雪も",
        "make it pop!!! (like, REALLY epic)",
        "8k, masterpiece, best quality, ultra detailed, cinematic lighting",
        "Change her dress to a blue one made of silk",
    ]));
}
