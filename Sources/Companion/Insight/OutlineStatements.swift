import Settings

/// Statements over what the SDK tells of pages: summaries, clicks worth noting, and forms. Page views of
/// the range, and what was told of them whenever it came.
struct OutlineStatements {
    /// Which page views are looked at.
    enum Pages {
        case every
        /// Those of one address; nil stands for the one that is looked at most.
        case one(String?)
    }

    let site: String
    let range: QueryRange
    /// Restricts page views and forms to one kind of device.
    let device: String?

    private func statement() -> QueryStatement { QueryStatement(site: site, range: range) }

    private func addDevice(_ statement: inout QueryStatement) {
        guard let device else { return }
        statement.add(" AND s.context->>'dv' = ")
        statement.add(value: device)
    }

    // MARK: - Page views

    /// A row for each page view: `visitor_id`, `window_id`, `page` name it.
    private func addViews(_ statement: inout QueryStatement) {
        statement.add("WITH view AS (SELECT s.visitor_id, s.window_id, s.page, min(")
        statement.add(QueryDimension.page)
        statement.add(") AS path FROM heliograph.event AS s WHERE ")
        statement.addCounted()
        statement.addWithinRange()
        addDevice(&statement)
        statement.add(" AND s.type = 'pv' AND s.window_id IS NOT NULL GROUP BY 1, 2, 3)")
    }

    /// Events of a type with the page view that they belong to.
    private func addTold(_ type: StaticString, _ views: StaticString, _ to: inout QueryStatement) {
        to.add(" SELECT v.visitor_id, v.window_id, v.page, v.path, s.properties FROM ")
        to.add(views)
        to.add(" AS v JOIN heliograph.event AS s USING (visitor_id, window_id, page) WHERE ")
        to.addCounted()
        to.add(" AND s.type = ")
        to.add(type)
    }

    /// The pages that were looked at most: path, page views.
    func pages() -> QueryStatement {
        var statement = statement()
        addViews(&statement)
        statement.add(" SELECT path, count(*) FROM view WHERE path IS NOT NULL GROUP BY path")
        statement.add(" ORDER BY count(*) DESC, path LIMIT ", Limits.insightRowsMaximum)
        return statement
    }

    /// Page views of `page`, nil for the one that is looked at most, and the summaries of them.
    private func addPage(_ page: String?, _ statement: inout QueryStatement) {
        addViews(&statement)
        statement.add(", seen AS (SELECT * FROM view")
        addOnly(page, &statement)
        statement.add("), told AS (")
        addTold("'ps'", "seen", &statement)
        statement.add(")")
    }

    private func addOnly(_ page: String?, _ statement: inout QueryStatement) {
        statement.add(" WHERE path = ")
        if let page {
            statement.add(value: page)
        } else {
            statement.add("(SELECT path FROM view WHERE path IS NOT NULL GROUP BY path")
            statement.add(" ORDER BY count(*) DESC, path LIMIT 1)")
        }
    }

    /// One row: path, visitors, page views, those with a summary, clicks, rage, dead and error clicks.
    func page(_ page: String?) -> QueryStatement {
        var statement = statement()
        addPage(page, &statement)
        statement.add(
            """
             SELECT min(seen.path), count(DISTINCT seen.visitor_id), count(*), count(sums.visitor_id),
                coalesce(sum(sums.clicks), 0), coalesce(sum(sums.rage), 0),
                coalesce(sum(sums.dead), 0), coalesce(sum(sums.error), 0)
            FROM seen LEFT JOIN (
                SELECT visitor_id, window_id, page,
                    sum(heliograph.number_of(heliograph.list_of(properties->'ck')->0)) AS clicks,
                    sum(heliograph.number_of(heliograph.list_of(properties->'ck')->3)) AS rage,
                    sum(heliograph.number_of(heliograph.list_of(properties->'ck')->4)) AS dead,
                    sum(heliograph.number_of(heliograph.list_of(properties->'ck')->5)) AS error
                FROM told GROUP BY 1, 2, 3) AS sums USING (visitor_id, window_id, page)
            """
        )
        return statement
    }

    /// A row for each section, as the page has them: place, category, words, visitors and page views that
    /// saw it, how much of it at most (percent, mean), dwell (milliseconds), clicks, returns.
    func sections(_ page: String?) -> QueryStatement {
        var statement = statement()
        addPage(page, &statement)
        statement.add(
            """
            , look AS (
                SELECT told.visitor_id, told.window_id, told.page,
                    heliograph.number_of(s.value->0) AS place, coalesce(s.value->>1, '') AS category,
                    sum(heliograph.number_of(s.value->2)) AS entries,
                    sum(heliograph.number_of(s.value->3)) AS dwell,
                    max(heliograph.number_of(s.value->4)) AS visible,
                    max(heliograph.number_of(s.value->5)) AS words,
                    sum(heliograph.number_of(s.value->6)) AS clicks,
                    sum(heliograph.number_of(s.value->7)) AS returns
                FROM told
                CROSS JOIN LATERAL jsonb_array_elements(heliograph.list_of(told.properties->'S'))
                    AS s (value)
                WHERE jsonb_typeof(s.value) = 'array'
                GROUP BY 1, 2, 3, 4, 5)
            SELECT place, category, max(words),
                count(DISTINCT visitor_id) FILTER (WHERE entries > 0),
                count(*) FILTER (WHERE entries > 0), avg(visible), sum(dwell),
                percentile_cont(0.5) WITHIN GROUP (ORDER BY dwell), sum(clicks), sum(returns)
            FROM look GROUP BY 1, 2 ORDER BY 1, 2
            """
        )
        statement.add(" LIMIT ", Limits.insightRowsMaximum)
        return statement
    }

    /// A row for each element that was clicked in vain: page, element, tag, rage, dead and error clicks,
    /// visitors; the most clicked first.
    func friction(_ pages: Pages) -> QueryStatement {
        var statement = statement()
        addViews(&statement)
        statement.add(", press AS (SELECT visitor_id, path")
        statement.add(", coalesce(properties->>'a', '') AS element")
        statement.add(", coalesce(properties->>'g', '') AS tag")
        for (name, bit) in [("rage", 8), ("dead", 16), ("error", 32)] as [(StaticString, Int)] {
            statement.add(", mod(trunc(heliograph.number_of(properties->'f') / ", bit)
            statement.add("), 2) = 1 AS ")
            statement.add(name)
        }
        statement.add(" FROM (")
        addTold("'ck'", "view", &statement)
        statement.add(") AS t")
        if case .one(let page) = pages { addOnly(page, &statement) }
        statement.add(
            """
            )
            SELECT path, element, tag, count(*) FILTER (WHERE rage), count(*) FILTER (WHERE dead),
                count(*) FILTER (WHERE error), count(DISTINCT visitor_id)
            FROM press WHERE path IS NOT NULL AND (rage OR dead OR error) GROUP BY 1, 2, 3
            ORDER BY count(*) FILTER (WHERE rage) + count(*) FILTER (WHERE dead)
                + count(*) FILTER (WHERE error) DESC, 1, 2, 3
            """
        )
        statement.add(" LIMIT ", Limits.insightRowsMaximum)
        return statement
    }

    // MARK: - Forms

    /// What was told of forms, and each use of a form: a page view on which it was begun.
    private func addUses(_ statement: inout QueryStatement) {
        statement.add(
            """
            WITH told AS (
                SELECT s.visitor_id, s.window_id, s.page, coalesce(s.properties->>'f', '') AS form,
                    s.properties->>'ph' AS phase, s.properties->'ff' AS fields, s.occurred_at,
                    s.journal_offset, s.n
                FROM heliograph.event AS s WHERE
            """
        )
        statement.add(" ")
        statement.addCounted()
        statement.addWithinRange()
        addDevice(&statement)
        statement.add(
            """
             AND s.type = 'fm' AND s.window_id IS NOT NULL),
            tries AS (
                SELECT visitor_id, window_id, page, form,
                    coalesce(bool_or(phase = '3'), false) AS is_submitted
                FROM told GROUP BY 1, 2, 3, 4)
            """
        )
    }

    /// A row for each form: name, visitors, times it was begun, and of those submitted.
    func forms() -> QueryStatement {
        var statement = statement()
        addUses(&statement)
        statement.add(
            """
             SELECT form, count(DISTINCT visitor_id), count(*), count(*) FILTER (WHERE is_submitted)
            FROM tries GROUP BY 1 ORDER BY 3 DESC, 1
            """
        )
        statement.add(" LIMIT ", Limits.insightRowsMaximum)
        return statement
    }

    /// A row for each field of each form, in the order in which they are filled in: form, field, times
    /// reached, errors, times with an error, returns, corrections, mean time (milliseconds), times that
    /// it was the last one told of a form that was not submitted.
    func fields() -> QueryStatement {
        var statement = statement()
        addUses(&statement)
        statement.add(
            """
            , entry AS (
                SELECT told.visitor_id, told.window_id, told.page, told.form, f.value,
                    f.value->>0 AS field, row_number() OVER try AS turn,
                    count(*) OVER (
                        PARTITION BY told.visitor_id, told.window_id, told.page, told.form) AS turns
                FROM told
                CROSS JOIN LATERAL jsonb_array_elements(heliograph.list_of(told.fields))
                    WITH ORDINALITY AS f (value, place)
                WHERE jsonb_typeof(f.value) = 'array' AND f.value->>0 IS NOT NULL
                WINDOW try AS (
                    PARTITION BY told.visitor_id, told.window_id, told.page, told.form
                    ORDER BY told.occurred_at, told.journal_offset, told.n, f.place)),
            field AS (
                SELECT visitor_id, window_id, page, form, field, min(turn) AS turn,
                    bool_or(turn = turns) AS is_last,
                    sum(heliograph.number_of(value->2)) AS time,
                    sum(heliograph.number_of(value->4)) AS corrections,
                    sum(heliograph.number_of(value->5)) AS returns,
                    sum(heliograph.number_of(value->6)) AS errors
                FROM entry GROUP BY 1, 2, 3, 4, 5)
            SELECT form, field, count(*), sum(errors), count(*) FILTER (WHERE errors > 0),
                sum(returns), sum(corrections), avg(time),
                count(*) FILTER (WHERE is_last AND NOT is_submitted)
            FROM field JOIN tries USING (visitor_id, window_id, page, form)
            GROUP BY 1, 2 ORDER BY form, avg(turn), field
            """
        )
        statement.add(" LIMIT ", Limits.queryRowsMaximum)
        return statement
    }
}
