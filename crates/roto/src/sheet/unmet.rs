//! The reasons that are given more than once.

pub(crate) const INVENTS_NOTHING: &str =
    "roto repaints what is there and invents nothing; an engine with weights can";

pub(crate) const NO_OTHER_VIEWPOINT: &str =
    "roto moves the frame within the reference's own picture and has no other viewpoint";

pub(crate) const STYLE_WINS: &str =
    "the style picture says how it is painted; no second medium is laid over it";

pub(crate) const NO_MASK: &str = "roto keeps colours and media to the subject, the background, the sky or the tones, and cuts out \
     no other part of the scene";
