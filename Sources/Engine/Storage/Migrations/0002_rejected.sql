-- What was refused, kept for a while so that nothing is lost silently: by day, dropped after
-- `retention.rejected_days`. One row per journal record, exactly once by the same positions as events.
-- The bytes are sanitised before the journal; `replayed_at` and `outcome` say what became of a replay.

CREATE TABLE heliograph.rejected_event (
    received_at timestamptz NOT NULL,
    journal_offset bigint NOT NULL,
    partition smallint NOT NULL,
    flags smallint NOT NULL,
    bytes_sent integer NOT NULL,
    reason text NOT NULL,
    place text NOT NULL,
    site text,
    key text,
    format text NOT NULL,
    path text NOT NULL,
    event_id text,
    address text,
    bytes bytea NOT NULL,
    replayed_at timestamptz,
    outcome text
) PARTITION BY RANGE (received_at);

CREATE INDEX rejected_event_order
    ON heliograph.rejected_event (received_at, partition, journal_offset);
CREATE INDEX rejected_event_id ON heliograph.rejected_event (event_id) WHERE event_id IS NOT NULL;
