//! What a visit to the pages costs the server.

use std::collections::BTreeSet;

use crate::MODEL;
use crate::load::{Call, text_of, times};
use crate::served::Served;

const VISITS: usize = 400;

/// The CPU time of a first visit to a model's page (shell, stylesheet, modules, and the calls that
/// the page then makes), and of a later one, for which the browser has kept the files.
pub(crate) async fn visits() {
    let served = Served::start(&[]);
    let get = |path: &str| Call::get(&served, path).packed();
    let page = MODEL.trim_start_matches("/v1");
    let shell = text_of(&get(page)).await;
    let files: BTreeSet<&str> =
        shell.split('"').filter(|text| text.starts_with("/assets/")).collect();
    let calls = ["/api/auth/me", "/v1/balance", MODEL];
    let mut later = Vec::from([get(page)]);
    later.extend(calls.iter().map(|path| get(path)));
    let mut first = later.clone();
    first.extend(files.iter().map(|path| get(path)));
    for (name, visit) in [("first", first), ("later", later)] {
        let before = served.cpu_millis();
        for call in &visit {
            times(call, VISITS).await;
        }
        let millis = (served.cpu_millis() - before) / VISITS as f64;
        println!("{name} visit to a page, {} calls: {millis:.2} ms of CPU  aim 1", visit.len());
    }
}
