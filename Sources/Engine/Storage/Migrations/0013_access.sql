-- Who may read what, and who did. Secrets are not here: `digest` is SHA-256 of a token's text, which
-- holds 256 random bits.

CREATE TABLE heliograph.credential (
    -- The part of the token that names it.
    credential_id text PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('token', 'session')),
    name text NOT NULL,
    digest bytea NOT NULL,
    scopes text[] NOT NULL,
    -- Null stands for every site.
    sites text[],
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    -- Null stands for never.
    expires_at timestamptz,
    -- Kept to the minute.
    used_at timestamptz,
    revoked_at timestamptz,
    -- Of a session, the token that it was opened with.
    parent text
) WITH (fillfactor = 80);

-- Changes: who made or took away which credential, who signed in.
CREATE TABLE heliograph.audit (
    audit_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    actor_name text NOT NULL,
    action text NOT NULL,
    subject text
);

CREATE INDEX audit_at ON heliograph.audit (at);

-- Reads of a person's data, at most one row a minute for the same reader, person and kind. Goes and is
-- handed out with the person's other rows, see migration 8.
CREATE TABLE heliograph.visitor_read (
    read_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    actor_name text NOT NULL,
    site text NOT NULL,
    visitor_id text NOT NULL,
    what text NOT NULL
);

CREATE INDEX visitor_read_at ON heliograph.visitor_read (at);
CREATE INDEX visitor_read_visitor ON heliograph.visitor_read (site, visitor_id, at);
