//! One value of each type of the wire, with all that it can have, held against its component of
//! `/openapi.json`. What replies leave out in other tests is seen here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use wire::{
    Balance, CancelReply, Categories, Check, Delivery, DeliveryList, Detail, DryRun, EngineInfo,
    ErrorBody, ErrorCode, Event, FileUploaded, Health, HealthWord, KeyCreated, KeyEntry, KeyList,
    LimitSet, ModelEntry, ModelList, Outcome, Pass, Ready, Record, RequestList, ResultReply,
    ResultWord, RunError, Shared, SharedResult, SignedIn, StageTimes, StatusReply, StatusWord,
    Submitted, Summary, System, SystemDisk, SystemEngine, SystemFault, SystemHonour, SystemQueue,
    SystemQueueGroup, SystemRunning, SystemStage, SystemWebhooks, SystemWorkers, Usage, UsageLine,
    UsageSum, WebhookSecrets, WhoAmI,
};

use crate::schema::Schemas;
use crate::support::Fixture;

const AT: &str = "2026-11-22T05:43:01.123456+00:00";
const URL: &str = "https://h/v1/requests/r1";

/// What is no body: parameters, and words that are an integer or a part of others.
const NOT_DESCRIBED: [&str; 9] = [
    "CancelQuery",
    "ErrorCode",
    // Bodies that are only read: their schemas are held against what the calls take.
    "KeyChange",
    "NewKey",
    "SignIn",
    "ModelListQuery",
    "RequestListQuery",
    "ResultQuery",
    "SubmitQuery",
];

fn text(text: &str) -> String {
    text.to_owned()
}

fn detail() -> Detail {
    Detail {
        loc: vec![json!("body"), json!("elements"), json!(1)],
        msg: text("elements[1]: too many"),
        kind: text("sequence_too_long"),
        ctx: Map::from_iter([(text("max_length"), json!(4))]),
        input: json!(["x"]),
    }
}

fn run_error() -> RunError {
    RunError {
        code: text("input_invalid"),
        kind: text("input"),
        message: text("too many"),
        detail: vec![detail()],
    }
}

fn entry() -> ModelEntry {
    ModelEntry {
        model_id: text("a/b/c"),
        display_name: text("B"),
        description: text("Makes clips."),
        kind: text("model"),
        categories: vec![text("video-to-video")],
        base_price_usd: 0.112,
        price_unit: text("second"),
        pricing_note: Some(text("Set by the operator.")),
        model_url: text("https://h/v1/models/a/b/c"),
        inputs: vec![text("prompt")],
        required_inputs: vec![text("prompt")],
        input_schema: Some(json!({"type": "object"})),
        output_schema: Some(json!({"output": {}})),
        roles: Some(roles()),
        readme: Some(text("# B")),
    }
}

fn roles() -> Value {
    let sizes = json!({"16:9": [1280, 720]});
    json!({"prompt": "/prompt", "media": [], "output": {"kind": "video", "fps": 24, "sizes": sizes}})
}

fn summary() -> Summary {
    Summary {
        request_id: text("r1"),
        model_id: text("a/b/c"),
        prompt: Some(text("go")),
        status: ResultWord::Succeeded,
        queue_position: Some(1),
        created_at: text(AT),
        finished_at: Some(text(AT)),
        output: Some(json!({"video": "https://h/files/t/clip.mp4"})),
        poster_url: Some(text("https://h/files/t/poster.jpg")),
        error: Some(run_error()),
    }
}

fn engine() -> EngineInfo {
    EngineInfo { name: text("roto"), version: text("0.1.0"), seed: Some(u64::MAX) }
}

fn pass() -> Pass {
    Pass { name: text("grade"), parameters: json!({"strength": 0.5}), millis: 40 }
}

fn stage() -> StageTimes {
    StageTimes { name: text("intake"), started_at: text(AT), finished_at: Some(text(AT)) }
}

fn event() -> Event {
    Event { at: text(AT), kind: text("received"), message: text("taken") }
}

fn record() -> Record {
    Record {
        summary: summary(),
        input: json!({"prompt": "go"}),
        plan: Some(json!({"task": "next_shot"})),
        engine: Some(engine()),
        metrics: Some(BTreeMap::from([(text("warp_error"), 1.5)])),
        passes: Some(vec![pass()]),
        unmet: vec![json!({"wish": "rain"})],
        warnings: vec![text("unknown field `seed` has no effect")],
        stages: vec![stage()],
        events: vec![event()],
        priority: Some(text("normal")),
        attempts: 1,
        cost: Some(0.56),
        share_url: Some(text("https://h/share/t")),
        expires_at: Some(text(AT)),
        status_url: text(URL),
        result_url: text(URL),
        cancel_url: text(URL),
    }
}

fn dry_run() -> DryRun {
    DryRun {
        dry_run: true,
        model_id: text("a/b/c"),
        input: json!({"prompt": "go"}),
        plan: json!({"task": "next_shot"}),
        engine: Some(text("roto")),
        unmet: vec![json!({"wish": "rain"})],
        provisional: true,
        warnings: vec![text("unknown field `seed` has no effect")],
        cost: 0.0,
    }
}

fn submitted() -> Submitted {
    let (request_id, url) = (text("r1"), || text(URL));
    Submitted { request_id, status_url: url(), result_url: url(), cancel_url: url() }
}

fn status() -> StatusReply {
    StatusReply {
        request_id: text("r1"),
        status: StatusWord::InQueue,
        queue_position: Some(3),
        status_url: text(URL),
        result_url: text(URL),
    }
}

fn result() -> ResultReply {
    ResultReply {
        request_id: text("r1"),
        status: ResultWord::Failed,
        model_id: text("a/b/c"),
        output: Some(json!({"video": "https://h/files/t/clip.mp4"})),
        error: Some(run_error()),
        created_at: Some(text(AT)),
        finished_at: Some(text(AT)),
        cost: Some(0.56),
    }
}

fn shared() -> SharedResult {
    SharedResult {
        model_id: text("a/b/c"),
        output: json!({"video": "https://h/v1/shared/t/clip.mp4"}),
        poster_url: Some(text("https://h/v1/shared/t/poster.jpg")),
        created_at: text(AT),
        finished_at: text(AT),
    }
}

fn check() -> Check {
    let message = Some(text("cannot write"));
    Check { name: text("store"), status: HealthWord::Failing, message }
}

fn uploaded() -> FileUploaded {
    let (url, content_type) = (text("https://h/files/t/a.png"), text("image/png"));
    FileUploaded { url, bytes: 12, content_type, expires_at: Some(text(AT)) }
}

fn whoami() -> WhoAmI {
    let (id, email) = (text("own_1"), text("studio"));
    WhoAmI { id, email, token_type: text("user"), token_created_at: text(AT) }
}

/// By the name of the type, which is that of the component.
fn examples() -> Vec<(&'static str, Value)> {
    let cancel = CancelReply {
        request_id: text("r1"),
        status: StatusWord::InProgress,
        outcome: Outcome::NotCancellable,
    };
    let list = RequestList { requests: vec![summary()], next_cursor: Some(text("r1")) };
    let models = ModelList { models: vec![entry()], total: 1, limit: 100, offset: 0 };
    vec![
        ("Balance", json!(Balance::from_microdollars(4_440_000))),
        ("CancelReply", json!(cancel)),
        ("Categories", json!(Categories { categories: vec![text("video-to-video")] })),
        ("Check", json!(check())),
        ("Detail", json!(detail())),
        ("DryRun", json!(dry_run())),
        ("EngineInfo", json!(engine())),
        ("ErrorBody", json!(ErrorBody::validation(vec![detail()]))),
        ("ErrorBody", json!(ErrorBody::new(ErrorCode::Conflict, "other body"))),
        ("Event", json!(event())),
        ("FileUploaded", json!(uploaded())),
        ("Health", json!(Health { status: HealthWord::Ok, version: text("0.1.0") })),
        ("HealthWord", json!(HealthWord::Draining)),
        ("ModelEntry", json!(entry())),
        ("ModelList", json!(models)),
        ("Outcome", json!(Outcome::Cancelled)),
        ("Pass", json!(pass())),
        ("Ready", json!(Ready::of(vec![check()]))),
        ("Record", json!(record())),
        ("RequestList", json!(list)),
        ("ResultReply", json!(result())),
        ("ResultWord", json!(ResultWord::Succeeded)),
        ("RunError", json!(run_error())),
        ("Shared", json!(Shared { url: text("https://h/share/t") })),
        ("SharedResult", json!(shared())),
        ("SignedIn", json!(SignedIn { key: text("rsk_x") })),
        ("StageTimes", json!(stage())),
        ("StatusReply", json!(status())),
        ("StatusWord", json!(StatusWord::Completed)),
        ("Submitted", json!(submitted())),
        ("Summary", json!(summary())),
        ("WhoAmI", json!(whoami())),
        ("Delivery", json!(delivery())),
        ("DeliveryList", json!(DeliveryList { deliveries: vec![delivery()], next_cursor: None })),
        ("KeyCreated", json!(KeyCreated { key: text("rsk_x"), entry: key() })),
        ("KeyEntry", json!(key())),
        ("KeyList", json!(KeyList { keys: vec![key()] })),
        ("LimitSet", json!(LimitSet::default())),
        ("Usage", json!(usage())),
        ("UsageLine", json!(usage().usage[0])),
        ("UsageSum", json!(usage().total)),
        ("WebhookSecrets", json!(WebhookSecrets { secret: text("whsec_x"), previous: vec![] })),
    ]
}

/// By the same, what an operator is shown.
fn examples_of_system() -> Vec<(&'static str, Value)> {
    vec![
        ("System", json!(system())),
        ("SystemDisk", json!(system().disk)),
        ("SystemEngine", json!(system().engines[0])),
        ("SystemFault", json!(system().faults[0])),
        ("SystemHonour", json!(system().engines[0].honours[0])),
        ("SystemQueue", json!(system().queue)),
        ("SystemQueueGroup", json!(system().queue.groups[0])),
        ("SystemRunning", json!(system().running[0])),
        ("SystemStage", json!(system().stages[0])),
        ("SystemWebhooks", json!(system().webhooks)),
        ("SystemWorkers", json!(system().workers)),
    ]
}

fn system() -> System {
    System {
        status: HealthWord::Failing,
        version: text("0.1.0"),
        now: text(AT),
        started_at: text(AT),
        checks: vec![check()],
        queue: SystemQueue {
            depth: 1,
            oldest_age_secs: Some(1.5),
            groups: vec![SystemQueueGroup {
                model_id: text("a/b/c"),
                priority: text("high"),
                depth: 1,
                oldest_age_secs: 1.5,
            }],
        },
        running: vec![SystemRunning {
            request_id: text("r1"),
            model_id: text("a/b/c"),
            worker: text("wrk_1"),
            stage: text("run"),
            pass: Some(text("grade")),
            fraction: Some(0.5),
            since: text(AT),
            attempt: 1,
        }],
        workers: SystemWorkers { runs: 1, intakes: 8 },
        stages: vec![SystemStage {
            name: text("intake"),
            count: 1,
            p50_secs: 0.5,
            p90_secs: 0.5,
            max_secs: 0.5,
        }],
        engines: vec![SystemEngine {
            name: text("roto"),
            version: text("0.1.0"),
            models: vec![text("a/b/c")],
            honours: vec![SystemHonour {
                wish: text("rain"),
                degree: text("partly"),
                note: text("in the air"),
            }],
        }],
        faults: vec![SystemFault {
            at: text(AT),
            request_id: text("r1"),
            model_id: text("a/b/c"),
            code: text("input_invalid"),
            message: text("too many"),
        }],
        webhooks: SystemWebhooks { pending: 0, oldest_age_secs: None },
        disk: Some(SystemDisk { free_bytes: 1, total_bytes: 2 }),
    }
}

fn key() -> KeyEntry {
    KeyEntry {
        id: text("key_1"),
        owner_id: text("own_1"),
        name: text("studio"),
        role: text("user"),
        created_at: text(AT),
        revoked_at: None,
        last_used_at: Some(text(AT)),
        limits: LimitSet { max_queued: Some(3), budget_usd: Some(5.5), ..LimitSet::default() },
        owner_limits: LimitSet::default(),
        spent_usd: 0.56,
    }
}

fn usage() -> Usage {
    let sum = UsageSum { requests: 1, seconds: 5, cost: 0.56 };
    Usage {
        from: text(AT),
        to: text(AT),
        group_by: text("day"),
        usage: vec![UsageLine { group: text("2026-11-22"), sum }],
        total: sum,
    }
}

fn delivery() -> Delivery {
    Delivery {
        id: text("msg_1_3"),
        request_id: text("r1"),
        event: text("succeeded"),
        url: text("https://hooks.example/a"),
        state: text("pending"),
        attempts: 1,
        created_at: text(AT),
        next_attempt_at: Some(text(AT)),
        finished_at: None,
        last_status: Some(503),
        last_error: Some(text("busy")),
    }
}

#[tokio::test]
async fn a_value_of_each_type_is_what_its_component_says() {
    let server = Fixture::new().await;
    let document = server.document().await;
    for (name, value) in examples().into_iter().chain(examples_of_system()) {
        let schema = &document["components"]["schemas"][name];
        let faults = Schemas(document).faults(schema, &value);
        assert!(faults.is_empty(), "{name}: {faults:#?}");
    }
}

#[test]
fn each_type_of_the_wire_has_an_example() {
    let source = include_str!("../../../wire/src/lib.rs");
    let exported: BTreeSet<&str> = source
        .split("pub use ")
        .skip(1)
        .filter_map(|text| text.split(';').next())
        .flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
        .filter(|name| name.starts_with(|c: char| c.is_ascii_uppercase()))
        .collect();
    let mut known: BTreeSet<&str> =
        examples().iter().chain(&examples_of_system()).map(|(name, _)| *name).collect();
    known.extend(NOT_DESCRIBED);
    assert_eq!(exported, known);
}
