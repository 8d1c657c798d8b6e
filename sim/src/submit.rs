//! What goes into the store: requests of clients, clips of workers.

use domain::lease::Lease;
use domain::{Clock as _, FileToken, RequestId, Timestamp};
use serde_json::{Value, json};
use store::row::{BothLimits, Hook, Once, PublishedBody, RequestRow};
use store::{FileRow, Inserted, NewRequest, Published, Store as _, StoreError, Terms};

use crate::calls::Answer;
use crate::desk::Desk;
use crate::plan::{Deed, Errand, PRICE};

/// Takes errand number `errand` of client number `client`, with another body if it is `altered`.
pub(crate) async fn submit(desk: &Desk, client: usize, errand: usize, altered: bool) -> Answer {
    let Some(new) = request(desk, client, errand, altered) else { return Answer::Unknown };
    let world = &desk.world;
    let (key, owner) = (new.terms.once.as_ref().map(|once| once.key.clone()), new.owner.clone());
    let key = key.unwrap_or_default();
    let answer = world.store.insert(new).await;
    world.note(&desk.host, format!("submit {key} altered={altered}: {answer:?}"));
    match answer {
        Ok(Inserted { status, replayed }) => {
            if altered {
                world.wrong(format!("key {key} was taken for another body"));
            }
            if replayed {
                world.count("submit repeated");
                world.witness.borrow_mut().repeated(&key, &status.id);
            } else if let Ok(Some(row)) = world.store.request(&status.id).await {
                world.witness.borrow_mut().inserted(&key, &row);
            } else {
                world.wrong(format!("`{}` was inserted and is not there", status.id));
            }
            Answer::Accepted(status.id, status.state)
        }
        Err(StoreError::Refused(why)) => {
            world.witness.borrow_mut().refused(&owner);
            world.count("submit refused");
            Answer::Refused(why.to_string())
        }
        Err(StoreError::Reused) => {
            world.count("key reused");
            Answer::Reused
        }
        Err(_) => Answer::Unavailable,
    }
}

fn request(desk: &Desk, client: usize, n: usize, altered: bool) -> Option<NewRequest> {
    let world = &desk.world;
    let errand = world.plan.clients.get(client)?.get(n)?;
    let Errand { key, owner, priority, hook, deadline_secs, .. } = errand;
    let (id, key_id) = world.owners.get(*owner)?;
    let now = desk.clock.now();
    let hook = hook.as_ref().map(|(url, intermediate)| Hook {
        url: url.clone(),
        intermediate: *intermediate,
        base: "https://sim".to_owned(),
    });
    let once = Once { key: key.clone(), path: "/sim".to_owned(), body: [u8::from(altered); 32] };
    let limits = world.plan.owners.get(*owner).copied().unwrap_or_default();
    Some(NewRequest {
        id: RequestId::new(now, &desk.luck),
        owner: id.clone(),
        key: key_id.clone(),
        model: "sim/model".to_owned(),
        input: json!({"key": key, "poison": errand.does(Deed::Poison)}),
        warnings: Vec::new(),
        priority: *priority,
        created_at: now,
        terms: Terms {
            price: PRICE,
            deadline: deadline_secs.map(|secs| now.plus_secs(secs)),
            webhook: hook,
            once: Some(once),
            limits: BothLimits { owner: limits, ..BothLimits::default() },
            ..Terms::default()
        },
    })
}

/// A clip with one file, made under `lease`.
pub(crate) fn published(
    row: &RequestRow,
    lease: &Lease,
    token: &FileToken,
    now: Timestamp,
) -> Published {
    let file = FileRow {
        token: token.clone(),
        name: "clip.mp4".to_owned(),
        owner: row.owner.clone(),
        request: Some(row.id.clone()),
        path: format!("outputs/{}/{}/clip.mp4", row.id, lease.epoch.0),
        content_type: "video/mp4".to_owned(),
        bytes: 1000,
        sha256: String::new(),
        created_at: now,
    };
    let body = PublishedBody {
        output: json!({"video": file.url_path()}),
        poster: None,
        plan: Value::Null,
        report: Value::Null,
        cost: PRICE,
    };
    Published { body, files: vec![file], units: 5, cost: PRICE }
}
