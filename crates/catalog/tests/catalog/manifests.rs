//! Whatever is wrong with a model's files is named: file, key, what.

use std::fs;
use std::path::Path;

use catalog::{Catalog, CatalogError};

use crate::acme_folder;

const FOLDER: &str = "acme/still-maker/portrait";

/// The made-up model with `from` replaced by `to` in one of its files, loaded.
fn broken(file: &str, from: &str, to: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join(FOLDER);
    fs::create_dir_all(&folder).unwrap();
    for name in ["manifest.toml", "input.schema.json", "output.schema.json"] {
        let mut text = fs::read_to_string(acme_folder().join(FOLDER).join(name)).unwrap();
        if name == file {
            assert!(text.contains(from), "{from}");
            text = text.replacen(from, to, 1);
        }
        fs::write(folder.join(name), text).unwrap();
    }
    let error = Catalog::load(dir.path()).expect_err(to);
    let CatalogError::Wrong { file: named, key, reason } = error else { panic!("{error:?}") };
    assert_eq!(Path::new(&named), folder.join(file));
    format!("{key}: {reason}")
}

#[test]
fn manifest_faults_are_named() {
    for (from, to, want) in [
        ("price_unit", "prise_unit", "prise_unit: unknown field `prise_unit`"),
        ("= 0.04", "= -1.0", "base_price_usd: has to be at least 0"),
        ("= 0.04", "= nan", "base_price_usd: has to be at least 0"),
        ("\"output\"", "\"second\"", "price_unit: an image has no seconds, use `output`"),
        ("portrait\"", "profile\"", "model_id: `acme/still-maker/profile` has to equal its folder"),
        ("[\"image-to-image\", \"video-to-image\"]", "[]", "categories: at least one is required"),
        ("\"/text\"", "\"/prompt\"", "roles.prompt: `/prompt` points at no field"),
        ("\"/text\"", "\"/steps\"", "roles.prompt: `/steps` is not of a type that fits"),
        ("\"/clips\"", "\"/strength\"", "roles.video: `/strength` is not of a type that fits"),
        ("\"/clips\"", "\"/cast\"", "roles.video: `/cast` has to be a string or a list of strings"),
        ("\"clip\"", "\"film\"", "roles.video.limits: there is no `[limits.video.film]`"),
        ("\"/face\"", "\"/nose\"", "roles.elements.frontal: `/nose` points at no field"),
        ("\"/cast\"", "\"/looks\"", "roles.elements.at: `/looks` has to list objects"),
        ("min_secs = 1.0", "min_secs = 90.0", "limits.video.clip.min_secs: `90` is not between"),
        (
            "max_bytes = 1000\n",
            "max_bytes = 0\n",
            "limits.image.look.max_bytes: has to be at least 1",
        ),
        ("codecs = [\"h264\"]", "codecs = []", "limits.video.clip: a list of"),
        (
            "name = \"images\"",
            "name = \"pics\"",
            "output.name: `pics` is not in output.schema.json",
        ),
        ("\"plain\"", "\"fancy\"", "output.quality: `fancy` is not one of `plain`"),
        ("\"2:3\"]", "\"3:2\"]", "output.sizes.plain.\"3:2\": is required"),
        ("[512, 768]", "[512, 767]", "output.sizes.plain.\"2:3\": both sides have to be even"),
        ("[\"1:1\", \"2:3\"]", "[\"1:1\"]", "output.ratios: has no size for \"2:3\" of the schema"),
        ("run_secs", "fun_secs", "fun_secs: unknown field `fun_secs`"),
        ("kind = \"image\"", "kind = \"video\"", "output.length_secs: is required where no field"),
    ] {
        let found = broken("manifest.toml", from, to);
        assert!(found.starts_with(want), "{to}: {found}");
    }
}

#[test]
fn schema_faults_are_named() {
    for (from, to, want) in [
        (
            "\"maxLength\": 80",
            "\"pattern\": \"x\"",
            "/properties/text/pattern: this keyword is not supported",
        ),
        (
            "\"default\": 0.5",
            "\"default\": 5",
            "/properties/strength/default: properties.strength: 5, at most 1",
        ),
        ("\"float\"", "\"double\"", "/properties/strength/type: has to be string"),
        (
            "\"required\": [\"text\"]",
            "\"required\": [\"tekst\"]",
            "/required: `tekst` is required but",
        ),
        ("\"type\": \"object\"", "\"type\": \"array\"", "/type: has to be object"),
        ("\"type\": \"object\",", "", "/type: has to be object"),
        ("{", "{,", "/: "),
    ] {
        let found = broken("input.schema.json", from, to);
        assert!(found.starts_with(want), "{to}: {found}");
    }
}

#[test]
fn a_readme_is_read_and_one_that_is_too_long_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join(FOLDER);
    fs::create_dir_all(&folder).unwrap();
    for name in ["manifest.toml", "input.schema.json", "output.schema.json"] {
        fs::copy(acme_folder().join(FOLDER).join(name), folder.join(name)).unwrap();
    }
    let readme = folder.join("README.md");
    let longest = "a".repeat(64 << 10);
    fs::write(&readme, &longest).unwrap();
    let catalog = Catalog::load(dir.path()).unwrap();
    assert_eq!(catalog.get(FOLDER).unwrap().readme(), Some(longest.as_str()));
    fs::write(&readme, longest + "a").unwrap();
    let error = Catalog::load(dir.path()).unwrap_err().to_string();
    assert!(error.contains("README.md") && error.contains("more than 65536 bytes"), "{error}");
}

#[test]
fn a_folder_without_models_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Catalog::load(dir.path()), Err(CatalogError::Empty { .. })));
    let missing = dir.path().join("nowhere");
    assert!(matches!(Catalog::load(&missing), Err(CatalogError::Unreadable { .. })));
    let folder = dir.path().join("a/b");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("manifest.toml"), "").unwrap();
    let error = Catalog::load(dir.path()).unwrap_err().to_string();
    assert!(error.contains("input.schema.json"), "{error}");
}
