//! Cancelling: what waits, what runs, and what has ended.

use serde_json::json;
use testkit::{MediaHost, Reply};

use crate::support::home::Home;
use crate::support::processes::until;
use crate::support::{ACME, KLING, Server, sample_bytes};

#[test]
fn queued_work_is_cancelled_and_the_queue_closes_up() {
    let server = Server::start(Home::with_second_model(&[]).flag("--workers", "0"));
    let ids: Vec<String> =
        (0..3).map(|_| server.submit(ACME, &json!({"text": "a still"}))).collect();
    let positions = || ids.iter().map(|id| server.status(id)["queue_position"].clone());
    assert_eq!(positions().collect::<Vec<_>>(), [json!(1), json!(2), json!(3)]);
    // A repeated cancel is harmless, and says the same.
    for _ in 0..2 {
        let reply = server.post(&format!("/v1/requests/{}/cancel", ids[0]), None).expect(202);
        let expected = json!({"request_id": ids[0], "status": "cancelled", "outcome": "cancelled"});
        assert_eq!(reply, expected);
    }
    assert_eq!(positions().collect::<Vec<_>>(), [json!(null), json!(1), json!(2)]);
    let result = server.finished(&ids[0]);
    assert_eq!((&result["status"], result.get("output")), (&json!("cancelled"), None));
    server.post("/v1/requests/req_unknown/cancel", None).expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_ends_a_fetch_and_leaves_nothing() {
    let host = MediaHost::http();
    let film = sample_bytes("bigbuckbunny_720p25_5s.mp4");
    let half = film.len() / 2;
    host.on("/bunny.mp4", Reply::ok(film).stall_after(half));
    let server = Server::start(Home::new(&[host.address().to_string()]));
    let body = json!({"prompt": "a new shot of @Video1", "video_url": host.url("/bunny.mp4")});
    let id = server.submit(KLING, &body);
    let files = || server.home.files_under("files");
    until("the start of a fetch", || (!files().is_empty()).then_some(()));
    let reply = server.post(&format!("/v1/requests/{id}/cancel"), None).expect(202);
    let expected = json!({"request_id": id, "status": "cancelled", "outcome": "cancelled"});
    assert_eq!(reply, expected);
    until("the end of the fetch", || files().is_empty().then_some(()));
    assert_eq!(server.finished(&id)["status"], "cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn force_ends_running_work_and_its_processes() {
    let host = MediaHost::http();
    host.on("/bunny.mp4", Reply::ok(sample_bytes("bigbuckbunny_720p25_5s.mp4")));
    let server = Server::start(Home::new(&[host.address().to_string()]));
    let body = json!({
        "prompt": "in slow motion, from another camera angle",
        "video_url": host.url("/bunny.mp4"),
        "duration": "10",
    });
    let id = server.submit(KLING, &body);
    server.running(&id);
    until("the engine's start", || {
        server.children().iter().any(|child| child.command.contains(" engine ")).then_some(())
    });

    let cancel = format!("/v1/requests/{id}/cancel");
    let reply = server.post(&cancel, None).expect(202);
    assert_eq!(
        (&reply["status"], &reply["outcome"]),
        (&json!("in_progress"), &json!("not_cancellable"))
    );
    let reply = server.post(&format!("{cancel}?force=true"), None).expect(202);
    assert_eq!((&reply["status"], &reply["outcome"]), (&json!("cancelled"), &json!("cancelled")));
    until("the end of the cancelled run's processes", || {
        server.children().is_empty().then_some(())
    });
    let result = server.get(&format!("/v1/requests/{id}/result?include_cost=true")).expect(200);
    assert_eq!(result["status"], "cancelled");
    assert!(result.get("output").is_none(), "{result:#}");
    until("the removal of what the run had made", || {
        let left = server.home.files_under("scratch").len()
            + server.home.files_under("files/outputs").len();
        (left == 0).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_request_stays_as_it_is() {
    let host = MediaHost::http();
    let server = Server::start(Home::with_second_model(&[host.address().to_string()]));
    let missing = json!({"text": "a still of @Video1", "clips": [host.url("/nowhere.mp4")]});
    let id = server.submit(ACME, &missing);
    assert_eq!(server.finished(&id)["status"], "failed");
    let reply = server.post(&format!("/v1/requests/{id}/cancel?force=true"), None).expect(202);
    assert_eq!(
        (&reply["status"], &reply["outcome"]),
        (&json!("completed"), &json!("not_cancellable"))
    );
    assert_eq!(server.finished(&id)["status"], "failed");
}
