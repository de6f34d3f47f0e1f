-- Figures of whole days, so that a question about weeks need not read every row again. A day is worked
-- out from its rows when it is over, by `fill_rollup`, in one transaction; nothing is ever added to what
-- is there, so that doing it again changes nothing. Whoever changes rows marks their quarters of an hour
-- as stale in the same transaction: the archive with its rows, erasures with theirs. A day that has
-- stale quarters is read from the rows until it is filled again.

-- Questions about sessions and points of history are about a span of time.
CREATE INDEX session_time ON heliograph.session (site, started_at);
CREATE INDEX score_history_time ON heliograph.score_history (site, at);

CREATE TABLE heliograph.rollup_stale (
    site text NOT NULL,
    -- Beginning of a quarter of an hour: the offsets of all zones are multiples of it.
    quarter timestamptz NOT NULL,
    -- Written at every mark, so that one which is being taken away is waited for and made anew.
    marked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site, quarter)
) WITH (fillfactor = 50);

-- The days that are filled, of the site's zone as it was then.
CREATE TABLE heliograph.rollup_day (
    site text NOT NULL,
    day date NOT NULL,
    zone text NOT NULL,
    filled_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site, day)
);

-- What can be added up over days: of everything, under an empty dimension, and by how sessions began.
CREATE TABLE heliograph.rollup_figure (
    site text NOT NULL,
    day date NOT NULL,
    dimension text NOT NULL,
    value text,
    figure text NOT NULL,
    amount numeric NOT NULL
);

CREATE INDEX rollup_figure_day ON heliograph.rollup_figure (site, dimension, day);

-- What somebody did on a day: 1 viewed a page, 2 converted, 4 was hot, 8 was warm, added up.
CREATE TABLE heliograph.rollup_visitor (
    site text NOT NULL,
    day date NOT NULL,
    visitor_id text NOT NULL,
    kinds smallint NOT NULL,
    PRIMARY KEY (site, visitor_id, day)
);

CREATE INDEX rollup_visitor_day ON heliograph.rollup_visitor (site, day);

-- How many visitors did one of `kind` on a day, by the day they had last done so before. The distinct
-- visitors of any span of days are those of its days whose day before lies before the span: exact, and
-- without a look at visitors.
CREATE TABLE heliograph.rollup_reach (
    site text NOT NULL,
    day date NOT NULL,
    kind smallint NOT NULL,
    previous date,
    visitors bigint NOT NULL
);

CREATE INDEX rollup_reach_day ON heliograph.rollup_reach (site, day, kind);

-- What is added up, from the rows of a span of time. Planned anew for every span: without knowing how
-- long it is, PostgreSQL would read whole days row by row through an index.
CREATE FUNCTION heliograph.figures_between(of_site text, begins timestamptz, ends timestamptz)
RETURNS TABLE (dimension text, value text, figure text, amount numeric) LANGUAGE plpgsql STABLE
SET search_path = pg_catalog SET plan_cache_mode = force_custom_plan SET jit = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY WITH event AS MATERIALIZED (
        SELECT count(*) AS events, count(*) FILTER (WHERE type = 'pv') AS page_views
        FROM heliograph.event
        WHERE site = of_site AND NOT bot AND occurred_at >= begins AND occurred_at < ends
            AND received_at >= begins - interval '1 day' AND received_at < ends + interval '8 days'
    ), begun AS MATERIALIZED (
        SELECT s.*, coalesce(t.channel, 'unassigned') AS channel, t.source, t.medium, t.campaign,
            EXISTS (
                SELECT FROM heliograph.conversion c
                WHERE c.site = s.site AND c.visitor_id = s.visitor_id
                    AND c.session_id = s.session_id AND NOT c.bot) AS converted,
            NOT EXISTS (
                SELECT FROM heliograph.session o
                WHERE o.site = s.site AND o.visitor_id = s.visitor_id AND NOT o.bot
                    AND o.page_views > 0
                    AND (o.started_at, o.session_id) < (s.started_at, s.session_id)) AS is_first
        FROM heliograph.session s LEFT JOIN LATERAL (
            SELECT first.channel, first.source, first.medium, first.campaign
            FROM heliograph.touch first
            WHERE first.site = s.site AND first.visitor_id = s.visitor_id
                AND first.session_id = s.session_id
            ORDER BY first.at, first.journal_offset LIMIT 1) AS t ON true
        WHERE s.site = of_site AND NOT s.bot AND s.page_views > 0
            AND s.started_at >= begins AND s.started_at < ends
    ), acted AS MATERIALIZED (
        SELECT DISTINCT a.visitor_id, a.session_id FROM heliograph.event a
        WHERE a.site = of_site AND a.type IN ('ck', 'fm', 'id') AND a.occurred_at >= begins
            AND a.occurred_at < ends + interval '1 day' AND a.received_at >= begins - interval '1 day'
            AND a.received_at < ends + interval '9 days'
    ), judged AS MATERIALIZED (
        SELECT begun.*, acted.session_id IS NULL AND NOT converted AND page_views = 1
                AND active_milliseconds < 10000
                -- One that went on for longer is looked after by itself.
                AND (ended_at < ends + interval '1 day' OR NOT EXISTS (
                    SELECT FROM heliograph.event a
                    WHERE a.site = of_site AND a.visitor_id = begun.visitor_id
                        AND a.session_id = begun.session_id AND a.type IN ('ck', 'fm', 'id')
                        AND a.received_at >= begins - interval '1 day')) AS bounced
        FROM begun LEFT JOIN acted USING (visitor_id, session_id)
    ), session AS (
        SELECT CASE WHEN grouping(channel) = 0 THEN 'session.channel'
                WHEN grouping(source) = 0 THEN 'session.source'
                WHEN grouping(medium) = 0 THEN 'session.medium'
                WHEN grouping(campaign) = 0 THEN 'session.campaign' ELSE '' END AS dimension,
            coalesce(channel, source, medium, campaign) AS value,
            count(*) AS sessions, sum(page_views) AS session_views,
            count(*) FILTER (WHERE page_views = 1) AS single_pages,
            sum(active_milliseconds) AS active_milliseconds,
            sum(score_maximum::numeric) AS peaks,
            count(*) FILTER (WHERE converted) AS converting_sessions,
            count(*) FILTER (WHERE is_first) AS arrivals,
            count(*) FILTER (WHERE bounced) AS bounces
        FROM judged GROUP BY GROUPING SETS ((), (channel), (source), (medium), (campaign))
    ), told AS MATERIALIZED (
        SELECT c.name, c.value AS money, coalesce(c.currency, '') AS currency,
            coalesce(t.channel, 'unassigned') AS channel, t.source, t.medium, t.campaign
        FROM heliograph.conversion c LEFT JOIN LATERAL (
            SELECT first.channel, first.source, first.medium, first.campaign
            FROM heliograph.touch first
            WHERE first.site = c.site AND first.visitor_id = c.visitor_id
                AND first.session_id = c.session_id
            ORDER BY first.at, first.journal_offset LIMIT 1) AS t ON true
        WHERE c.site = of_site AND NOT c.bot
            AND c.occurred_at >= begins AND c.occurred_at < ends
    ), converted AS (
        SELECT CASE WHEN grouping(channel) = 0 THEN 'session.channel'
                WHEN grouping(source) = 0 THEN 'session.source'
                WHEN grouping(medium) = 0 THEN 'session.medium'
                WHEN grouping(campaign) = 0 THEN 'session.campaign' ELSE '' END AS dimension,
            coalesce(channel, source, medium, campaign) AS value,
            currency, count(*) AS conversions,
            count(*) FILTER (WHERE name = 'purchase') AS orders,
            count(*) FILTER (WHERE name = 'purchase' AND money IS NOT NULL) AS paid_orders,
            sum(money) FILTER (WHERE name = 'purchase') AS revenue
        FROM told GROUP BY GROUPING SETS (
            (currency), (currency, channel), (currency, source), (currency, medium),
            (currency, campaign))
    )
    SELECT ''::text, NULL::text, part.figure, part.amount FROM event, LATERAL (VALUES
        ('events', event.events::numeric), ('page_views', event.page_views)) AS part (figure, amount)
    WHERE part.amount > 0
    UNION ALL
    SELECT session.dimension, session.value, part.figure, part.amount FROM session, LATERAL (VALUES
        ('sessions', session.sessions::numeric), ('session_views', session.session_views),
        ('single_pages', session.single_pages),
        ('active_milliseconds', session.active_milliseconds), ('peaks', session.peaks),
        ('converting_sessions', session.converting_sessions), ('arrivals', session.arrivals),
        ('bounces', session.bounces)) AS part (figure, amount)
    WHERE part.amount <> 0
    UNION ALL
    SELECT c.dimension, c.value, part.figure, part.amount FROM converted c, LATERAL (VALUES
        ('conversions', c.conversions::numeric), ('orders', c.orders),
        ('orders:' || c.currency, c.paid_orders), ('revenue:' || c.currency, c.revenue))
        AS part (figure, amount)
    WHERE part.amount IS NOT NULL AND (part.amount <> 0 OR part.figure LIKE 'revenue:%');
END
$$;

-- What each visitor did, from the rows of a span of time.
CREATE FUNCTION heliograph.visitors_between(of_site text, begins timestamptz, ends timestamptz)
RETURNS TABLE (visitor_id text, kinds smallint) LANGUAGE plpgsql STABLE
SET search_path = pg_catalog SET plan_cache_mode = force_custom_plan SET jit = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT did.visitor_id, bit_or(did.kind)::smallint FROM (
        SELECT DISTINCT e.visitor_id, 1 AS kind FROM heliograph.event e
        WHERE e.site = of_site AND e.type = 'pv' AND NOT e.bot
            AND e.occurred_at >= begins AND e.occurred_at < ends
            AND e.received_at >= begins - interval '1 day'
            AND e.received_at < ends + interval '8 days'
        UNION ALL
        SELECT c.visitor_id, 2 FROM heliograph.conversion c
        WHERE c.site = of_site AND NOT c.bot AND c.occurred_at >= begins AND c.occurred_at < ends
        UNION ALL
        SELECT h.visitor_id, CASE h.band WHEN 'hot' THEN 4 ELSE 8 END
        FROM heliograph.score_history h
        WHERE h.site = of_site AND NOT h.bot AND h.band IN ('hot', 'warm')
            AND h.at >= begins AND h.at < ends) AS did
    GROUP BY did.visitor_id;
END
$$;

-- Counts anew how the visitors of a day are spread over the days before it.
CREATE FUNCTION heliograph.fill_reach(of_site text, of_day date) RETURNS void LANGUAGE sql
SET search_path = pg_catalog AS $$
    DELETE FROM heliograph.rollup_reach r WHERE r.site = of_site AND r.day = of_day;
    INSERT INTO heliograph.rollup_reach (site, day, kind, previous, visitors)
    SELECT of_site, of_day, asked.kind, earlier.day, count(*)
    FROM heliograph.rollup_visitor v
    -- 3: viewed a page or converted.
    JOIN (VALUES (1), (2), (3), (4), (8)) AS asked (kind) ON v.kinds & asked.kind <> 0
    LEFT JOIN LATERAL (
        SELECT max(p.day) AS day FROM heliograph.rollup_visitor p
        WHERE p.site = of_site AND p.visitor_id = v.visitor_id AND p.day < of_day
            AND p.kinds & asked.kind <> 0) AS earlier ON true
    WHERE v.site = of_site AND v.day = of_day
    GROUP BY asked.kind, earlier.day
$$;

-- Works a day out from its rows, and what later days say of it. To be called in a transaction of
-- REPEATABLE READ: the marks that it takes away are those of the rows that it has seen. Fails when
-- somebody is marking the day at that moment; it is then tried again.
CREATE FUNCTION heliograph.fill_rollup(of_site text, of_day date, of_zone text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog AS $$
DECLARE
    begins timestamptz := of_day::timestamp AT TIME ZONE of_zone;
    ends timestamptz := (of_day + 1)::timestamp AT TIME ZONE of_zone;
    changed text[];
    later date;
BEGIN
    WITH did AS MATERIALIZED (
        SELECT * FROM heliograph.visitors_between(of_site, begins, ends)
    ), gone AS (
        DELETE FROM heliograph.rollup_visitor v
        WHERE v.site = of_site AND v.day = of_day
            AND NOT EXISTS (SELECT FROM did WHERE did.visitor_id = v.visitor_id)
        RETURNING v.visitor_id
    ), come AS (
        INSERT INTO heliograph.rollup_visitor AS held (site, day, visitor_id, kinds)
        SELECT of_site, of_day, did.visitor_id, did.kinds FROM did
        ON CONFLICT (site, visitor_id, day) DO UPDATE SET kinds = excluded.kinds
            WHERE held.kinds <> excluded.kinds
        RETURNING held.visitor_id
    )
    SELECT array_agg(both_ways.visitor_id) INTO changed
    FROM (SELECT * FROM gone UNION ALL SELECT * FROM come) AS both_ways;
    FOR later IN
        SELECT of_day UNION
        SELECT v.day FROM heliograph.rollup_visitor v
        WHERE v.site = of_site AND v.visitor_id = ANY (changed) AND v.day > of_day
    LOOP
        PERFORM heliograph.fill_reach(of_site, later);
    END LOOP;
    DELETE FROM heliograph.rollup_figure f WHERE f.site = of_site AND f.day = of_day;
    INSERT INTO heliograph.rollup_figure (site, day, dimension, value, figure, amount)
        SELECT of_site, of_day, f.dimension, f.value, f.figure, f.amount
        FROM heliograph.figures_between(of_site, begins, ends) AS f;
    INSERT INTO heliograph.rollup_day (site, day, zone) VALUES (of_site, of_day, of_zone)
        ON CONFLICT (site, day) DO UPDATE SET zone = excluded.zone, filled_at = now();
    -- Nobody waits for long, and this does not wait at all.
    PERFORM FROM heliograph.rollup_stale s
        WHERE s.site = of_site AND s.quarter >= begins AND s.quarter < ends
        FOR UPDATE NOWAIT;
    DELETE FROM heliograph.rollup_stale s
        WHERE s.site = of_site AND s.quarter >= begins AND s.quarter < ends;
END
$$;

-- From when on all events are still there; days before it are not filled a second time.
CREATE FUNCTION heliograph.events_begin() RETURNS timestamptz LANGUAGE sql STABLE
SET search_path = pg_catalog AS $$
    SELECT min(to_date(substring(c.relname FROM '^event_([0-9]{8})$'), 'YYYYMMDD'))::timestamp
        AT TIME ZONE 'UTC'
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'heliograph.event'::regclass
$$;

-- The first of a site's days that are over and have to be filled, oldest first: later days count by
-- the days before them. Events may have happened a week before they were received.
CREATE FUNCTION heliograph.next_rollup(of_site text, of_zone text) RETURNS date
LANGUAGE sql STABLE
SET search_path = pg_catalog AS $$
    WITH kept AS MATERIALIZED (SELECT heliograph.events_begin() AS since)
    SELECT days.day::date FROM kept, generate_series(
        least(
            (kept.since AT TIME ZONE of_zone)::date - 7,
            (SELECT (min(s.started_at) AT TIME ZONE of_zone)::date FROM heliograph.session s
                WHERE s.site = of_site))::timestamp,
        ((now() AT TIME ZONE of_zone)::date - 1)::timestamp, interval '1 day') AS days (day)
    WHERE NOT EXISTS (
            SELECT FROM heliograph.rollup_day d
            WHERE d.site = of_site AND d.day = days.day::date AND d.zone = of_zone)
        OR days.day AT TIME ZONE of_zone >= kept.since AND EXISTS (
            SELECT FROM heliograph.rollup_stale s
            WHERE s.site = of_site AND s.quarter >= days.day AT TIME ZONE of_zone
                AND s.quarter < (days.day + interval '1 day') AT TIME ZONE of_zone)
    ORDER BY days.day LIMIT 1
$$;

-- The days in a span that are filled, and that nothing has touched since.
CREATE FUNCTION heliograph.fresh_rollups(of_site text, of_zone text, first date, behind date)
RETURNS SETOF date LANGUAGE sql STABLE
SET search_path = pg_catalog AS $$
    WITH kept AS MATERIALIZED (SELECT heliograph.events_begin() AS since)
    SELECT d.day FROM kept, heliograph.rollup_day d
    WHERE d.site = of_site AND d.day >= first AND d.day < behind AND d.zone = of_zone
        AND NOT (d.day::timestamp AT TIME ZONE of_zone >= kept.since AND EXISTS (
            SELECT FROM heliograph.rollup_stale s
            WHERE s.site = of_site AND s.quarter >= d.day::timestamp AT TIME ZONE of_zone
                AND s.quarter < (d.day + 1)::timestamp AT TIME ZONE of_zone))
    ORDER BY d.day
$$;

-- An erasure marks what it takes, before it is gone. A day that is being filled from what was there
-- before must not bring anybody back: whoever fills days holds the lock, too, from before it looks.
ALTER FUNCTION heliograph.erase_subjects(text, text[]) RENAME TO erase_subject_rows;

CREATE FUNCTION heliograph.erase_subjects(of_site text, ids text[])
RETURNS TABLE (store text, rows bigint) LANGUAGE plpgsql
SET search_path = pg_catalog AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(448378203504);
    INSERT INTO heliograph.rollup_stale AS held (site, quarter)
    SELECT of_site, touched.quarter FROM (
        SELECT date_bin('15 minutes', e.occurred_at, 'epoch') AS quarter FROM heliograph.event e
            WHERE e.site = of_site AND e.visitor_id = ANY (ids)
        UNION SELECT date_bin('15 minutes', s.started_at, 'epoch') FROM heliograph.session s
            WHERE s.site = of_site AND s.visitor_id = ANY (ids)
        UNION SELECT date_bin('15 minutes', c.occurred_at, 'epoch') FROM heliograph.conversion c
            WHERE c.site = of_site AND c.visitor_id = ANY (ids)
        UNION SELECT date_bin('15 minutes', h.at, 'epoch') FROM heliograph.score_history h
            WHERE h.site = of_site AND h.visitor_id = ANY (ids)) AS touched
    ORDER BY touched.quarter
    ON CONFLICT (site, quarter) DO UPDATE SET marked_at = excluded.marked_at;
    RETURN QUERY SELECT * FROM heliograph.erase_subject_rows(of_site, ids);
END
$$;
