-- When a call was last made with a key, to the minute.
ALTER TABLE api_key ADD COLUMN last_used_at INTEGER;

-- The requests that came to each end last.
CREATE INDEX request_ended ON request (state, finished_at) WHERE finished_at IS NOT NULL;
