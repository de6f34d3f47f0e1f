-- Which browsers are read as one person. A row for each change in the order of the journal, written by
-- the archive in the transaction that moves its position, so exactly once. The person's key is a hash of
-- the site and of the user's id in the form that the journal has it.

CREATE TABLE heliograph.identity_change (
    received_at timestamptz NOT NULL,
    journal_offset bigint NOT NULL,
    partition smallint NOT NULL,
    -- Whether the visitor is part of the person from then on.
    joined boolean NOT NULL,
    cause text NOT NULL CHECK (cause IN ('identified', 'withdrawn', 'parted', 'rejoined')),
    site text NOT NULL,
    visitor_id text NOT NULL,
    identity text NOT NULL
);

CREATE INDEX identity_change_visitor
    ON heliograph.identity_change (site, visitor_id, journal_offset DESC);
CREATE INDEX identity_change_identity ON heliograph.identity_change (site, identity);

-- Who is part of whom now.
CREATE VIEW heliograph.identity_member AS
SELECT site, visitor_id, identity, received_at AS since, cause FROM (
    SELECT DISTINCT ON (site, visitor_id) * FROM heliograph.identity_change
    ORDER BY site, visitor_id, journal_offset DESC) AS latest
WHERE joined;

-- The browsers that are read as one person with a visitor, itself among them; nobody when it is alone.
CREATE FUNCTION heliograph.members_of(of_site text, of_visitor text)
RETURNS TABLE (identity text, visitor_id text, since timestamptz) LANGUAGE sql STABLE
SET search_path = pg_catalog AS $$
    WITH asked AS (
        SELECT c.identity, c.joined FROM heliograph.identity_change c
        WHERE c.site = of_site AND c.visitor_id = of_visitor
        ORDER BY c.journal_offset DESC LIMIT 1)
    SELECT latest.identity, latest.visitor_id, latest.received_at
    FROM asked, LATERAL (
        SELECT DISTINCT c.visitor_id FROM heliograph.identity_change c
        WHERE c.site = of_site AND c.identity = asked.identity) AS known, LATERAL (
        SELECT * FROM heliograph.identity_change c
        WHERE c.site = of_site AND c.visitor_id = known.visitor_id
        ORDER BY c.journal_offset DESC LIMIT 1) AS latest
    WHERE asked.joined AND latest.joined AND latest.identity = asked.identity
    ORDER BY latest.received_at, latest.visitor_id
$$;

ALTER TABLE heliograph.erasure DROP CONSTRAINT erasure_action_check;
ALTER TABLE heliograph.erasure ADD CONSTRAINT erasure_action_check
    CHECK (action IN ('erase', 'restrict', 'lift', 'export', 'part', 'rejoin'));
