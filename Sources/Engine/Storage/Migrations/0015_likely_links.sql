-- What is known of browsers that may be one person's, for whoever asks: worked out from the rows that
-- are there, stored nowhere. So a link goes with the rows it was read from, and with consent. Only rows
-- count that came after the last moment at which a browser allowed less than measurement, storage,
-- profiling and linking (bits 1, 2, 4, 8).

-- Who else was on a network is asked seldom: block summaries, as for ids of events (migration 4).
CREATE INDEX event_address ON heliograph.event
    USING brin (address text_bloom_ops(n_distinct_per_range = 600))
    WITH (pages_per_range = 64, autosummarize = on);
CREATE INDEX withdrawal_visitor ON heliograph.withdrawal (site, visitor_id);

-- The newest rows of a visitor, at most `rows_maximum`, as far as they may be held against another's.
-- Planned once: it is asked for every candidate, and planning for a month of days takes longer than it.
CREATE FUNCTION heliograph.linkable_rows(
    of_site text, of_visitor text, begins timestamptz, ends timestamptz, rows_maximum bigint)
RETURNS TABLE (at timestamptz, session_id text, address text, context jsonb, url text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY WITH newest AS MATERIALIZED (
        SELECT e.* FROM heliograph.event e
        WHERE e.site = of_site AND e.visitor_id = of_visitor
            AND e.received_at >= begins AND e.received_at <= ends
        ORDER BY e.received_at DESC, e.journal_offset DESC, e.flags >> 8 DESC, e.n DESC
        LIMIT rows_maximum
    ), refusal AS (
        SELECT max(received_at) AS at FROM (
            SELECT received_at FROM newest WHERE consent & 15 <> 15
            UNION ALL SELECT received_at FROM heliograph.consent_record
                WHERE site = of_site AND visitor_id = of_visitor AND consent & 15 <> 15
            UNION ALL SELECT received_at FROM heliograph.withdrawal
                WHERE site = of_site AND visitor_id = of_visitor) AS less
    )
    SELECT occurred_at, session_id, address, context,
        CASE WHEN type = 'pv' THEN properties->>'u' END
    FROM newest, refusal
    WHERE NOT bot AND coalesce(flags, 0) & 2 = 0
        AND received_at > coalesce(refusal.at, '-infinity');
END
$$;

-- What these rows say of a visitor; null when there are none. Visits are from and to in epoch
-- milliseconds, the newest of them. A click is the id that an advertisement's link carried.
CREATE FUNCTION heliograph.link_traits(
    of_site text, of_visitor text, begins timestamptz, ends timestamptz, rows_maximum bigint,
    networks_maximum bigint, list_maximum bigint)
RETURNS jsonb LANGUAGE sql STABLE
SET search_path = pg_catalog AS $$
    WITH row AS MATERIALIZED (
        SELECT * FROM heliograph.linkable_rows(of_site, of_visitor, begins, ends, rows_maximum)
    ), loaded AS (
        SELECT at, coalesce(context->>'l', context->>'lg') AS language, context->>'z' AS zone,
            concat_ws(' ', context->>'dv', context->>'os', context->>'br') AS machine,
            concat_ws('x', least(context->>'vw', context->>'vh'),
                greatest(context->>'vw', context->>'vh'), context->>'pr') AS screen
        FROM row WHERE context IS NOT NULL
    ), identified AS (
        SELECT identity, joined, cause FROM heliograph.identity_change
        WHERE site = of_site AND visitor_id = of_visitor ORDER BY journal_offset DESC LIMIT 1
    )
    SELECT jsonb_build_object(
        'visitor', of_visitor,
        'networks', coalesce((SELECT jsonb_agg(address) FROM (
            SELECT address FROM row WHERE address <> '' GROUP BY address
            ORDER BY count(*) DESC, address LIMIT networks_maximum) AS network), '[]'),
        'visits', coalesce((SELECT jsonb_agg(jsonb_build_array(
                (extract(epoch FROM begun) * 1000)::bigint,
                (extract(epoch FROM ended) * 1000)::bigint) ORDER BY begun) FROM (
            SELECT min(at) AS begun, max(at) AS ended FROM row GROUP BY session_id
            ORDER BY begun DESC, ended DESC LIMIT list_maximum) AS visit), '[]'),
        'clicks', coalesce((SELECT jsonb_agg(click) FROM (
            SELECT DISTINCT (regexp_match(url,
                '[?&]((?:gclid|gbraid|wbraid|dclid|fbclid|msclkid|ttclid|twclid|yclid)=[^&#]{8,})'
                ))[1] AS click
            FROM row WHERE url LIKE '%clid=%' OR url LIKE '%braid=%'
            ORDER BY click LIMIT list_maximum) AS clicked WHERE click IS NOT NULL), '[]'),
        'orders', coalesce((SELECT jsonb_agg(name_and_id) FROM (
            SELECT DISTINCT c.name || chr(31) || c.order_id AS name_and_id
            FROM heliograph.conversion c, (SELECT min(at) AS at FROM row) AS first
            WHERE c.site = of_site AND c.visitor_id = of_visitor AND c.order_id <> ''
                AND NOT c.bot AND c.consent & 15 = 15 AND c.occurred_at >= first.at
            ORDER BY name_and_id LIMIT list_maximum) AS bought), '[]'),
        'language', (SELECT mode() WITHIN GROUP (ORDER BY language) FROM loaded),
        'zone', (SELECT mode() WITHIN GROUP (ORDER BY zone) FROM loaded),
        'machine', (SELECT mode() WITHIN GROUP (ORDER BY nullif(machine, '')) FROM loaded),
        'screen', (SELECT mode() WITHIN GROUP (ORDER BY nullif(screen, '')) FROM loaded),
        'identity', (SELECT identity FROM identified WHERE joined),
        'parted', (SELECT identity FROM identified WHERE cause = 'parted'))
    WHERE EXISTS (SELECT FROM row)
$$;

-- The visitor's traits first, then those of browsers that share a network or an order with it. A network
-- that more than `crowd_maximum` browsers were seen on, or with more than `scan_maximum` rows, says
-- nothing; `crowds` tells of the others how many browsers there were.
CREATE FUNCTION heliograph.link_candidates(
    of_site text, of_visitor text, begins timestamptz, ends timestamptz, rows_maximum bigint,
    networks_maximum bigint, list_maximum bigint, crowd_maximum bigint, scan_maximum bigint,
    candidates_maximum bigint)
RETURNS TABLE (traits jsonb, crowds jsonb) LANGUAGE plpgsql STABLE
SET search_path = pg_catalog SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    own jsonb := heliograph.link_traits(
        of_site, of_visitor, begins, ends, rows_maximum, networks_maximum, list_maximum);
    others text[];
BEGIN
    IF own IS NULL THEN RETURN; END IF;
    WITH network AS (
        SELECT given.address, seen.rows, seen.visitors
        FROM jsonb_array_elements_text(own->'networks') AS given (address), LATERAL (
            SELECT count(*) AS rows, array_agg(DISTINCT visitor_id) AS visitors FROM (
                SELECT e.visitor_id FROM heliograph.event e
                WHERE e.site = of_site AND e.address = given.address AND NOT e.bot
                    AND e.received_at >= begins AND e.received_at <= ends
                LIMIT scan_maximum) AS found) AS seen
        WHERE seen.rows < scan_maximum AND cardinality(seen.visitors) <= crowd_maximum
    ), buyer AS (
        SELECT o.visitor_id FROM jsonb_array_elements_text(own->'orders') AS bought (name_and_id),
            LATERAL (
                SELECT DISTINCT c.visitor_id FROM heliograph.conversion c
                WHERE c.site = of_site AND c.name = split_part(bought.name_and_id, chr(31), 1)
                    AND c.order_id = split_part(bought.name_and_id, chr(31), 2)
                LIMIT crowd_maximum) AS o
    )
    SELECT coalesce((SELECT jsonb_object_agg(address, cardinality(visitors)) FROM network), '{}'),
        (SELECT array_agg(id) FROM (
            SELECT unnest(visitors) AS id FROM network UNION SELECT visitor_id FROM buyer
            ORDER BY id LIMIT candidates_maximum + 1) AS candidate WHERE id <> of_visitor)
    INTO crowds, others;
    traits := own;
    RETURN NEXT;
    RETURN QUERY SELECT known.traits, '{}'::jsonb
    FROM unnest(others[:candidates_maximum]) AS other (id), LATERAL (
        SELECT heliograph.link_traits(
            of_site, other.id, begins, ends, rows_maximum, networks_maximum, list_maximum
        ) AS traits) AS known
    WHERE known.traits IS NOT NULL;
END
$$;
