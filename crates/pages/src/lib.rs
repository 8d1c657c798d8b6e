//! The pages: what a browser is sent. Files and nothing else; who sends them is `server`.
//!
//! There is no build step: what is in `assets/` is what is sent. `index.html` is the shell of every
//! page; `js/app.js` looks at the address and shows the page that belongs to it. The pages know
//! nothing but the API, which they call with the visitor's own key.

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// One file.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Its path below [`folder`]: `js/app.js`.
    pub path: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
    /// The same, compressed.
    pub gzip: &'static [u8],
}

const SHELL: &str = "index.html";

/// The name of the folder that all files are served from: the hash of all of them.
pub const fn folder() -> &'static str {
    VERSION
}

/// The file with this path.
pub fn asset(path: &str) -> Option<&'static Asset> {
    assets().find(|asset| asset.path == path)
}

/// All files.
pub fn assets() -> impl Iterator<Item = &'static Asset> {
    ASSETS.iter().filter(|asset| asset.path != SHELL)
}

/// What every page begins as, for a server whose paths begin with `base` (empty, or `/api`), and
/// whose files are below `{base}/assets/{folder}/`.
///
/// `base` has to be free of characters that mean something in HTML; that of a URL is.
pub fn shell(base: &str) -> String {
    let assets = format!("{base}/assets/{VERSION}");
    let preload = |path: &&str| format!("<link rel=\"modulepreload\" href=\"{assets}/{path}\">");
    let preload: Vec<String> = EARLY.iter().map(preload).collect();
    let shell = ASSETS.iter().find(|asset| asset.path == SHELL).map_or(&[][..], |it| it.bytes);
    String::from_utf8_lossy(shell)
        .replace("{{base}}", base)
        .replace("{{assets}}", &assets)
        .replace("{{version}}", VERSION)
        .replace("{{preload}}", &preload.join("\n"))
}

// === impl Asset ===

impl Asset {
    /// Its media type.
    pub fn content_type(&self) -> &'static str {
        match self.path.rsplit('.').next() {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some("md") => "text/markdown; charset=utf-8",
            _ => "application/octet-stream",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All of it, compressed: what a visitor who looks at everything is sent.
    const MOST_BYTES: usize = 80_000;

    fn text(path: &str) -> &'static str {
        std::str::from_utf8(asset(path).unwrap().bytes).unwrap()
    }

    #[test]
    fn all_files_together_stay_small() {
        let sum: usize = ASSETS.iter().map(|asset| asset.gzip.len()).sum();
        assert!(sum < MOST_BYTES, "{sum} bytes");
    }

    #[test]
    fn the_shell_has_nothing_inline_and_names_files_that_are_there() {
        let shell = shell("/api");
        for bad in ["{{", " style=", "<style", "<script>", "onclick", "onload", "javascript:"] {
            assert!(!shell.contains(bad), "{bad}");
        }
        let prefix = format!("\"/api/assets/{VERSION}/");
        let named: Vec<&str> =
            shell.split(&prefix).skip(1).map(|s| s.split('"').next().unwrap()).collect();
        assert!(named.len() > 5, "{named:?}");
        for path in named {
            assert!(asset(path).is_some(), "{path}");
        }
    }

    #[test]
    fn every_module_that_is_imported_is_there() {
        for module in assets().filter(|asset| asset.path.starts_with("js/")) {
            for (at, _) in text(module.path).match_indices("'./") {
                let name = text(module.path)[at + 3..].split('\'').next().unwrap();
                assert!(asset(&format!("js/{name}")).is_some(), "{} imports {name}", module.path);
            }
        }
    }

    #[test]
    fn no_file_names_another_host_or_reads_text_as_code() {
        let as_code = ["innerHTML", "outerHTML", "insertAdjacentHTML", " eval(", "new Function"];
        for asset in assets().filter(|asset| asset.path.starts_with("js/")) {
            let text = text(asset.path).replace("http://www.w3.org/2000/svg", "");
            for bad in as_code.iter().chain(&["http://", "https://"]) {
                assert!(!text.contains(bad), "{} has {bad}", asset.path);
            }
        }
        let style = text("app.css");
        assert!(!style.contains("url(") && !style.contains("@import"));
    }

    #[test]
    fn no_module_names_a_field_of_a_model() {
        let fields = ["video_url", "image_urls", "frontal_image_url", "keep_audio", "aspect_ratio"];
        for asset in assets().filter(|asset| asset.path.starts_with("js/")) {
            for field in fields {
                assert!(!text(asset.path).contains(field), "{} names {field}", asset.path);
            }
        }
    }

    #[test]
    fn the_guides_are_those_that_the_pages_list() {
        for guide in assets().filter_map(|asset| asset.path.strip_prefix("docs/")) {
            let name = guide.strip_suffix(".md").unwrap();
            assert!(
                text("js/docs.js").contains(&format!("  {name}: '"))
                    || text("js/docs.js").contains(&format!(" {name}: '")),
                "{name}"
            );
        }
    }
}
