import Bytes
import Companion
import Journal
import Privacy
import Records
import Storage

/// Looks for persons in the stores of a data folder, for commands.
struct SubjectSearch {
    /// Subjects found in a store.
    struct Find: Encodable, Equatable {
        let store: String
        let subjects: Int
    }

    /// What there is of the subjects of a request.
    struct Preview: Encodable {
        let visitors: [String]
        let found: [Receipt.Found]

        var text: String {
            (["\(visitors.count) visitors:"] + visitors.prefix(20).map { "  \($0)" }
                + found.filter { $0.count > 0 }.map { "  \($0.store): \($0.count)" })
                .joined(separator: "\n")
        }
    }

    let key: SubjectKey
    private let stores: DataStores

    init(_ stores: DataStores) throws {
        self.stores = stores
        key = try SubjectKey(data: stores.data)
    }

    private func redis() throws -> LiveModelErasure {
        try LiveModelErasure(url: stores.redisURL, keyPrefix: stores.settings.redis.keyPrefix)
    }

    // MARK: - By name

    /// Every visitor of a request: those named, and those of its users.
    func visitors(of request: RightsRequest) throws -> [String] {
        var found = Set(request.visitors)
        if !request.users.isEmpty || !request.hashes.isEmpty {
            found.formUnion(
                try RightsArchive(conninfo: stores.conninfo).visitors(
                    site: request.site,
                    users: request.users,
                    hashes: request.hashes
                )
            )
        }
        return found.sorted()
    }

    func preview(_ request: RightsRequest) throws -> Preview {
        let visitors = try visitors(of: request)
        let rows = try RightsArchive(conninfo: stores.conninfo)
            .count(site: request.site, visitors: visitors)
        var found = rows.map { Receipt.Found(store: $0.store, count: $0.rows) }
        let known = try redis().count(site: request.site, visitors: visitors)
        found.append(Receipt.Found(store: "redis visitors", count: known))
        let search = RecordSearch(key, site: request.site, visitors)
        var records = 0
        try forEachRecord { if search.isWanted($0) { records += 1 } }
        found.append(Receipt.Found(store: "journal records", count: records))
        return Preview(visitors: visitors, found: found)
    }

    func forEachRecord(_ body: (JournalRecord) -> Void) throws {
        var reader = stores.openReader()
        _ = try reader.read(upTo: .max) { if !$0.isErased { body($0) } }
    }

    // MARK: - By digest

    /// How many of the subjects with these digests each store knows, where it knows any.
    func find(_ digests: Set<String>) throws -> [Find] {
        [
            Find(store: "postgres", subjects: try inRows(digests)),
            Find(store: "redis", subjects: try inRedis(digests)),
            Find(store: "journal", subjects: try inJournal(digests)),
        ].filter { $0.subjects > 0 }
    }

    private func isAmong(_ digests: Set<String>, _ site: String, _ visitor: String) -> Bool {
        digests.contains(Hexadecimal.text(key.digest(.visitor, site: site, id: visitor)))
    }

    private func inRows(_ digests: Set<String>) throws -> Int {
        try RightsArchive(conninfo: stores.conninfo).knownSubjects()
            .filter { isAmong(digests, $0.site, $0.visitor) }.count
    }

    private func inRedis(_ digests: Set<String>) throws -> Int {
        let prefix = stores.settings.redis.keyPrefix
        var count = 0
        try LiveModelScan(url: stores.redisURL, keyPrefix: prefix).visitors { entry in
            if isAmong(digests, entry.site, entry.visitor) { count += 1 }
        }
        return count
    }

    private func inJournal(_ digests: Set<String>) throws -> Int {
        var found: Set<String> = []
        try forEachRecord { record in
            guard record.header.kind == .slice, let slice = Slice(record.payload) else { return }
            let (site, visitor) = (slice.site.text, slice.visitor.text)
            if isAmong(digests, site, visitor) { found.insert(site + "\n" + visitor) }
        }
        return found.count
    }
}
