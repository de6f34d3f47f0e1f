/// The outbox's statements. Leases run by the database's clock, which all forwarders share; what is
/// due is decided by the forwarder's own, as ages are.
enum OutboxStatements {
    static let claim: StaticString = """
        WITH picked AS (
            SELECT due.delivery_id, NULL::text AS claimant
            FROM unnest($1::text[], $2::text[], $3::bigint[]) AS room (site, destination, rows)
            CROSS JOIN LATERAL (
                SELECT delivery_id FROM heliograph.delivery AS q
                WHERE q.site = room.site AND q.destination = room.destination
                    AND q.state IN ('pending', 'retry')
                    AND q.due_at <= 'epoch'::timestamptz + $4::bigint * interval '1 millisecond'
                ORDER BY q.due_at LIMIT room.rows FOR UPDATE SKIP LOCKED) AS due),
        claimed AS (
            UPDATE heliograph.delivery AS target SET state = 'sending', claimed_by = $5::text,
                claimed_until = now() + $6::bigint * interval '1 millisecond'
            FROM picked WHERE target.delivery_id = picked.delivery_id
            RETURNING target.*, picked.claimant)
        SELECT c.delivery_id, c.site, c.destination, c.conversion_id, c.visitor_id, c.attempts,
            c.doubts, c.claimant, (extract(epoch FROM c.created_at) * 1000)::bigint, c.code,
            encode(c.seal, 'hex'), encode(c.page_seal, 'hex'), encode(c.identify_seal, 'hex'),
            encode(c.click_seal, 'hex'), (extract(epoch FROM v.occurred_at) * 1000)::bigint,
            v.consent, v.flags, v.sensitive, v.bot, v.name, v.user_id, v.value, v.currency,
            v.order_id, v.page_url, v.referrer, v.title, v.details,
            heliograph.consent_since(c.site, c.visitor_id, v.occurred_at)
        FROM claimed AS c
        LEFT JOIN heliograph.conversion AS v USING (site, conversion_id)
        """

    /// The same of rows whose claimant went away. `?` behind a claimant says that somebody of another
    /// folder had claimed it before, and stays until it is settled.
    static let takeOver: StaticString = """
        WITH picked AS (
            SELECT due.delivery_id, due.claimant
            FROM unnest($1::text[], $2::text[], $3::bigint[]) AS room (site, destination, rows)
            CROSS JOIN LATERAL (
                SELECT delivery_id, claimed_by AS claimant FROM heliograph.delivery AS q
                WHERE q.site = room.site AND q.destination = room.destination
                    AND q.state = 'sending' AND q.claimed_until < now() AND $4::bigint > 0
                ORDER BY q.claimed_until LIMIT room.rows FOR UPDATE SKIP LOCKED) AS due),
        claimed AS (
            UPDATE heliograph.delivery AS target SET state = 'sending',
                claimed_by = CASE WHEN picked.claimant LIKE split_part($5::text, '/', 1) || '/%'
                    AND picked.claimant NOT LIKE '%?' THEN $5::text ELSE $5::text || '?' END,
                claimed_until = now() + $6::bigint * interval '1 millisecond'
            FROM picked WHERE target.delivery_id = picked.delivery_id
            RETURNING target.*, picked.claimant)
        SELECT c.delivery_id, c.site, c.destination, c.conversion_id, c.visitor_id, c.attempts,
            c.doubts, c.claimant, (extract(epoch FROM c.created_at) * 1000)::bigint, c.code,
            encode(c.seal, 'hex'), encode(c.page_seal, 'hex'), encode(c.identify_seal, 'hex'),
            encode(c.click_seal, 'hex'), (extract(epoch FROM v.occurred_at) * 1000)::bigint,
            v.consent, v.flags, v.sensitive, v.bot, v.name, v.user_id, v.value, v.currency,
            v.order_id, v.page_url, v.referrer, v.title, v.details,
            heliograph.consent_since(c.site, c.visitor_id, v.occurred_at)
        FROM claimed AS c
        LEFT JOIN heliograph.conversion AS v USING (site, conversion_id)
        """

    /// What was proved to be delivered is written even if the lease has ended meanwhile.
    static let settle: StaticString = """
        UPDATE heliograph.delivery AS target SET
            state = s.state, attempts = s.attempts, doubts = s.doubts,
            due_at = CASE WHEN s.due > 0
                THEN 'epoch'::timestamptz + s.due * interval '1 millisecond' ELSE target.due_at END,
            settled_at = CASE WHEN s.state IN ('pending', 'retry') THEN NULL ELSE now() END,
            claimed_by = NULL, claimed_until = NULL,
            code = coalesce(nullif(s.code, ''), CASE WHEN s.state = 'pending' THEN target.code END),
            reason = nullif(s.reason, ''), trace = nullif(s.trace, ''),
            remark = nullif(s.remark, ''),
            seal = CASE WHEN s.ends THEN NULL ELSE target.seal END,
            page_seal = CASE WHEN s.ends THEN NULL ELSE target.page_seal END,
            identify_seal = CASE WHEN s.ends THEN NULL ELSE target.identify_seal END,
            click_seal = CASE WHEN s.ends THEN NULL ELSE target.click_seal END
        FROM (
            SELECT *, state IN ('delivered', 'expired', 'cancelled') AS ends
            FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bigint[],
                $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[])
            AS u (id, conversion, state, attempts, doubts, due, code, reason, trace, remark)
        ) AS s
        WHERE target.delivery_id = s.id AND target.conversion_id = s.conversion
            AND (target.state = 'sending' AND target.claimed_by IN ($11::text, $11::text || '?')
                OR s.state = 'delivered' AND target.state <> 'delivered')
        """

    static let backlog: StaticString = """
        SELECT site, destination, count(*), (extract(epoch FROM min(created_at)) * 1000)::bigint
        FROM heliograph.delivery WHERE state IN ('pending', 'retry') GROUP BY site, destination
        """

    static let report: StaticString = """
        INSERT INTO heliograph.destination_state AS held (
            site, destination, state, code, reason, since)
        SELECT site, destination, state, nullif(code, ''), nullif(reason, ''), now()
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
            AS u (site, destination, state, code, reason)
        ON CONFLICT (site, destination) DO UPDATE SET state = excluded.state,
            code = excluded.code, reason = excluded.reason, since = excluded.since
        WHERE (held.state, held.code) IS DISTINCT FROM (excluded.state, excluded.code)
        """

    static let count: StaticString = """
        INSERT INTO heliograph.match_key AS held (site, destination, day, key, conversions)
        SELECT site, destination, current_date, key, sum(conversions)
        FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
            AS u (site, destination, key, conversions)
        GROUP BY site, destination, key
        ON CONFLICT (site, destination, day, key)
            DO UPDATE SET conversions = held.conversions + excluded.conversions
        """
}
