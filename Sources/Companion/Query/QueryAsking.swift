import Foundation

/// Asks PostgreSQL what a plan needs, of days where they answer and of rows where not.
struct QueryAsking {
    struct Found {
        var tables: [QueryTable] = []
        var sums: [[String: [String: Decimal]]] = []
        var sources: [String] = []
        var asOf: Date?
    }

    private let plan: QueryPlan
    private let ranges: [QueryRange]
    private let archive: ArchiveReaders
    /// Empty where days cannot answer.
    private let rollups: [QueryRollup]

    /// How often days that change meanwhile are asked again before the rows are.
    private static let triesMaximum = 3

    init(_ plan: QueryPlan, _ ranges: [QueryRange], _ archive: ArchiveReaders) {
        (self.plan, self.ranges, self.archive) = (plan, ranges, archive)
        let rollups = ranges.compactMap { QueryRollup(plan, $0) }
        self.rollups = rollups.count == ranges.count ? rollups : []
    }

    /// Which days hold decides what is asked, and has to hold when it is answered.
    func answers(_ freshness: QueryFreshness) async throws -> Found {
        if rollups.isEmpty { return try await ask(freshness, [])?.found ?? Found() }
        var standings = try await archive.ask(rollups.map(\.standing)).map {
            QueryRollup.Standing($0)
        }
        for _ in 0..<Self.triesMaximum {
            guard let answer = try await ask(freshness, standings) else { continue }
            if answer.standings == standings { return answer.found }
            standings = answer.standings
        }
        return try await ask(freshness, [])?.found ?? Found()
    }

    private func ask(
        _ freshness: QueryFreshness,
        _ standings: [QueryRollup.Standing]
    ) async throws -> (found: Found, standings: [QueryRollup.Standing])? {
        let questions = try ranges.indices.map { try question($0, standings) }
        let looks = standings.isEmpty ? [] : rollups.map(\.standing)
        let answers = try await archive.ask(
            [freshness.question] + looks + questions.flatMap(\.queries)
        )
        var found = Found()
        var rest = answers.dropFirst(1 + looks.count)
        for question in questions {
            let own = Array(rest.prefix(question.queries.count))
            rest = rest.dropFirst(question.queries.count)
            found.tables.append(try question.table(own))
            found.sums.append(question.sums(own))
            found.sources += question.sources.filter { !found.sources.contains($0) }
        }
        found.asOf = try await freshness.asOf(answers[0], archive)
        return (found, answers[1..<1 + looks.count].map { QueryRollup.Standing($0) })
    }

    private func question(
        _ index: Int,
        _ standings: [QueryRollup.Standing]
    ) throws -> QueryQuestions {
        if !standings.isEmpty, let cut = rollups[index].cut(standings[index]) {
            return try QueryQuestions(rollups[index], cut: cut)
        }
        return try QueryQuestions(plan, ranges[index])
    }
}
