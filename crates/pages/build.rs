//! Puts the files of the pages into the program as they are written, and compressed. They are
//! served below one folder whose name is the hash of all of them: a module's relative imports stay
//! in it, and whatever a browser has kept of it never changes.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;
use flate2::{Compression, Crc};

/// What of `docs/` is for users and operators, and shown by the pages.
const GUIDES: [&str; 4] = ["queue", "errors", "clients", "metrics"];

/// The modules that most visits need, with what they import; a browser is told of them at once.
const EARLY: [&str; 2] = ["js/app.js", "js/model.js"];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    println!("cargo::rerun-if-changed=assets");
    println!("cargo::rerun-if-changed=build.rs");
    let mut files = Vec::new();
    list(&root.join("assets"), "", &mut files)?;
    for guide in GUIDES {
        let path = root.join("../../docs").join(format!("{guide}.md")).canonicalize()?;
        println!("cargo::rerun-if-changed={}", path.display());
        files.push((format!("docs/{guide}.md"), path));
    }
    files.sort();
    let mut hash = Crc::new();
    let mut table = String::new();
    for (n, (name, path)) in files.iter().enumerate() {
        let bytes = fs::read(path)?;
        hash.update(format!("{name} {}\n", bytes.len()).as_bytes());
        hash.update(&bytes);
        let packed = out.join(format!("{n}.gz"));
        let mut encoder = GzEncoder::new(fs::File::create(&packed)?, Compression::best());
        encoder.write_all(&bytes)?;
        encoder.finish()?.flush()?;
        let (plain, packed) = (path.display().to_string(), packed.display().to_string());
        writeln!(
            table,
            "    Asset {{ path: {name:?}, bytes: include_bytes!({plain:?}), gzip: include_bytes!({packed:?}) }},"
        )?;
    }
    let version = format!("{:08x}", hash.sum());
    let mut early = Vec::new();
    for module in EARLY {
        imports(&root.join("assets"), module, &mut early)?;
    }
    let code = format!(
        "pub(crate) const VERSION: &str = {version:?};\n\
         pub(crate) const EARLY: &[&str] = &{early:?};\n\
         pub(crate) const ASSETS: &[Asset] = &[\n{table}];\n"
    );
    fs::write(out.join("assets.rs"), code)?;
    Ok(())
}

/// All files below `folder`, with their paths from `assets`.
fn list(
    folder: &Path,
    prefix: &str,
    into: &mut Vec<(String, PathBuf)>,
) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|_| "a file's name is no text")?;
        let name = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &format!("{name}/"), into)?;
        } else {
            into.push((name, entry.path()));
        }
    }
    Ok(())
}

/// `module` and the modules that its `import` lines name, each once.
fn imports(assets: &Path, module: &str, into: &mut Vec<String>) -> Result<(), Box<dyn Error>> {
    if into.iter().any(|known| known == module) {
        return Ok(());
    }
    into.push(module.to_owned());
    for line in fs::read_to_string(assets.join(module))?.lines() {
        let named = line.strip_prefix("import ").and_then(|line| line.split_once(" from './"));
        if let Some((_, rest)) = named {
            imports(assets, &format!("js/{}", rest.trim_end_matches("';")), into)?;
        }
    }
    Ok(())
}
