-- Requests of privacy law: what was asked, when it was done, what was found where. Subjects are named by
-- HMAC-SHA-256 under the installation's erasure key, so that these rows tell nobody who they were.
-- Kept for three years as proof.

CREATE TABLE heliograph.erasure (
    request_id text PRIMARY KEY,
    action text NOT NULL CHECK (action IN ('erase', 'restrict', 'lift', 'export')),
    site text NOT NULL,
    requested_at timestamptz NOT NULL,
    completed_at timestamptz,
    -- Rows and records removed, by store.
    found jsonb NOT NULL DEFAULT '{}'
);

CREATE TABLE heliograph.erasure_subject (
    request_id text NOT NULL REFERENCES heliograph.erasure ON DELETE CASCADE,
    digest bytea NOT NULL,
    PRIMARY KEY (request_id, digest)
);

CREATE INDEX erasure_subject_digest ON heliograph.erasure_subject (digest);

-- The functions look for nothing outside of PostgreSQL's own schema, so that tables are always named in
-- full.

-- Every table that holds rows of visitors. A table that a later migration adds is among them as soon as
-- it has the columns site and visitor_id. Deliveries are kept as proof of what left the house.
CREATE FUNCTION heliograph.subject_tables() RETURNS SETOF regclass
LANGUAGE sql STABLE
SET search_path = pg_catalog AS $$
    SELECT c.oid::regclass FROM pg_catalog.pg_class c
    WHERE c.relnamespace = 'heliograph'::regnamespace AND c.relkind IN ('r', 'p')
        AND NOT c.relispartition AND c.relname <> 'delivery'
        AND 2 = (SELECT count(*) FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = c.oid AND a.attname IN ('site', 'visitor_id') AND NOT a.attisdropped)
    ORDER BY c.relname
$$;

-- Rows of these visitors, by table.
CREATE FUNCTION heliograph.count_subjects(of_site text, ids text[])
RETURNS TABLE (store text, rows bigint) LANGUAGE plpgsql STABLE
SET search_path = pg_catalog AS $$
DECLARE
    source regclass;
BEGIN
    FOR source IN SELECT heliograph.subject_tables() LOOP
        EXECUTE format('SELECT count(*) FROM %s WHERE site = $1 AND visitor_id = ANY ($2)', source)
            INTO rows USING of_site, ids;
        store := source::text;
        RETURN NEXT;
    END LOOP;
    store := 'heliograph.delivery';
    SELECT count(*) INTO rows FROM heliograph.delivery
        WHERE site = of_site AND visitor_id = ANY (ids);
    RETURN NEXT;
END
$$;

-- Rows of these visitors as documents, for a person who asks what is known.
CREATE FUNCTION heliograph.export_subjects(of_site text, ids text[])
RETURNS TABLE (store text, document jsonb) LANGUAGE plpgsql STABLE
SET search_path = pg_catalog AS $$
DECLARE
    source regclass;
BEGIN
    FOR source IN SELECT heliograph.subject_tables() LOOP
        RETURN QUERY EXECUTE format(
            'SELECT %L::text, to_jsonb(t) FROM %s t WHERE site = $1 AND visitor_id = ANY ($2)',
            source::text, source) USING of_site, ids;
    END LOOP;
    RETURN QUERY SELECT 'heliograph.delivery'::text,
        to_jsonb(d) - '{seal,page_seal,identify_seal,click_seal}'::text[]
            || jsonb_build_object('sealed', d.seal IS NOT NULL OR d.page_seal IS NOT NULL
                OR d.identify_seal IS NOT NULL OR d.click_seal IS NOT NULL)
        FROM heliograph.delivery d WHERE d.site = of_site AND d.visitor_id = ANY (ids);
    RETURN QUERY SELECT 'heliograph.attribution'::text, to_jsonb(a)
        FROM heliograph.attribution a JOIN heliograph.conversion c USING (site, conversion_id)
        WHERE c.site = of_site AND c.visitor_id = ANY (ids);
END
$$;

-- Every visitor that any table knows, for a list of erasures to be held against.
CREATE FUNCTION heliograph.known_subjects()
RETURNS TABLE (site text, visitor_id text) LANGUAGE plpgsql STABLE
SET search_path = pg_catalog AS $$
DECLARE
    source regclass;
BEGIN
    FOR source IN SELECT heliograph.subject_tables() LOOP
        RETURN QUERY EXECUTE format('SELECT DISTINCT site, visitor_id FROM %s', source);
    END LOOP;
    RETURN QUERY SELECT DISTINCT d.site, d.visitor_id FROM heliograph.delivery d
        WHERE d.visitor_id <> '';
END
$$;

-- Takes every row of these visitors away. Deliveries lose whom they were about; those not sent yet are
-- cancelled, and of those on their way nobody can say any more. The result names the tables that lost
-- rows, partitions by themselves, because these are rewritten afterwards.
CREATE FUNCTION heliograph.erase_subjects(of_site text, ids text[])
RETURNS TABLE (store text, rows bigint) LANGUAGE plpgsql
SET search_path = pg_catalog AS $$
DECLARE
    source regclass;
BEGIN
    DELETE FROM heliograph.attribution a USING heliograph.conversion c
        WHERE c.site = of_site AND c.visitor_id = ANY (ids)
            AND a.site = c.site AND a.conversion_id = c.conversion_id;
    GET DIAGNOSTICS rows = ROW_COUNT;
    store := 'heliograph.attribution';
    RETURN NEXT;
    FOR source IN SELECT heliograph.subject_tables() LOOP
        RETURN QUERY EXECUTE format(
            'WITH gone AS (DELETE FROM %s WHERE site = $1 AND visitor_id = ANY ($2) '
            'RETURNING tableoid) '
            'SELECT tableoid::regclass::text, count(*) FROM gone GROUP BY 1', source)
            USING of_site, ids;
    END LOOP;
    UPDATE heliograph.delivery SET
        state = CASE WHEN state IN ('pending', 'retry', 'held') THEN 'cancelled'
            WHEN state = 'sending' THEN 'in_doubt' ELSE state END,
        reason = CASE WHEN state IN ('pending', 'retry', 'held', 'sending') THEN 'erased'
            ELSE reason END,
        settled_at = coalesce(settled_at, now()),
        visitor_id = '', conversion_id = 'erased-' || delivery_id, claimed_by = NULL,
        seal = NULL, page_seal = NULL, identify_seal = NULL, click_seal = NULL,
        trace = NULL, remark = NULL
        WHERE site = of_site AND visitor_id = ANY (ids);
    GET DIAGNOSTICS rows = ROW_COUNT;
    store := 'heliograph.delivery';
    RETURN NEXT;
    RETURN QUERY WITH gone AS (
        DELETE FROM heliograph.rejected_event r WHERE EXISTS (
            SELECT 1 FROM unnest(ids) AS id
            WHERE position(convert_to(id, 'UTF8') IN r.bytes) > 0)
        RETURNING r.tableoid)
        SELECT tableoid::regclass::text, count(*) FROM gone GROUP BY 1;
    DELETE FROM heliograph.refused_row r WHERE EXISTS (
        SELECT 1 FROM unnest(ids) AS id WHERE position(convert_to(id, 'UTF8') IN r.row_bytes) > 0);
    GET DIAGNOSTICS rows = ROW_COUNT;
    store := 'heliograph.refused_row';
    RETURN NEXT;
END
$$;

-- Visitors whose events carried one of these user ids, or a digest of an address among their properties.
CREATE FUNCTION heliograph.visitors_of(of_site text, users text[], hashes text[])
RETURNS SETOF text LANGUAGE sql STABLE
SET search_path = pg_catalog AS $$
    SELECT DISTINCT visitor_id FROM heliograph.event
        WHERE site = of_site AND (user_id = ANY (users) OR EXISTS (
            SELECT 1 FROM unnest(hashes) AS hash WHERE position(hash IN properties::text) > 0))
$$;

-- How old the oldest row of each store is, in days; nothing for an empty one.
CREATE FUNCTION heliograph.oldest_rows() RETURNS TABLE (store text, days double precision)
LANGUAGE sql STABLE
SET search_path = pg_catalog AS $$
    SELECT store, extract(epoch FROM now() - at) / 86400 FROM (
        SELECT 'events' AS store, min(received_at) AS at FROM heliograph.event
        UNION ALL SELECT 'rejected', min(received_at) FROM heliograph.rejected_event
        UNION ALL SELECT 'sessions', min(ended_at) FROM heliograph.session
        UNION ALL SELECT 'touches', min(at) FROM heliograph.touch
        UNION ALL SELECT 'conversions', min(received_at) FROM heliograph.conversion
        UNION ALL SELECT 'score_history', min(at) FROM heliograph.score_history
        UNION ALL SELECT 'contacts', min(updated_at) FROM heliograph.contact
        UNION ALL SELECT 'deliveries', min(created_at) FROM heliograph.delivery
            WHERE state IN ('delivered', 'in_doubt', 'dead', 'expired', 'cancelled')
        UNION ALL SELECT 'delivery_payloads', min(settled_at) FROM heliograph.delivery
            WHERE coalesce(seal, page_seal, identify_seal, click_seal) IS NOT NULL
        UNION ALL SELECT 'erasures', min(requested_at) FROM heliograph.erasure
    ) oldest WHERE at IS NOT NULL
$$;
