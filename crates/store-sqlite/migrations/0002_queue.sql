-- When a request has to have ended, what it costs, and whether its inputs are still kept.
ALTER TABLE request ADD COLUMN deadline INTEGER;
ALTER TABLE request ADD COLUMN price INTEGER NOT NULL DEFAULT 0;
ALTER TABLE request ADD COLUMN inputs_kept INTEGER NOT NULL DEFAULT 1;

-- The last four columns are there so that a start counts what everybody has waiting from this
-- index alone.
DROP INDEX request_queue;
CREATE INDEX request_queue ON request (state, priority, finish, seq, owner, key, model, price)
    WHERE state < 2;
-- The oldest request of each model and priority.
CREATE INDEX request_oldest ON request (model, priority, seq) WHERE state < 2;
CREATE INDEX request_deadline ON request (deadline) WHERE deadline IS NOT NULL AND state < 3;
CREATE INDEX request_finished ON request (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX request_inputs ON request (finished_at)
    WHERE finished_at IS NOT NULL AND inputs_kept = 1;

CREATE INDEX usage_owner ON usage (owner, at);

CREATE INDEX file_request ON file (request) WHERE request IS NOT NULL;
CREATE INDEX file_upload ON file (created_at) WHERE request IS NULL;

-- Which requests that have not ended need a file.
CREATE TABLE file_use (
    token TEXT NOT NULL,
    seq   INTEGER NOT NULL REFERENCES request (seq) ON DELETE CASCADE,
    PRIMARY KEY (token, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX file_use_seq ON file_use (seq);

-- What an idempotency key was used for.
CREATE TABLE once (
    owner   INTEGER NOT NULL REFERENCES name (n),
    path    TEXT NOT NULL,
    key     TEXT NOT NULL,
    body    BLOB NOT NULL,
    request TEXT NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (owner, path, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX once_at ON once (at);

-- Limits of keys and owners, by id; `max_running` apart, for claims.
CREATE TABLE limits (
    subject     TEXT PRIMARY KEY,
    doc         TEXT NOT NULL,
    max_running INTEGER
) STRICT;
CREATE INDEX limits_running ON limits (subject) WHERE max_running IS NOT NULL;

-- What a key or an owner has spent in all, and sent on the latest day (days since 1970).
CREATE TABLE account (
    subject TEXT PRIMARY KEY,
    spent   INTEGER NOT NULL,
    day     INTEGER NOT NULL,
    bytes   INTEGER NOT NULL
) STRICT;
INSERT INTO account (subject, spent, day, bytes)
    SELECT owner, sum(cost), 0, 0 FROM usage GROUP BY owner;
INSERT INTO account (subject, spent, day, bytes)
    SELECT key, sum(cost), 0, 0 FROM usage GROUP BY key;

-- The outbox. `event` counts as `request.state`; `standing`: 0 pending, 1 delivered, 2 failed,
-- 3 disabled, 4 superseded.
CREATE TABLE delivery (
    n           INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    owner       TEXT NOT NULL,
    request     TEXT NOT NULL,
    url         TEXT NOT NULL,
    event       INTEGER NOT NULL,
    standing    INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    next_at     INTEGER,
    created_at  INTEGER NOT NULL,
    opened_at   INTEGER NOT NULL,
    finished_at INTEGER,
    last_status INTEGER,
    last_error  TEXT
) STRICT;
CREATE INDEX delivery_due ON delivery (next_at, owner) WHERE standing = 0;
CREATE INDEX delivery_pending ON delivery (created_at) WHERE standing = 0;
CREATE INDEX delivery_owner ON delivery (owner, n);
CREATE INDEX delivery_request ON delivery (request, n);

-- Receivers that answered 410.
CREATE TABLE webhook_gone (
    owner TEXT NOT NULL,
    url   TEXT NOT NULL,
    at    INTEGER NOT NULL,
    PRIMARY KEY (owner, url)
) STRICT, WITHOUT ROWID;

-- Webhook secrets, the newest last; one that was rotated out signs along until `until`.
CREATE TABLE webhook_secret (
    n     INTEGER PRIMARY KEY,
    owner TEXT NOT NULL,
    text  TEXT NOT NULL,
    until INTEGER
) STRICT;
CREATE INDEX webhook_secret_owner ON webhook_secret (owner, n);

-- Folders of bytes that no row names any more.
CREATE TABLE trash (
    folder TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
