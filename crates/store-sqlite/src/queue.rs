//! The queue in memory, from the database.

use domain::queue::FairClock;
use domain::usage::Microdollars;
use domain::{OrderKey, OwnerId, Priority, QueueIndex, State};
use foldhash::HashMap;
use rusqlite::Connection;
use store::ledger::{Ledger, Parties};

use crate::accounts;
use crate::codec::damaged;
use crate::fault::Fault;

/// The queue and the virtual time of its lanes, as the database has them.
#[derive(Default)]
pub(crate) struct Restored {
    pub(crate) index: QueueIndex,
    pub(crate) clock: FairClock,
    pub(crate) ledger: Ledger,
    /// The last sequence number given.
    pub(crate) last_seq: i64,
}

/// What a scan of the queue finds out beside the keys.
#[derive(Default)]
struct Tallies {
    by_kind: HashMap<Kind, Tally>,
    /// The kind of the request before, which often is that of the next one.
    run: Option<(Kind, Tally)>,
}

/// Those of one kind.
#[derive(Debug, Clone, Copy)]
struct Tally {
    count: u64,
    /// What they will cost.
    price: i64,
    /// The last one in the lane.
    last: OrderKey,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Kind {
    state: State,
    priority: Priority,
    owner: i64,
    key: i64,
    model: i64,
}

/// Reads all from one scan of the queue's index (and the few rows that run).
pub(crate) fn restore(conn: &Connection) -> Result<Restored, Fault> {
    let (index, mut tallies) = scan(conn)?;
    let mut clock = FairClock::default();
    let mut statement = conn.prepare(
        "SELECT finish, seq, owner, key, model, price, priority \
         FROM request INDEXED BY request_running WHERE state = 2",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        tallies.note(State::Running, Priority::from_rank(row.get(6)?), row)?;
    }
    let mut lanes = conn.prepare("SELECT priority, reached FROM lane")?;
    let mut rows = lanes.query([])?;
    while let Some(row) = rows.next()? {
        let reached: i64 = row.get(1)?;
        clock.resume_at(Priority::from_rank(row.get(0)?), reached.saturating_add(1));
    }
    let mut name = conn.prepare("SELECT text FROM name WHERE n = ?1")?;
    let mut text = |n: i64| name.query_row([n], |row| row.get::<_, String>(0));
    let mut ledger = Ledger::default();
    accounts::restore(conn, &mut ledger)?;
    let tallies = tallies.finish();
    let mut lasts = HashMap::default();
    for (kind, tally) in &tallies {
        let last = lasts.entry((kind.priority, kind.owner)).or_insert(tally.last);
        *last = tally.last.max(*last);
    }
    for ((_, owner), last) in &lasts {
        clock.restore(&text(*owner)?.parse::<OwnerId>().map_err(damaged)?, last);
    }
    for (kind, Tally { count, price, .. }) in tallies {
        let parties = Parties {
            owner: text(kind.owner)?.parse().map_err(damaged)?,
            key: text(kind.key)?.parse().map_err(damaged)?,
            model: text(kind.model)?.into(),
            priority: kind.priority,
        };
        ledger.restore(&parties, kind.state, count, Microdollars(price));
    }
    let last_seq = conn.query_row("SELECT ifnull(max(seq), 0) FROM request", [], |r| r.get(0))?;
    Ok(Restored { index, clock, ledger, last_seq })
}

/// The queue alone.
pub(crate) fn index(conn: &Connection) -> Result<QueueIndex, Fault> {
    Ok(scan(conn)?.0)
}

/// Lane by lane: a column less to read of each row.
fn scan(conn: &Connection) -> Result<(QueueIndex, Tallies), Fault> {
    let (mut index, mut tallies) = (QueueIndex::default(), Tallies::default());
    for lane in [Priority::High, Priority::Normal, Priority::Low] {
        scan_lane(conn, lane, &mut index, &mut tallies)?;
    }
    Ok((index, tallies))
}

/// The two queued states of a lane are two sorted runs of the index; merged as they come.
fn scan_lane(
    conn: &Connection,
    lane: Priority,
    index: &mut QueueIndex,
    tallies: &mut Tallies,
) -> Result<(), Fault> {
    const SQL: [&str; 2] = [
        "SELECT finish, seq, owner, key, model, price FROM request INDEXED BY request_queue \
         WHERE state = 0 AND state < 2 AND priority = ?1 ORDER BY finish, seq",
        "SELECT finish, seq, owner, key, model, price FROM request INDEXED BY request_queue \
         WHERE state = 1 AND state < 2 AND priority = ?1 ORDER BY finish, seq",
    ];
    let [mut received, mut ready] = [conn.prepare(SQL[0])?, conn.prepare(SQL[1])?];
    let [mut received, mut ready] = [received.query([lane.rank()])?, ready.query([lane.rank()])?];
    let mut next = |rows: &mut rusqlite::Rows<'_>, state| -> Result<Option<OrderKey>, Fault> {
        let Some(row) = rows.next()? else { return Ok(None) };
        Ok(Some(tallies.note(state, lane, row)?))
    };
    let mut heads = (next(&mut received, State::Received)?, next(&mut ready, State::Ready)?);
    let mut failed = None;
    index.extend_sorted(std::iter::from_fn(|| {
        let (key, following) = match heads {
            (Some(a), Some(b)) if b < a => (b, State::Ready),
            (Some(a), _) => (a, State::Received),
            (None, Some(b)) => (b, State::Ready),
            (None, None) => return None,
        };
        let (rows, head) = match following {
            State::Ready => (&mut ready, &mut heads.1),
            _ => (&mut received, &mut heads.0),
        };
        match next(rows, following) {
            Ok(following) => *head = following,
            Err(fault) => {
                failed = Some(fault);
                return None;
            }
        }
        Some(key)
    }));
    failed.map_or(Ok(()), Err)
}

// === impl Tallies ===

impl Tallies {
    /// Takes up a row of finish, seq, owner, key, model and price.
    fn note(
        &mut self,
        state: State,
        priority: Priority,
        row: &rusqlite::Row<'_>,
    ) -> Result<OrderKey, Fault> {
        let key = OrderKey { priority, finish: row.get(0)?, seq: row.get(1)? };
        let (owner, model) = (row.get(2)?, row.get(4)?);
        let kind = Kind { state, priority, owner, key: row.get(3)?, model };
        let one = Tally { count: 1, price: row.get(5)?, last: key };
        match &mut self.run {
            Some((same, tally)) if *same == kind => tally.add(&one),
            run => {
                if let Some((kind, tally)) = run.replace((kind, one)) {
                    self.keep(kind, &tally);
                }
            }
        }
        Ok(key)
    }

    fn keep(&mut self, kind: Kind, tally: &Tally) {
        self.by_kind.entry(kind).and_modify(|kept| kept.add(tally)).or_insert(*tally);
    }

    fn finish(mut self) -> HashMap<Kind, Tally> {
        if let Some((kind, tally)) = self.run.take() {
            self.keep(kind, &tally);
        }
        self.by_kind
    }
}

// === impl Tally ===

impl Tally {
    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.price += other.price;
        self.last = self.last.max(other.last);
    }
}
