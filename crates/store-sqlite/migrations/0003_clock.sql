-- When the time of an attempt was set: one that was set later than now is of a clock that was set
-- back since.
ALTER TABLE delivery ADD COLUMN set_at INTEGER NOT NULL DEFAULT 0;
DROP INDEX delivery_due;
CREATE INDEX delivery_due ON delivery (next_at, owner, set_at) WHERE standing = 0;
CREATE INDEX delivery_set ON delivery (set_at) WHERE standing = 0;

-- Deadlines that were not counted anew, by the moment from which they were counted.
CREATE INDEX request_ahead ON request (created_at) WHERE deadline > created_at AND state < 3;
