import Foundation

/// The statement that counts how far visitors got in a funnel. Each event in a visitor's order carries, for
/// every step, when the latest chain of steps that it ends has begun: the running maximum of what the step
/// before carried earlier. A later beginning is never worse, so whoever could reach a step does.
struct FunnelStatement {
    let plan: FunnelPlan

    var query: QueryStatement {
        var statement = QueryStatement(site: plan.site, range: plan.range)
        statement.add("WITH hit AS (")
        addHits(&statement)
        statement.add(")")
        addFirstChain(&statement)
        for step in plan.steps.indices.dropFirst() { addChain(step + 1, &statement) }
        addReached(&statement)
        return statement
    }

    // MARK: - What happened

    /// Everything that may be a step, and which steps it may be.
    private func addHits(_ statement: inout QueryStatement) {
        statement.add(
            """
            SELECT s.visitor_id, s.journal_offset, s.n,
                (extract(epoch FROM s.occurred_at) * 1000000)::bigint AS at
            """
        )
        for (index, marks) in plan.steps.enumerated() {
            statement.add(", coalesce(")
            for (place, mark) in marks.enumerated() {
                if place > 0 { statement.add(" OR ") }
                add(mark, &statement)
            }
            statement.add(", false) AS is_", index + 1)
        }
        statement.add(", s.occurred_at < $3::timestamptz")
        if let filter = plan.filter {
            statement.add(" AND coalesce(")
            statement.add(filter, on: .events)
            statement.add(", false)")
        }
        statement.add(" AS may_begin FROM (")
        addEvents(&statement)
        if plan.steps.contains(where: { $0.contains(where: \.isConversion) }) {
            addConversions(&statement)
        }
        statement.add(") AS s")
        let joins = (plan.filter?.leaves ?? []).compactMap {
            QueryDimension.named[$0]?.joins[.events]
        }
        for join in QueryJoin.allCases where joins.contains(join) { statement.add(join.statement) }
    }

    private func addEvents(_ statement: inout QueryStatement) {
        statement.add(
            """
            SELECT s.site, s.visitor_id, s.session_id, s.occurred_at, s.journal_offset, s.n, s.type,
                s.name, s.context, s.properties, CASE WHEN s.type = 'pv' THEN
            """
        )
        statement.add(" ")
        statement.add(QueryDimension.page)
        statement.add(" END AS path FROM heliograph.event AS s WHERE s.site = $1 AND NOT s.bot")
        statement.add(" AND s.type IN ('pv', 'cu', 'fm')")
        addSpan(&statement)
        statement.add(" AND s.received_at >= $2::timestamptz - interval '1 day'")
        statement.add(" AND s.received_at < $3::timestamptz + interval '8 days' + ")
        addWindow(&statement)
    }

    /// Conversions stand behind the event that they were found in.
    private func addConversions(_ statement: inout QueryStatement) {
        statement.add(
            """
             UNION ALL SELECT s.site, s.visitor_id, s.session_id, s.occurred_at, s.journal_offset,
                9223372036854775807, 'conversion', s.name, NULL, NULL, NULL
            FROM heliograph.conversion AS s WHERE s.site = $1 AND NOT s.bot
            """
        )
        addSpan(&statement)
    }

    /// First steps within the range, later ones as long as the window is.
    private func addSpan(_ statement: inout QueryStatement) {
        statement.add(" AND s.occurred_at >= $2::timestamptz")
        statement.add(" AND s.occurred_at < $3::timestamptz + ")
        addWindow(&statement)
    }

    private func addWindow(_ statement: inout QueryStatement) {
        statement.add("", plan.windowSeconds)
        statement.add(" * interval '1 second'")
    }

    private func add(_ mark: FunnelMark, _ statement: inout QueryStatement) {
        switch mark {
        case .page(let glob):
            statement.add("s.path LIKE ")
            statement.add(value: Self.pattern(glob))
            return
        case .event: statement.add("s.type = 'cu' AND s.name = ")
        case .conversion: statement.add("s.type = 'conversion' AND s.name = ")
        case .form(_, let isSubmitted):
            statement.add("s.type = 'fm' AND ")
            if isSubmitted { statement.add("s.properties->>'ph' = '3' AND ") }
            statement.add("s.properties->>'f' = ")
        }
        statement.add(value: mark.name)
    }

    /// As LIKE writes it; only `*` stands for anything.
    static func pattern(_ glob: String) -> String {
        glob.reduce(into: "") { pattern, letter in
            switch letter {
            case "*": pattern.append("%")
            case "%", "_", "\\": pattern += "\\\(letter)"
            default: pattern.append(letter)
            }
        }
    }

    // MARK: - Chains

    private func addFirstChain(_ statement: inout QueryStatement) {
        statement.add(", chain_1 AS (SELECT c.*, CASE WHEN c.is_1 AND c.may_begin THEN c.at END")
        statement.add(" AS begun_1 FROM hit AS c")
        if plan.order == .anyBetween {
            for index in plan.steps.indices {
                statement.add(index == 0 ? " WHERE c.is_" : " OR c.is_", index + 1)
            }
        }
        statement.add(")")
    }

    /// `begun_k` is when the chain began that ends here, `wait_k` how long after the step before.
    private func addChain(_ step: Int, _ statement: inout QueryStatement) {
        statement.add(", chain_", step)
        statement.add(" AS (SELECT c.*, CASE WHEN c.is_", step)
        statement.add(" AND c.at - max(c.begun_", step - 1)
        statement.add(") OVER before <= ", plan.windowSeconds * 1_000_000)
        statement.add(" THEN max(c.begun_", step - 1)
        statement.add(") OVER before END AS begun_", step)
        statement.add(", CASE WHEN c.is_", step)
        statement.add(" THEN c.at - max(CASE WHEN c.begun_", step - 1)
        statement.add(" IS NOT NULL THEN c.at END) OVER before END AS wait_", step)
        statement.add(" FROM chain_", step - 1)
        statement.add(
            """
             AS c WINDOW before AS (
                PARTITION BY c.visitor_id ORDER BY c.at, c.journal_offset, c.n ROWS BETWEEN
            """
        )
        statement.add(plan.order == .strict ? " 1 PRECEDING" : " UNBOUNDED PRECEDING")
        statement.add(" AND 1 PRECEDING))")
    }

    /// Who got how far, and how long the first time took: microseconds from the step before and from the
    /// first.
    private func addReached(_ statement: inout QueryStatement) {
        statement.add(", reached AS (SELECT visitor_id")
        for step in 1...plan.steps.count {
            statement.add(", min(ARRAY[at, ")
            if step == 1 { statement.add("0::bigint") } else { statement.add("wait_", step) }
            statement.add(", at - begun_", step)
            statement.add("]) FILTER (WHERE begun_", step)
            statement.add(" IS NOT NULL) AS first_", step)
        }
        statement.add(" FROM chain_", plan.steps.count)
        statement.add(" GROUP BY visitor_id) SELECT")
        for step in 1...plan.steps.count {
            statement.add(step == 1 ? " count(first_" : ", count(first_", step)
            for part in 2...3 {
                statement.add("), percentile_cont(0.5) WITHIN GROUP (ORDER BY (first_", step)
                statement.add(")[", part)
                statement.add("] / 1000.0")
            }
            statement.add(")")
        }
        statement.add(" FROM reached")
    }
}
