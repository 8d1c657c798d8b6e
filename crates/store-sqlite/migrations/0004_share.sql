-- Links that show a result; they end with their request.
CREATE TABLE share (
    seq   INTEGER PRIMARY KEY REFERENCES request (seq) ON DELETE CASCADE,
    token TEXT NOT NULL UNIQUE
) STRICT;
