import Bytes
import Records
import Scoring
import Settings
import Storage
import Units

/// Folds the past once and scores it by two files, the live one and another, record by record; notes
/// what either said at a fixed landmark of each session and what became of it.
///
/// The landmark is the record with which a session reaches `landmarkEvents` events; the outcome is a
/// conversion of the visitor later than that record and within `horizonMilliseconds`. Sessions that
/// converted before their landmark say nothing, nor do those whose time has not run out yet.
final class ModelContest {
    struct Rules {
        var landmarkEvents = 5
        var horizonMilliseconds: Int64 = 86_400_000
    }

    /// What both said of one session at its landmark.
    struct Example {
        let time: Int64
        let live: Double
        let other: Double
        var hasConverted = false
    }

    /// What both say of one visitor after its last record, and when it first was hot.
    struct Standing {
        var scores = (live: 0.0, other: 0.0)
        var bands = (live: Band.cold, other: Band.cold)
        var profiles = (live: Profile.undetermined, other: Profile.undetermined)
        var hotSince: (live: Int64, other: Int64) = (0, 0)
    }

    /// Of visitors that were hot: how many, how many of them converted then, and how long before.
    struct HotRecord {
        var visitors = 0
        var converted = 0
        var leadMilliseconds: [Int64] = []
    }

    private struct Session: Hashable {
        let visitor: UInt64
        let hash: UInt64
    }

    private struct Visit {
        var events: Int32 = 0
        var isOver = false
    }

    let rules: Rules
    private let conversions: Set<String>
    private var visits: [Session: Visit] = [:]
    /// Examples of each visitor whose time has not run out, by their place in `examples`.
    private var open: [UInt64: [Int]] = [:]
    private(set) var examples: [Example] = []
    private(set) var standings: [UInt64: Standing] = [:]
    private(set) var records = 0
    private(set) var conversionCount = 0
    /// Conversions of visitors that either model called hot before.
    private(set) var hotBefore = (live: 0, other: 0)
    private(set) var hot = (live: HotRecord(), other: HotRecord())
    private var latest: Int64 = 0

    init(_ rules: Rules, conversions: [String]) {
        self.rules = rules
        self.conversions = Set(conversions)
    }

    /// Takes a record that both have folded.
    func take(_ step: OfflineFold.Step, other: FoldEffect) {
        let effect = step.effect
        guard effect.score == .updated, other.score == .updated,
            !step.slice.flags.contains(.bot)
        else { return }
        records += 1
        latest = max(latest, step.header.receivedAt)
        let visitor = UInt64(step.header.partition.index) << 32 | UInt64(effect.visitorIndex)
        let hasConverted = converts(step)
        if hasConverted { settle(visitor, at: step.header.receivedAt) }
        stand(visitor, effect.history.reading, other.history.reading)
        look(visitor, step, other, hasConverted)
    }

    private func converts(_ step: OfflineFold.Step) -> Bool {
        var found = false
        step.slice.forEachEvent { number, event in
            guard event.kind == .custom, step.header.duplicates >> UInt64(number) & 1 == 0 else {
                return
            }
            if conversions.contains(event.name.text.lowercased()) { found = true }
        }
        return found
    }

    /// A conversion answers the visitor's open examples, and whether being hot meant anything.
    private func settle(_ visitor: UInt64, at time: Int64) {
        conversionCount += 1
        for place in open.removeValue(forKey: visitor) ?? [] {
            if time - examples[place].time <= rules.horizonMilliseconds {
                examples[place].hasConverted = true
            }
        }
        guard let standing = standings[visitor] else { return }
        Self.note(standing.hotSince.live, time, &hot.live, &hotBefore.live)
        Self.note(standing.hotSince.other, time, &hot.other, &hotBefore.other)
        // The next buying decision begins.
        standings[visitor]?.hotSince = (0, 0)
    }

    private static func note(
        _ since: Int64,
        _ time: Int64,
        _ record: inout HotRecord,
        _ before: inout Int
    ) {
        guard since > 0 else { return }
        before += 1
        record.converted += 1
        record.leadMilliseconds.append(time - since)
    }

    private func stand(_ visitor: UInt64, _ live: Reading, _ other: Reading) {
        var standing = standings[visitor] ?? Standing()
        standing.scores = (live.score, other.score)
        standing.bands = (live.band, other.band)
        standing.profiles = (live.profile, other.profile)
        if live.band == .hot, standing.hotSince.live == 0 {
            standing.hotSince.live = live.updatedAt
            hot.live.visitors += 1
        }
        if other.band == .hot, standing.hotSince.other == 0 {
            standing.hotSince.other = other.updatedAt
            hot.other.visitors += 1
        }
        standings[visitor] = standing
    }

    private func look(
        _ visitor: UInt64,
        _ step: OfflineFold.Step,
        _ other: FoldEffect,
        _ hasConverted: Bool
    ) {
        let hash = step.effect.session.session.withBytes { $0.hash128(key: Self.key).low }
        let session = Session(visitor: visitor, hash: hash)
        var visit = visits[session] ?? Visit()
        guard !visit.isOver else { return }
        visit.events += step.effect.eventsFolded
        visit.isOver = hasConverted || visit.events >= rules.landmarkEvents
        visits[session] = visit
        guard visit.isOver, !hasConverted else { return }
        open[visitor, default: []].append(examples.count)
        examples.append(
            Example(
                time: step.header.receivedAt,
                live: step.effect.history.reading.score / 100,
                other: other.history.reading.score / 100
            )
        )
    }

    private static let key = HashKey(first: 0x636f_6e74_6573_7400, second: 0x7365_7373_696f_6e00)

    /// The examples whose outcome is known: they converted, or their time had run out with the last
    /// record.
    var closed: [Example] {
        examples.filter { $0.hasConverted || $0.time + rules.horizonMilliseconds <= latest }
    }
}
