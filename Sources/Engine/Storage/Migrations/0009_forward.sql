-- What forwarders ask of the outbox.

-- One destination's deliveries that are due, however many wait for others.
CREATE INDEX delivery_waiting ON heliograph.delivery (site, destination, due_at)
    WHERE state IN ('pending', 'retry');
CREATE INDEX delivery_sending ON heliograph.delivery (site, destination, claimed_until)
    WHERE state = 'sending';
DROP INDEX heliograph.delivery_due;
DROP INDEX heliograph.delivery_claimed;

-- Consent bits of a visitor's latest choice after `since`, without advertising's where the visitor
-- has opted out; null when there was none.
CREATE FUNCTION heliograph.consent_since(of_site text, of_visitor text, since timestamptz)
RETURNS smallint LANGUAGE plpgsql STABLE AS $body$
BEGIN
    IF to_regclass('heliograph.consent_record') IS NULL THEN RETURN NULL; END IF;
    RETURN (
        SELECT CASE WHEN r.flags & 16 = 0 THEN r.consent ELSE r.consent & ~40 END
        FROM heliograph.consent_record AS r
        WHERE r.site = of_site AND r.visitor_id = of_visitor AND r.at > since
        ORDER BY r.at DESC, r.journal_offset DESC LIMIT 1);
END
$body$;

-- How destinations are, as their forwarders say.
CREATE TABLE heliograph.destination_state (
    site text NOT NULL,
    destination text NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'failing', 'paused', 'stopped')),
    code text,
    reason text,
    since timestamptz NOT NULL,
    PRIMARY KEY (site, destination)
);
