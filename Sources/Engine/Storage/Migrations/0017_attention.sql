-- Cards of *Needs attention* that somebody has put away. Cards themselves are worked out from the rows
-- each time, so a card that has nothing to say any more needs no row to be gone.

CREATE TABLE heliograph.attention (
    site text NOT NULL,
    -- The rule, and what of the site it is about.
    card_id text NOT NULL,
    state text NOT NULL CHECK (state IN ('snoozed', 'dismissed', 'done')),
    at timestamptz NOT NULL DEFAULT now(),
    -- Null stands for as long as it concerns less than twice as many.
    until timestamptz,
    -- How many it concerned then.
    affected bigint NOT NULL,
    reason text,
    actor text NOT NULL,
    PRIMARY KEY (site, card_id)
);
