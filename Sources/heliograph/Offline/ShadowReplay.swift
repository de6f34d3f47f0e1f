import Bytes
import Companion
import Records
import Scoring
import Storage
import Units

/// Scores the past by another scoring file, and puts the scores beside the live ones in Redis.
struct ShadowReplay {
    let stores: DataStores
    let name: String
    let isSilent: Bool

    /// Whether `name` may become part of a key.
    static func isName(_ name: String) -> Bool {
        (1...32).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "-")
            }
    }

    private var prefix: String { "\(stores.settings.redis.keyPrefix)shadow:\(name):" }

    private func scan(_ prefix: String) throws -> LiveModelScan {
        try LiveModelScan(url: stores.redisURL, keyPrefix: prefix)
    }

    /// Takes the scores away. Returns how many keys there were.
    func remove() throws -> Int { try scan(prefix).clear() }

    /// Folds everything by the rules of the file at `path`.
    func run(_ path: String) throws -> ShadowReport {
        let model = ScoringModel(try stores.loadScoring(path))
        let rows = try EventRows(conninfo: stores.conninfo)
        let progress = Owned(ProgressBar(isSilent: isSilent))
        let fold = try OfflineFold(
            stores,
            rows,
            models: ModelTimeline(model),
            mayUseCheckpoints: false
        ) { progress.value.update($0) }
        progress.value.begin("folding", unit: "records", total: fold.estimatedRecords)
        try fold.run { _ in }
        progress.value.end(fold.report.records)
        _ = try remove()
        progress.value.begin("writing Redis", unit: "visitors", total: fold.folds.size.visitors)
        let restore = LiveRestore(redisURL: stores.redisURL, keyPrefix: prefix)
        let written = try restore.write(fold.folds) { progress.value.update($0) }
        progress.value.end(written)
        return try compare(fold, model)
    }

    /// Both sides as Redis has them: what a dashboard would show.
    private func compare(_ fold: OfflineFold, _ model: ScoringModel) throws -> ShadowReport {
        var live: [String: LiveModelScan.Entry] = [:]
        try scan(stores.settings.redis.keyPrefix).visitors {
            live["\($0.site) \($0.visitor)"] = $0
        }
        var report = ShadowReport(
            into: prefix,
            model: model.name,
            foldedFrom: fold.origin.rawValue,
            records: fold.report.records
        )
        try scan(prefix).visitors { shadow in
            report.take(shadow, live["\(shadow.site) \(shadow.visitor)"])
        }
        return report
    }
}

/// How another scoring file would have scored the same visitors.
struct ShadowReport: Encodable {
    let into: String
    let model: String
    let foldedFrom: String
    let records: Int
    private var visitors = 0
    private var compared = 0
    /// Visitors by live and shadow band, such as `cold to warm`.
    private var bands: [String: Int] = [:]
    private var profilesChanged = 0
    private var differenceSum = 0.0
    private var differenceMaximum = 0.0

    init(into: String, model: String, foldedFrom: String, records: Int) {
        (self.into, self.model, self.foldedFrom) = (into, model, foldedFrom)
        self.records = records
    }

    mutating func take(_ shadow: LiveModelScan.Entry, _ live: LiveModelScan.Entry?) {
        visitors += 1
        guard let live, let before = Double(live.score), let after = Double(shadow.score) else {
            return
        }
        compared += 1
        bands["\(live.band) to \(shadow.band)", default: 0] += 1
        if live.profile != shadow.profile { profilesChanged += 1 }
        differenceSum += abs(after - before)
        differenceMaximum = max(differenceMaximum, abs(after - before))
    }

    var json: String { jsonText }

    var text: String {
        var lines = [
            "\(ProgressBar.grouped(visitors)) visitors scored by model \(model) from "
                + "\(ProgressBar.grouped(records)) records, under \(into)hg:…",
            "  \(ProgressBar.grouped(compared)) of them have a live score; it differs by "
                + "\(rounded(compared > 0 ? differenceSum / Double(compared) : 0)) on average, "
                + "\(rounded(differenceMaximum)) at the most",
            "  \(profilesChanged) have another profile",
        ]
        lines += bands.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value)" }
        return lines.joined(separator: "\n")
    }

    private func rounded(_ number: Double) -> Double { (number * 10).rounded() / 10 }
}
