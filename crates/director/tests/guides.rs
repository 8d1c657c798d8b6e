//! Longer prompts, of the kinds that guides to this sort of model teach, and the plans they get.

#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use support::render_all;

#[test]
fn restyling_with_anchors() {
    insta::assert_snapshot!(render_all(&[
        "Transform @Video1 into a loose watercolor animation. Preserve the original motion, timing and composition exactly.",
        "Restyle the whole video as a 1970s Kodak film: warm highlights, faded blacks, soft grain, slight gate weave. Keep faces unchanged.",
        "Turn this footage into a hand-painted oil painting with thick impasto brush strokes, while keeping the camera movement of @Video1.",
        "Convert the video to black and white film noir with hard shadows and drifting smoke, keep all character actions the same",
        "Make it look like a Japanese woodblock print, flat colors, bold ink outlines",
        "Repaint every frame in the style of @Image1: the same brushwork, the same palette. The motion must follow @Video1.",
        "Apply the art style of @Image1 to the background and the art style of @Image2 to the character",
        "Use @Image1 as the style for the first half, then gradually shift to the style of @Image2",
        "Style transfer: @Image1 -> @Video1, 80% strength",
        "Blend the styles of @Image1 and @Image2, very subtle, so that the face stays legible",
        "Pixar style 3D animation, bright and cheerful",
        "make the video look like an old VHS tape from the 90s with tracking lines and scan lines",
        "Claymation version of the reference, stop-motion look, 12 fps feel",
        "comic book look with halftone dots and thick outlines, pop art colors",
    ]));
}

#[test]
fn relighting_and_weather() {
    insta::assert_snapshot!(render_all(&[
        "Change the time of day from noon to golden hour, long warm light from the left, keep everything else identical",
        "Relight the scene as a cold blue moonlit night; the street lamps and windows should glow",
        "Change the season to winter: heavy snow falls and a light mist hangs over the field",
        "It starts to rain halfway through the clip and a thunderstorm with lightning builds towards the end",
        "Sun breaks through the clouds, god rays through the trees, dust particles floating in the air",
        "Add gentle drizzle and wet pavement reflections, neon signs, cyberpunk mood, Blade Runner color palette",
        "Thick morning fog rolls in slowly from the background until only silhouettes remain",
        "overcast soft light, muted colors, low contrast, a bit melancholic",
        "sandstorm approaching, orange sky, post-apocalyptic look like Mad Max",
        "turn day into night, stars in the sky, lit windows, keep the colors of the car",
        "soft backlight, shallow depth of field, dreamy bloom, pastel tones",
        "Replace the sky with the one from @Image1 and match the lighting",
        "light leaks and lens flares at the beginning only",
        "warmer, a little brighter, less saturated and with more contrast",
    ]));
}

#[test]
fn shots_and_cameras() {
    insta::assert_snapshot!(render_all(&[
        "Based on @Video1, generate the next shot: the camera pushes in slowly on the same character, same lighting and style.",
        "Generate the previous shot of @Video1. Keep the style of the video. Static camera.",
        "Continue the story of @Video1 for another five seconds with the same pace and look",
        "Show the scene of @Video1 from a worm's-eye view with a wide-angle lens",
        "Reverse angle of the same moment, over-the-shoulder shot",
        "Take @Image1 as the start frame. Generate a new video following the camera movement of @Video1, at sunset.",
        "Use the camera motion of @Video1 for @Image2, smooth and slow, no shake",
        "Start on @Image1 and end on @Image2, with the camera path of the reference video",
        "Slow dolly in for two seconds, then a quick whip pan to the right, and finally a crane up",
        "Steadicam tracking shot following the subject from left to right, then hold",
        "Handheld documentary feel with slight camera shake, close-up on the hands",
        "Drone shot pulling back and rising to reveal the valley",
        "Dolly zoom (vertigo effect) on the main character",
        "Pull back slowly while tilting down, keep the horizon level",
        "Lock the camera off, stabilize, crop to 9:16 and keep the rabbit in frame",
        "Dutch angle, rolling slowly clockwise, uneasy mood",
    ]));
}

#[test]
fn elements_in_scenes() {
    insta::assert_snapshot!(render_all(&[
        "Put @Element1 on the table to the left of the lamp, matching the light and shadows of the scene",
        "@Element1 drives in from the right side of the frame, passes behind @Element2 and leaves on the left",
        "Insert @Element1 (a small robot) in the foreground bottom right, with a soft contact shadow, at half its size",
        "Let @Element1 fall from the sky and land in the center, and @Element2 float in the background",
        "Replace the man in the red jacket with @Element1, keep his walk and the camera",
        "Place the product @Element1 on the grass, slow push in, golden hour, in the colors of @Image1",
        "Add @Element1's logo floating at the top of the frame, semi-transparent, for the whole clip",
        "@Element1 and @Element2 stand side by side, @Element1 on the left. Do not change the background.",
        "have @Element1 appear after 3 seconds next to the tree, twice as large",
        "the cat from @Element2 sits on the roof; @Element1 must not appear",
    ]));
}

#[test]
fn time_and_length() {
    insta::assert_snapshot!(render_all(&[
        "Slow everything down to a quarter of the speed with smooth slow motion",
        "Extend @Video1 to 10 seconds, seamless loop, no visible cut",
        "Start in real time, then ramp into extreme slow motion at the moment of the jump",
        "hyperlapse of the street, then freeze on the last frame",
        "play it backwards at 2x speed, 1:1, without sound",
        "boomerang loop for Instagram, vertical",
        "Make a 5 second teaser, fast-paced and epic, with letterbox bars and a punch-in at the end",
    ]));
}

#[test]
fn as_people_type() {
    insta::assert_snapshot!(render_all(&[
        "pls make this look sick, like a movie trailer lol",
        "same video but anime",
        "Same thing. At night. Raining. Neon.",
        "✨dreamy✨ pastel 🌸 vibes, soft glow, slow mo 🐢",
        "STYLE: film noir | CAMERA: slow push in | LIGHT: hard, low key | NEGATIVE: color, text, watermark",
        "1) keep motion 2) repaint as @Image1 3) add grain",
        "Mach daraus ein Aquarell bei Sonnenuntergang, die Kamera bleibt ruhig",
        "Convierte el vídeo en una pintura al óleo, de noche y con lluvia",
        "Transforme o vídeo em anime, câmera lenta, cores vibrantes",
        "将视频转换为水彩画风格，夜晚，下雪",
        "Сделай видео в стиле нуар, чёрно-белое, с дождём",
        "اجعل الفيديو بالأبيض والأسود",
        "水彩画風にして、雨を降らせて、スローモーションで",
        "Rends-le en noir et blanc, travelling avant lent, grain argentique",
        "negative prompt: blurry, distorted faces, watermark, low quality. Prompt: oil painting, warm light",
        "make it less green and more like autumn, 50% slower, don't add music",
        "@Video1 in @Image1 style w/ @Element1",
    ]));
}
