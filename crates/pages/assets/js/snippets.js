// The request of the form, as programs. Each is whole: it submits, waits, and saves what came out.

import { base, modelPath } from './api.js';
import { codeBlock, fill, h, table } from './dom.js';
import { draft } from './draft.js';

/** @typedef {{origin: string, path: string, body: any}} Wanted */

/** @param {Wanted} w */
function curl({ origin, path, body }) {
  return `#!/usr/bin/env bash
# RESHOOT_KEY=… bash clip.sh
set -euo pipefail
api='${origin}'
auth="Authorization: Bearer $RESHOOT_KEY"

request=$(curl --silent --show-error --fail-with-body --request POST "$api${path}" \\
  --header "$auth" --header 'Content-Type: application/json' --data @- <<'BODY' | sed -E 's/.*"request_id":"([^"]+)".*/\\1/'
${JSON.stringify(body, null, 2)}
BODY
)
echo "$request"
while :; do
  result=$(curl --silent --show-error --fail-with-body --header "$auth" "$api/v1/requests/$request/result?wait=60")
  grep -qE '"status":"(succeeded|failed|cancelled)"' <<<"$result" && break
done
echo "$result"
grep -q '"status":"succeeded"' <<<"$result"
url=$(grep -oE 'https?://[^"]+/files/[^"]+' <<<"$result" | head -n 1)
curl --silent --show-error --fail --output "\${url##*/}" "$url" && echo "\${url##*/}"
`;
}

/** JSON is Python but for three words. @param {any} value @param {string} pad @returns {string} */
function pythonValue(value, pad = '') {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value !== 'object') return JSON.stringify(value);
  const list = Array.isArray(value);
  const inner = Object.entries(value).map(([k, v]) => `${pad}    ${list ? '' : `${JSON.stringify(k)}: `}${pythonValue(v, `${pad}    `)},\n`);
  const [open, close] = list ? '[]' : '{}';
  return inner.length ? `${open}\n${inner.join('')}${pad}${close}` : `${open}${close}`;
}

/** @param {Wanted} w */
function python({ origin, path, body }) {
  return `# pip install requests; RESHOOT_KEY=… python clip.py
import os

import requests

API = ${JSON.stringify(origin)}
session = requests.Session()
session.headers["Authorization"] = "Bearer " + os.environ["RESHOOT_KEY"]

response = session.post(API + ${JSON.stringify(path)}, json=${pythonValue(body)})
if not response.ok:
    raise SystemExit(response.text)
request = response.json()
print(request["request_id"])

while True:
    result = session.get(request["result_url"], params={"wait": 60}, timeout=90).json()
    if result["status"] in ("succeeded", "failed", "cancelled"):
        break
if result["status"] != "succeeded":
    raise SystemExit(result.get("error", result["status"]))

for output in result["output"].values():
    for url in output if isinstance(output, list) else [output]:
        name = url.rsplit("/", 1)[1]
        with open(name, "wb") as file:
            file.write(requests.get(url, timeout=90).content)
        print(name)
`;
}

/** @param {Wanted} w */
function javascript({ origin, path, body }) {
  return `// RESHOOT_KEY=… node clip.mjs
import { writeFile } from "node:fs/promises";

const api = ${JSON.stringify(origin)};
const headers = { Authorization: \`Bearer \${process.env.RESHOOT_KEY}\`, "Content-Type": "application/json" };

const response = await fetch(api + ${JSON.stringify(path)}, {
  method: "POST",
  headers,
  body: JSON.stringify(${JSON.stringify(body, null, 2).replaceAll('\n', '\n  ')}),
});
if (!response.ok) throw new Error(await response.text());
const request = await response.json();
console.log(request.request_id);

let result;
do {
  result = await (await fetch(\`\${request.result_url}?wait=60\`, { headers })).json();
} while (!["succeeded", "failed", "cancelled"].includes(result.status));
if (result.status !== "succeeded") throw new Error(JSON.stringify(result.error ?? result.status));

for (const url of Object.values(result.output).flat()) {
  const name = url.slice(url.lastIndexOf("/") + 1);
  await writeFile(name, Buffer.from(await (await fetch(url)).arrayBuffer()));
  console.log(name);
}
`;
}

/** @param {Wanted} w */
function rust({ origin, path, body }) {
  const json = JSON.stringify(body, null, 4).replaceAll('\n', '\n    ');
  let mark = '#';
  while (json.includes(`"${mark}`)) mark += '#';
  return `// cargo add serde_json; cargo add reqwest --features blocking,json; RESHOOT_KEY=… cargo run
use reqwest::blocking::Client;
use serde_json::Value;

const API: &str = ${JSON.stringify(origin)};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key = std::env::var("RESHOOT_KEY")?;
    let client = Client::builder().timeout(std::time::Duration::from_secs(90)).build()?;
    let body: Value = serde_json::from_str(
        r${mark}"${json}"${mark},
    )?;
    let response =
        client.post(format!("{API}${path}")).bearer_auth(&key).json(&body).send()?;
    if !response.status().is_success() {
        return Err(response.text()?.into());
    }
    let request: Value = response.json()?;
    println!("{}", request["request_id"]);

    let url = format!("{}?wait=60", request["result_url"].as_str().ok_or("no result_url")?);
    let result = loop {
        let result: Value = client.get(&url).bearer_auth(&key).send()?.json()?;
        if matches!(result["status"].as_str(), Some("succeeded" | "failed" | "cancelled")) {
            break result;
        }
    };
    if result["status"] != "succeeded" {
        return Err(result.to_string().into());
    }
    for output in result["output"].as_object().into_iter().flat_map(|map| map.values()) {
        let urls = output.as_array().map_or(std::slice::from_ref(output), Vec::as_slice);
        for url in urls.iter().filter_map(Value::as_str) {
            let name = url.rsplit('/').next().unwrap_or("clip");
            std::fs::write(name, client.get(url).send()?.bytes()?)?;
            println!("{name}");
        }
    }
    Ok(())
}
`;
}

/** @type {Record<string, (w: Wanted) => string>} */
const LANGUAGES = { curl, Python: python, JavaScript: javascript, Rust: rust };

/** @param {import('./api.js').Model} model */
export function apiTab(model) {
  const kept = draft(model.model_id);
  const example = Object.fromEntries(model.required_inputs.map((name) => [name, model.input_schema.properties?.[name]?.examples?.[0] ?? '']));
  const own = Object.keys(kept).length > 0;
  const wanted = { origin: location.origin + base, path: modelPath(model.model_id), body: own ? kept : example };
  const shown = h('div', { class: 'snippet', data: { language: 'curl' } });
  const show = (/** @type {string} */ name) => { shown.dataset.language = name; fill(shown, codeBlock(LANGUAGES[name]?.(wanted) ?? '', `Copy the ${name} program`)); };
  show('curl');
  return h('div', { class: 'prose wide' },
    h('p', null, own ? 'The request of the playground’s form, as a program.' : 'The model’s example, as a program; once the playground’s form is filled in, its request stands here.',
      ' The key comes from the variable ', h('code', null, 'RESHOOT_KEY'), ': make one at ', h('a', { href: `${base}/keys` }, 'Keys'), '.'),
    h('div', { class: 'segments', role: 'group', 'aria-label': 'Language' }, Object.keys(LANGUAGES).map((name, i) => h('label', null, h('input', { type: 'radio', name: 'language', value: name, checked: !i, onchange: () => show(name) }), h('span', null, name)))),
    shown,
    h('h2', null, 'The calls'),
    table('Calls', [], [
      ['POST', wanted.path, 'submits; answers with request_id, status_url, result_url, cancel_url'],
      ['POST', `${wanted.path}?dry_run=true`, 'plan, price and what would not be done; keeps nothing'],
      ['GET', '/v1/requests/{request_id}/status', 'in_queue with a position, in_progress, completed, cancelled'],
      ['GET', '/v1/requests/{request_id}/result?wait=60', 'what came out, as soon as it has'],
      ['GET', '/v1/requests/{request_id}/events', 'the same as server-sent events'],
      ['POST', '/v1/requests/{request_id}/cancel', 'queued work; ?force=true stops running work'],
    ].map(([method, path, says]) => [h('code', null, method), h('code', null, path), says])),
    h('p', null, h('a', { href: `${base}/docs` }, 'All calls, errors and events')));
}
