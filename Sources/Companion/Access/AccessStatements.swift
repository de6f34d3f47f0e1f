/// What is asked of PostgreSQL about credentials. Literals only; values travel as parameters. Arrays
/// travel as lines: names of scopes and sites have no line breaks.
enum AccessStatements {
    /// A credential that may be used now, and when it was used last. A session ends with what it was
    /// opened with.
    static let find: StaticString = """
        SELECT c.digest, c.name, array_to_string(c.scopes, chr(10)), array_to_string(c.sites, chr(10)),
            (extract(epoch FROM c.expires_at) * 1000)::bigint,
            c.used_at IS NULL OR c.used_at < now() - interval '1 minute'
        FROM heliograph.credential AS c
        LEFT JOIN heliograph.credential AS p ON p.credential_id = c.parent
        WHERE c.credential_id = $1 AND c.kind = $2 AND c.revoked_at IS NULL
            AND coalesce(c.expires_at > now(), true)
            AND (c.kind = 'token'
                OR coalesce(c.used_at, c.created_at) > now() - $3::bigint * interval '1 second')
            AND (p.credential_id IS NULL
                OR p.revoked_at IS NULL AND coalesce(p.expires_at > now(), true))
        """

    static let touch: StaticString =
        "UPDATE heliograph.credential SET used_at = now() WHERE credential_id = $1"

    static let make: StaticString = """
        INSERT INTO heliograph.credential
            (credential_id, kind, name, digest, scopes, sites, expires_at, parent, created_by)
        VALUES ($1, $2, $3, decode($4, 'hex'), string_to_array($5, chr(10)),
            string_to_array($6, chr(10)), now() + $7::bigint * interval '1 second', $8, $9)
        RETURNING (extract(epoch FROM expires_at) * 1000)::bigint
        """

    /// Sessions that the token opened go with it, see `find`.
    static let revoke: StaticString = """
        WITH gone AS (UPDATE heliograph.credential SET revoked_at = now()
            WHERE credential_id = $1 AND kind = $2 AND revoked_at IS NULL RETURNING credential_id)
        INSERT INTO heliograph.audit (actor, actor_name, action, subject)
        SELECT $3, $4, $5, credential_id FROM gone RETURNING subject
        """

    static let list: StaticString = """
        SELECT credential_id, name, array_to_string(scopes, chr(10)),
            array_to_string(sites, chr(10)), (extract(epoch FROM created_at) * 1000)::bigint,
            (extract(epoch FROM expires_at) * 1000)::bigint,
            (extract(epoch FROM used_at) * 1000)::bigint,
            (extract(epoch FROM revoked_at) * 1000)::bigint, created_by
        FROM heliograph.credential WHERE kind = 'token' ORDER BY created_at DESC, credential_id
        LIMIT 1000
        """

    static let noteChange: StaticString = """
        INSERT INTO heliograph.audit (actor, actor_name, action, subject)
        VALUES ($1, $2, $3, $4)
        """

    /// Reads of persons, as lines of equal number.
    static let noteReads: StaticString = """
        INSERT INTO heliograph.visitor_read (at, actor, actor_name, site, visitor_id, what)
        SELECT to_timestamp(read.at::bigint / 1000.0), read.actor, read.name, read.site,
            read.visitor, read.what
        FROM unnest(string_to_array($1, chr(10)), string_to_array($2, chr(10)),
            string_to_array($3, chr(10)), string_to_array($4, chr(10)),
            string_to_array($5, chr(10)), string_to_array($6, chr(10)))
            AS read (at, actor, name, site, visitor, what)
        """

    /// Newest first. A cursor is the place of the last row of the page before.
    static let audit: StaticString = """
        SELECT entry.at, entry.number, entry.actor, entry.actor_name, entry.action, entry.site,
            entry.visitor_id, entry.subject
        FROM (
            SELECT (extract(epoch FROM at) * 1000000)::bigint AS at, audit_id AS number, actor,
                actor_name, action, NULL AS site, NULL AS visitor_id, subject
            FROM heliograph.audit
            UNION ALL
            SELECT (extract(epoch FROM at) * 1000000)::bigint, read_id, actor, actor_name, what, site,
                visitor_id, NULL
            FROM heliograph.visitor_read
        ) AS entry
        WHERE $1::bigint IS NULL OR (entry.at, entry.number) < ($1::bigint, $2::bigint)
        ORDER BY entry.at DESC, entry.number DESC LIMIT $3::bigint
        """

    static let trimCredentials: StaticString = """
        DELETE FROM heliograph.credential
        WHERE greatest(expires_at, revoked_at) < now() - $1::bigint * interval '1 day'
            OR kind = 'session' AND expires_at < now()
        """

    static let trimAudit: StaticString =
        "DELETE FROM heliograph.audit WHERE at < now() - $1::bigint * interval '1 day'"

    static let trimReads: StaticString =
        "DELETE FROM heliograph.visitor_read WHERE at < now() - $1::bigint * interval '1 day'"
}
