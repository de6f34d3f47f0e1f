import Bytes
import Companion
import Records
import Scoring
import Storage
import Units

/// Finds a visitor's sums: as they are, in Redis; as they were, by folding the visitor's records anew.
struct StateFinder {
    let stores: DataStores
    let models: ModelTimeline
    let isSilent: Bool

    /// The sums at `moment`, epoch milliseconds, or as they are now. `asPerson` asks for those of the
    /// person that the visitor is part of now.
    func state(
        site: String,
        visitor: String,
        at moment: Int64?,
        asPerson: Bool = false
    ) throws -> PackedState {
        let scan = try LiveModelScan(
            url: stores.redisURL,
            keyPrefix: stores.settings.redis.keyPrefix
        )
        let entry = try scan.visitor(site: site, visitor: visitor)
        let bytes = asPerson ? entry?.joined ?? entry?.state : entry?.state
        let state = bytes.flatMap { bytes in bytes.withUnsafeBytes { PackedState(ByteView($0)) } }
        guard let moment, state.map({ $0.updatedAt > moment }) ?? true else {
            if let state { return state }
            throw CommandError("Redis knows no visitor \(visitor) of site \(site)")
        }
        let subject = try Subject(site: site, visitor: visitor)
        if let found = try refold(subject, upTo: moment, from: nil) { return found }
        if let found = try refold(subject, upTo: moment, from: .rows) { return found }
        throw CommandError("there is no record of visitor \(visitor) until then")
    }

    /// A visitor as records name it.
    private struct Subject {
        let site: ShortText
        let visitor: ShortText

        init(site: String, visitor: String) throws(CommandError) {
            var name = ByteBuffer(capacity: 64)
            var id = ByteBuffer(capacity: 64)
            name.append(text: site)
            id.append(text: visitor)
            guard let site = ShortText(name.view), let visitor = ShortText(id.view) else {
                throw CommandError("no visitor is called \(visitor)")
            }
            (self.site, self.visitor) = (site, visitor)
        }

        func owns(_ slice: Slice) -> Bool {
            site.withBytes { $0.equals(slice.site) }
                && visitor.withBytes { $0.equals(slice.visitor) }
        }
    }

    /// Nil when what the fold begins with is later than `moment`, or there is nothing until then.
    private func refold(
        _ subject: Subject,
        upTo moment: Int64,
        from origin: OfflineFold.Origin?
    ) throws -> PackedState? {
        let rows = try EventRows(conninfo: stores.conninfo)
        let progress = Owned(ProgressBar(isSilent: isSilent))
        let fold = try OfflineFold(stores, rows, models: models, preferring: origin) {
            progress.value.update($0)
        }
        fold.isWanted = { header, slice in
            header.receivedAt <= moment && subject.owns(slice)
        }
        progress.value.begin("folding the past", unit: "records of the visitor")
        try fold.run { _ in }
        progress.value.end(fold.report.records)
        return packed(subject, fold).flatMap { $0.updatedAt <= moment ? $0 : nil }
    }

    private func packed(_ subject: Subject, _ fold: OfflineFold) -> PackedState? {
        let partition = subject.visitor.withBytes { Partition(visitor: $0) }
        let owned = fold.folds.fold(partition)
        let index = subject.site.withBytes { site in
            subject.visitor.withBytes { owned.value.recalledIndex(site: site, visitor: $0) }
        }
        guard let index, owned.value.isScored(index) else { return nil }
        var buffer = ByteBuffer(capacity: PackedState.bytesMaximum)
        owned.value.packState(index, into: &buffer)
        return PackedState(buffer.view)
    }
}
