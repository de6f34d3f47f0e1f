-- The archive. One row per event that took effect, the sessions they make up, and the scores worth
-- keeping. The only index on events is the one that visitor pages need: the speed of COPY is a
-- budget, and exactly-once comes from the positions below, not from a unique index.

CREATE TABLE heliograph.event (
    n bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    journal_offset bigint NOT NULL,
    page integer NOT NULL,
    partition smallint NOT NULL,
    consent smallint NOT NULL,
    bot boolean NOT NULL,
    site text NOT NULL,
    visitor_id text NOT NULL,
    session_id text,
    window_id text,
    message_id text,
    user_id text,
    type text NOT NULL,
    name text,
    address text,
    context jsonb,
    properties jsonb NOT NULL
) PARTITION BY RANGE (received_at);

CREATE INDEX event_visitor ON heliograph.event (site, visitor_id, received_at);

CREATE TABLE heliograph.session (
    site text NOT NULL,
    session_id text NOT NULL,
    visitor_id text NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    events bigint NOT NULL,
    page_views bigint NOT NULL,
    active_milliseconds bigint NOT NULL,
    score_maximum double precision NOT NULL,
    bot boolean NOT NULL,
    PRIMARY KEY (site, session_id)
) WITH (fillfactor = 80);

CREATE INDEX session_visitor ON heliograph.session (site, visitor_id);

CREATE TABLE heliograph.score_history (
    at timestamptz NOT NULL,
    journal_offset bigint NOT NULL,
    score double precision NOT NULL,
    confidence double precision NOT NULL,
    likelihood double precision NOT NULL,
    partition smallint NOT NULL,
    bot boolean NOT NULL,
    site text NOT NULL,
    visitor_id text NOT NULL,
    band text NOT NULL,
    profile text NOT NULL,
    reason text NOT NULL
);

CREATE INDEX score_history_visitor ON heliograph.score_history (site, visitor_id, at);

-- How far each partition of the journal has been taken, moved in the same transaction as the rows.
CREATE TABLE heliograph.position (
    partition smallint PRIMARY KEY CHECK (partition BETWEEN 0 AND 255),
    "offset" bigint NOT NULL
) WITH (fillfactor = 20);

INSERT INTO heliograph.position (partition, "offset")
SELECT partition, 0 FROM generate_series(0, 255) AS partition;

-- States of visitors that were idle for too long to stay in memory.
CREATE TABLE heliograph.visitor (
    site text NOT NULL,
    visitor_id text NOT NULL,
    partition smallint NOT NULL,
    journal_offset bigint NOT NULL,
    stored_at timestamptz NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (site, visitor_id)
);

-- Events that PostgreSQL refused, with what it said; the row's bytes as they were sent.
CREATE TABLE heliograph.refused_row (
    refused_at timestamptz NOT NULL DEFAULT now(),
    source text NOT NULL,
    reason text NOT NULL,
    message text NOT NULL,
    row_bytes bytea NOT NULL
);
