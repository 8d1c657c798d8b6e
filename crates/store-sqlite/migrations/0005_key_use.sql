-- When a call was last made with a key, to the minute.
ALTER TABLE api_key ADD COLUMN last_used_at INTEGER;
