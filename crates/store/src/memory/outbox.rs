//! Deliveries of the reference store.

use async_trait::async_trait;
use domain::{OwnerId, Timestamp};
use tokio::sync::watch;

use super::{Inner, MemoryStore};
use crate::StoreError;
use crate::outbox::{Attempted, Backlog, Delivery, DeliveryListing, Outbox, Standing};

impl Inner {
    fn delivery(&mut self, id: &str) -> Option<&mut Delivery> {
        self.deliveries.values_mut().find(|delivery| delivery.id == id)
    }

    fn pending(&self) -> impl Iterator<Item = &Delivery> {
        self.deliveries.values().filter(|delivery| delivery.standing == Standing::Pending)
    }

    fn take(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
        busy: &[OwnerId],
    ) -> Vec<Delivery> {
        let mut due: Vec<&mut Delivery> = self
            .deliveries
            .values_mut()
            .filter(|delivery| delivery.is_due(now))
            .filter(|delivery| !busy.contains(&delivery.owner))
            .collect();
        due.sort_by_key(|delivery| delivery.next_at);
        due.truncate(limit as usize);
        due.into_iter()
            .map(|delivery| {
                delivery.take(now, until);
                delivery.clone()
            })
            .collect()
    }

    fn settle(
        &mut self,
        id: &str,
        attempt: u32,
        outcome: Attempted,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let gone = outcome == Attempted::Gone;
        let delivery = self.delivery(id).ok_or(StoreError::Fenced)?;
        delivery.settle(attempt, outcome, now)?;
        if !gone {
            return Ok(());
        }
        let (owner, url) = (delivery.owner.clone(), delivery.url.clone());
        let same = |other: &&mut Delivery| {
            other.owner == owner && other.url == url && other.standing == Standing::Pending
        };
        self.deliveries.values_mut().filter(same).for_each(|other| other.disable(now));
        self.gone.insert((owner, url));
        Ok(())
    }
}

#[async_trait]
impl Outbox for MemoryStore {
    async fn take_deliveries(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
        busy: &[OwnerId],
    ) -> Result<Vec<Delivery>, StoreError> {
        Ok(self.lock().take(now, until, limit, busy))
    }

    async fn settle_delivery(
        &self,
        id: &str,
        attempt: u32,
        outcome: Attempted,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.lock().settle(id, attempt, outcome, now)
    }

    fn posted(&self) -> watch::Receiver<()> {
        self.posted.subscribe()
    }

    async fn next_delivery(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let inner = self.lock();
        let due = inner.pending().any(|delivery| delivery.is_due(now));
        let first = inner.pending().filter_map(|delivery| delivery.next_at).min();
        Ok(first.map(|at| if due { at.min(now) } else { at }))
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        let inner = self.lock();
        let oldest = inner.pending().map(|delivery| delivery.created_at).min();
        Ok(Backlog { pending: inner.pending().count() as u64, oldest })
    }

    async fn deliveries(&self, listing: DeliveryListing) -> Result<Vec<Delivery>, StoreError> {
        let inner = self.lock();
        let newest = inner.deliveries.iter().rev();
        let own = newest.filter(|(_, delivery)| delivery.owner == listing.owner);
        let before = match &listing.before {
            Some(id) => own.clone().find(|(_, delivery)| delivery.id == *id).map_or(0, |(n, _)| *n),
            None => u64::MAX,
        };
        Ok(own
            .filter(|(n, _)| **n < before)
            .map(|(_, delivery)| delivery)
            .filter(|delivery| listing.request.as_ref().is_none_or(|id| *id == delivery.request))
            .take(listing.limit as usize)
            .cloned()
            .collect())
    }

    async fn replay_delivery(
        &self,
        owner: &OwnerId,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<Delivery>, StoreError> {
        let mut inner = self.lock();
        let Some(delivery) = inner.delivery(id).filter(|found| found.owner == *owner) else {
            return Ok(None);
        };
        delivery.replay(now);
        let delivery = delivery.clone();
        inner.gone.remove(&(delivery.owner.clone(), delivery.url.clone()));
        drop(inner);
        self.posted.send_replace(());
        Ok(Some(delivery))
    }

    async fn secrets(
        &self,
        owner: &OwnerId,
        fresh: &str,
        now: Timestamp,
    ) -> Result<Vec<String>, StoreError> {
        let mut inner = self.lock();
        let secrets = inner.secrets.entry(owner.clone()).or_default();
        if secrets.is_empty() {
            secrets.push((fresh.to_owned(), None));
        }
        secrets.retain(|(_, until)| until.is_none_or(|until| until > now));
        Ok(secrets.iter().map(|(text, _)| text.clone()).collect())
    }

    async fn rotate_secret(
        &self,
        owner: &OwnerId,
        fresh: &str,
        _now: Timestamp,
        overlap_until: Timestamp,
    ) -> Result<(), StoreError> {
        let mut inner = self.lock();
        let secrets = inner.secrets.entry(owner.clone()).or_default();
        for (_, until) in secrets.iter_mut() {
            until.get_or_insert(overlap_until);
        }
        secrets.insert(0, (fresh.to_owned(), None));
        Ok(())
    }
}
