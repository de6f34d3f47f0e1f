-- What visitors chose, in the order of the journal: one row for each consent event, written by the
-- archive in the transaction that moves its position, so exactly once. Rows prove what was agreed to
-- when; nothing reads them on the way of an event.

CREATE TABLE heliograph.consent_record (
    -- The event's own time.
    at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    journal_offset bigint NOT NULL,
    partition smallint NOT NULL,
    -- What the choice said, and what holds after opt-outs and the dialogues' strings: bits of consent.
    said smallint NOT NULL,
    consent smallint NOT NULL,
    -- 16 opted out of sale and sharing, 32 a child, 64 in the EEA, the United Kingdom or Switzerland.
    flags smallint NOT NULL,
    -- Settings that it was decided under, as records carry them.
    settings_version bigint NOT NULL,
    -- CRC-32C of `signals`.
    digest bigint NOT NULL,
    site text NOT NULL,
    visitor_id text NOT NULL,
    -- What the page named as the choice's source, such as a dialogue.
    source text,
    -- The event's members as they were sent, strings of dialogues among them.
    signals jsonb NOT NULL
);

CREATE INDEX consent_record_visitor ON heliograph.consent_record (site, visitor_id, at);
