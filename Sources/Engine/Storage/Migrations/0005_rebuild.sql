-- What a rebuild from rows needs beside the events themselves, once the journal no longer reaches back.
-- `flags`: bits 0-3 as in the journal's slice, 4-5 kind of device, 6 the session was named by the engine,
-- 7 the event's time was moved, 8-13 the event's place in its record: PostgreSQL fills gaps in older
-- pages, so rows do not lie in the order they were written in. Null in rows from before this column.

ALTER TABLE heliograph.event ADD COLUMN flags smallint;

-- Withdrawals of consent that no event row tells: without measurement none may be stored. A rebuild must
-- not bring back a score that its owner has taken away.
CREATE TABLE heliograph.withdrawal (
    received_at timestamptz NOT NULL,
    journal_offset bigint NOT NULL,
    partition smallint NOT NULL,
    site text NOT NULL,
    visitor_id text NOT NULL
);
