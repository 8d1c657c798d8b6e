//! Limits and sums of the reference store.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::admission::{DAY_SECS, Limits};
use domain::key::KeyRecord;
use domain::{KeyId, OwnerId, Priority};

use super::{Charge, Inner, MemoryStore};
use crate::StoreError;
use crate::accounts::{Accounts, GroupBy, Subject, Survey, UsageLine, UsageQuery, Waiting};
use crate::row::{Loads, RequestRow};

impl Inner {
    pub(super) fn limits_of(&self, subject: &str) -> Limits {
        self.limits.get(subject).copied().unwrap_or_default()
    }

    pub(super) fn with_limits(&self, key: &KeyRecord) -> KeyRecord {
        let (limits, owner_limits) =
            (self.limits_of(key.id.as_str()), self.limits_of(key.owner.as_str()));
        KeyRecord { limits, owner_limits, ..key.clone() }
    }

    /// Whether the key and the owner of a request may run one more.
    pub(super) fn may_run(&self, row: &RequestRow) -> bool {
        let loads = self.ledger.loads(&row.owner, &row.key);
        let room = |subject: &str, running: u32| {
            self.limits_of(subject).max_running.is_none_or(|max| running < max)
        };
        room(row.owner.as_str(), loads.owner.running) && room(row.key.as_str(), loads.key.running)
    }

    fn waiting(&self, model: &str, priority: Priority, depth: u64) -> Waiting {
        let mut queued = self.rows.values().filter(|row| {
            row.state.is_queued() && row.model == model && row.order.priority == priority
        });
        let oldest = queued.next().map(|row| row.created_at);
        Waiting { model: model.to_owned(), priority, depth, oldest }
    }
}

fn group(charge: &Charge, by: GroupBy) -> String {
    match by {
        GroupBy::Day => charge.at.unix_secs().div_euclid(DAY_SECS).to_string(),
        GroupBy::Model => charge.model.clone(),
        GroupBy::Key => charge.key.to_string(),
    }
}

#[async_trait]
impl Accounts for MemoryStore {
    async fn set_limits(&self, subject: &Subject, limits: Limits) -> Result<(), StoreError> {
        self.lock().limits.insert(subject.as_str().to_owned(), limits);
        self.changed(&[]);
        Ok(())
    }

    async fn limits(&self, subject: &Subject) -> Result<Limits, StoreError> {
        Ok(self.lock().limits_of(subject.as_str()))
    }

    fn loads(&self, owner: &OwnerId, key: &KeyId) -> Loads {
        self.lock().ledger.loads(owner, key)
    }

    async fn usage(&self, query: UsageQuery) -> Result<Vec<UsageLine>, StoreError> {
        let inner = self.lock();
        let mut lines = BTreeMap::new();
        let asked = inner.usage.iter().filter(|charge| {
            charge.owner == query.owner
                && (query.from..query.to).contains(&charge.at)
                && query.model.as_ref().is_none_or(|model| *model == charge.model)
                && query.key.as_ref().is_none_or(|key| *key == charge.key)
        });
        for charge in asked {
            let group = group(charge, query.group_by);
            let line = lines.entry(group.clone()).or_insert_with(|| UsageLine {
                group,
                clips: 0,
                units: 0,
                cost: domain::usage::Microdollars(0),
            });
            line.clips += 1;
            line.units += u64::from(charge.units);
            line.cost.0 += charge.cost.0;
        }
        Ok(lines.into_values().collect())
    }

    async fn survey(&self) -> Result<Survey, StoreError> {
        let inner = self.lock();
        let mut survey = Survey::default();
        let mut depths: Vec<_> = inner.ledger.depths().collect();
        depths.sort_unstable_by_key(|(model, _)| *model);
        for (model, depth) in depths {
            for (rank, queued) in (0..).zip(depth.queued).filter(|(_, queued)| *queued > 0) {
                survey.waiting.push(inner.waiting(model, Priority::from_rank(rank), queued));
            }
            if depth.running > 0 {
                survey.running.push((model.to_owned(), depth.running));
            }
        }
        Ok(survey)
    }
}
