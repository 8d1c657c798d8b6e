-- Owners, keys and models as the request rows name them: a number in place of 30 to 60 characters.
CREATE TABLE name (
    n    INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;

-- The hot part of a request: what claims, polls and lists look for. `state` counts in the order
-- of a request's life: 0 received, 1 ready, 2 running, 3 succeeded, 4 failed, 5 cancelled.
-- Times are microseconds since 1970.
CREATE TABLE request (
    seq         INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    owner       INTEGER NOT NULL REFERENCES name (n),
    key         INTEGER NOT NULL REFERENCES name (n),
    model       INTEGER NOT NULL REFERENCES name (n),
    state       INTEGER NOT NULL,
    priority    INTEGER NOT NULL,
    finish      INTEGER NOT NULL,
    epoch       INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    losses      INTEGER NOT NULL,
    not_before  INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    finished_at INTEGER,
    stage       TEXT,
    worker      TEXT,
    lease_end   INTEGER
) STRICT;

-- The queue, in order, for each of its two states; `owner` is there so that a start reads
-- nothing but this index.
CREATE INDEX request_queue ON request (state, priority, finish, seq, owner) WHERE state < 2;
CREATE INDEX request_owner ON request (owner, seq);
CREATE INDEX request_running ON request (state) WHERE state = 2;
CREATE INDEX request_lease ON request (lease_end) WHERE lease_end IS NOT NULL;
-- Only requests that were set back are in it: a new one may be claimed from its first moment.
CREATE INDEX request_not_before ON request (not_before)
    WHERE state < 2 AND not_before > created_at;

-- The cold part of a request: one JSON document.
CREATE TABLE body (
    seq INTEGER PRIMARY KEY REFERENCES request (seq) ON DELETE CASCADE,
    doc TEXT NOT NULL
) STRICT;

-- The virtual time that each priority's lane has reached.
CREATE TABLE lane (
    priority INTEGER PRIMARY KEY,
    reached  INTEGER NOT NULL
) STRICT;
INSERT INTO lane (priority, reached) VALUES (0, 0), (1, 0), (2, 0);

-- One row for each published request; it outlives the request's record.
CREATE TABLE usage (
    request TEXT PRIMARY KEY,
    owner   TEXT NOT NULL,
    key     TEXT NOT NULL,
    model   TEXT NOT NULL,
    units   INTEGER NOT NULL,
    cost    INTEGER NOT NULL,
    at      INTEGER NOT NULL
) STRICT;

CREATE TABLE api_key (
    id         TEXT PRIMARY KEY,
    hash       BLOB NOT NULL UNIQUE,
    owner      TEXT NOT NULL,
    name       TEXT NOT NULL,
    role       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;

CREATE TABLE file (
    token        TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    owner        TEXT NOT NULL,
    request      TEXT,
    path         TEXT NOT NULL,
    content_type TEXT NOT NULL,
    bytes        INTEGER NOT NULL,
    sha256       TEXT NOT NULL,
    created_at   INTEGER NOT NULL
) STRICT;

-- Written by `check`, so that a readiness answer means that a commit went through.
CREATE TABLE probe (
    n      INTEGER PRIMARY KEY CHECK (n = 1),
    checks INTEGER NOT NULL
) STRICT;
INSERT INTO probe (n, checks) VALUES (1, 0);
