/// The person that a visitor is read as part of: the browsers that are known to be the same user's.
struct PersonDocument: Encodable, Sendable {
    /// The person's key: the same for all of its browsers, and only on this site.
    let identity: String
    /// How many browsers there are.
    let count: Int
    /// Their ids, this one among them, those joined first before the others.
    let visitors: [String]
}

extension HistoryReader {
    /// The person of a visitor; nil when it is part of none.
    func person(_ visitor: String, site: String) async throws -> PersonDocument? {
        let query = ArchiveQuery(Self.members, [site, visitor])
        let rows = try await archive.ask([query])[0]
        guard let identity = rows.first?[0] else { return nil }
        let visitors = rows.compactMap { $0[1] }
        return PersonDocument(identity: identity, count: visitors.count, visitors: visitors)
    }

    private static let members: StaticString = """
        SELECT identity, visitor_id FROM heliograph.members_of($1, $2)
        """
}
