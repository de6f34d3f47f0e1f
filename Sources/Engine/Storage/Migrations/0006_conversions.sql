-- Conversions, the touches that led to them, and what is to be told to which destination. Written by the
-- archive in the transaction that stores the events, so exactly once; `heliograph.delivery` is the
-- outbox, which forwarders then work through.

-- A visit's beginning, or a click on an advertisement within it.
CREATE TABLE heliograph.touch (
    at timestamptz NOT NULL,
    journal_offset bigint NOT NULL,
    partition smallint NOT NULL,
    site text NOT NULL,
    visitor_id text NOT NULL,
    session_id text,
    channel text NOT NULL,
    source text,
    medium text,
    campaign text,
    -- The kind of click id that the page was reached with, such as gclid; its value is sealed below.
    click text
);

CREATE INDEX touch_visitor ON heliograph.touch (site, visitor_id, at);

CREATE TABLE heliograph.conversion (
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    journal_offset bigint NOT NULL,
    partition smallint NOT NULL,
    -- Bits as in the journal's record: consent, and flags of the slice.
    consent smallint NOT NULL,
    flags smallint NOT NULL,
    -- Whether the event tells of health.
    sensitive boolean NOT NULL,
    bot boolean NOT NULL,
    site text NOT NULL,
    -- The event's id, the same in the browser: `<window>-<n>` or the sender's message id.
    conversion_id text NOT NULL,
    -- A canonical name, such as purchase, or the site's own for a conversion by rule.
    name text NOT NULL,
    visitor_id text NOT NULL,
    user_id text,
    session_id text,
    value numeric,
    currency text,
    order_id text,
    page_url text,
    referrer text,
    title text,
    -- Items and what else the canonical event has, keys as in Delivery/CanonicalFields.
    details jsonb NOT NULL,
    -- Destinations that are not told, each with the reason.
    withheld jsonb NOT NULL,
    PRIMARY KEY (site, conversion_id)
);

CREATE INDEX conversion_visitor ON heliograph.conversion (site, visitor_id, occurred_at);
CREATE INDEX conversion_order ON heliograph.conversion (site, name, order_id)
    WHERE order_id IS NOT NULL;
CREATE INDEX conversion_time ON heliograph.conversion (site, occurred_at);

-- Which touch earned which share of a conversion; the shares of one model sum to 1.
CREATE TABLE heliograph.attribution (
    site text NOT NULL,
    conversion_id text NOT NULL,
    model text NOT NULL,
    touched_at timestamptz,
    channel text NOT NULL,
    source text,
    medium text,
    campaign text,
    credit double precision NOT NULL
);

CREATE INDEX attribution_conversion ON heliograph.attribution (site, conversion_id);

-- What a visitor let us keep for advertisement platforms: sealed under day keys that are destroyed after
-- eight days, so that these bytes mean nothing to anybody after that.
CREATE TABLE heliograph.contact (
    site text NOT NULL,
    visitor_id text NOT NULL,
    -- Browser ids of the platforms, address and user agent of the latest page.
    page_seal bytea,
    -- Hashes of the latest identify.
    identify_seal bytea,
    -- The latest click id of Meta's and when it was first seen; `click_key` tells one from another.
    click_seal bytea,
    click_key text,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (site, visitor_id)
) WITH (fillfactor = 80);

CREATE TABLE heliograph.delivery (
    delivery_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site text NOT NULL,
    destination text NOT NULL,
    conversion_id text NOT NULL,
    visitor_id text NOT NULL,
    occurred_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL DEFAULT 'pending' CHECK (state IN (
        'pending', 'sending', 'delivered', 'in_doubt', 'retry', 'dead', 'expired', 'held', 'cancelled')),
    -- Requests that carried it.
    attempts integer NOT NULL DEFAULT 0,
    -- Requests whose fate is unknown: as many copies may exist beyond the first.
    doubts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(),
    claimed_by text,
    claimed_until timestamptz,
    settled_at timestamptz,
    -- The platform's code, our reason, the platform's trace id, and what it remarked.
    code text,
    reason text,
    trace text,
    remark text,
    -- Sealed blocks as they were when the conversion happened; emptied once it is settled.
    seal bytea,
    page_seal bytea,
    identify_seal bytea,
    click_seal bytea,
    UNIQUE (site, destination, conversion_id)
) WITH (fillfactor = 70);

CREATE INDEX delivery_due ON heliograph.delivery (due_at) WHERE state IN ('pending', 'retry');
CREATE INDEX delivery_claimed ON heliograph.delivery (claimed_until) WHERE state = 'sending';
CREATE INDEX delivery_visitor ON heliograph.delivery (site, visitor_id)
    WHERE state IN ('pending', 'retry', 'held', 'sending');
CREATE INDEX delivery_conversion ON heliograph.delivery (site, conversion_id);
