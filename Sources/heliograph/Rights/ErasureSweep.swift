import Journal
import Records
import Storage

/// After a restore: what was restored is held against the erasure list, and whoever is on it is erased
/// again before anybody is served.
extension Eraser {
    /// Makes requests of all listed subjects that rows or the journal know. Nothing when no restore
    /// asked for it.
    func sweepAfterRestore() throws(EraserPause) {
        guard folder.isSweepWanted else { return }
        let erased = Set(
            around.rights.list.rulings(now: around.time.epochMilliseconds())
                .filter { $0.ruling == .erased }.map(\.digest)
        )
        var found: [String: Set<String>] = [:]
        func look(_ site: String, _ visitor: String) {
            let digest = around.rights.key.digest(.visitor, site: site, id: visitor)
            if erased.contains(digest) { found[site, default: []].insert(visitor) }
        }
        if !erased.isEmpty {
            for subject in try knownToRows() { look(subject.site, subject.visitor) }
            for subject in try knownToJournal() { look(subject.site, subject.visitor) }
        }
        try attempt {
            for (site, visitors) in found { try folder.put(renewal(site, visitors)) }
        }
        folder.endSweep()
    }

    private func renewal(_ site: String, _ visitors: Set<String>) -> RightsRequest {
        let now = around.time.epochMilliseconds()
        return RightsRequest(
            id: "\(now)-restore-\(site)",
            action: .erase,
            site: site,
            requestedAt: now,
            visitors: visitors.sorted(),
            users: [],
            hashes: []
        )
    }

    private func knownToRows() throws(EraserPause) -> [(site: String, visitor: String)] {
        try attempt { try RightsArchive(conninfo: around.rights.conninfo).knownSubjects() }
    }

    private func knownToJournal() throws(EraserPause) -> [(site: String, visitor: String)] {
        struct Subject: Hashable {
            let site, visitor: String
        }
        var known: Set<Subject> = []
        var reader = around.openReader()
        let bound = around.progress.committedSequence
        return try attempt {
            _ = try reader.read(upTo: bound) { record in
                guard record.header.kind == .slice, !record.isErased,
                    let slice = Slice(record.payload)
                else { return }
                known.insert(Subject(site: slice.site.text, visitor: slice.visitor.text))
            }
            return known.map { ($0.site, $0.visitor) }
        }
    }
}
