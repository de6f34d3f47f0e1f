import Bytes
import Companion
import Records
import Scoring
import Storage
import Units

/// Redis' live minutes held against what folding the journal gives: each partition's share of a minute
/// at the record that it says it stands at.
final class MinuteVerification {
    private struct Key: Hashable {
        let partition: UInt8
        let minute: UInt32
        let site: String

        var share: LiveMinuteShare {
            LiveMinuteShare(partition: partition, minute: Int64(minute))
        }
    }

    private let positions: [UInt64]
    private let oldest: Int64
    /// What Redis holds, by partition and the offset that it stands at.
    private var held: [Position: (key: Key, value: [UInt8])] = [:]
    private var keys: Set<Key> = []
    private var part = VerifiedPart("live minutes in Redis")
    private var json = ByteBuffer(capacity: 2048, limit: 8192)

    /// Reads Redis; `positions` are those that it held before.
    init(
        _ scan: LiveModelScan,
        positions: [UInt64],
        nowMilliseconds: Int64
    ) throws(LiveModelScan.Failure) {
        self.positions = positions
        oldest = LiveMinuteAge.oldestWritten(nowMilliseconds: nowMilliseconds)
        var found: [Position: (key: Key, value: [UInt8])] = [:]
        try scan.minutes { site, minute, partition, value in
            let key = Key(partition: partition, minute: minute, site: site)
            let place = Position(partition: Partition(partition), offset: Self.offset(in: value))
            found[place] = (key, value)
        }
        held = found
        keys = Set(found.values.map(\.key))
    }

    /// A share begins with `{"pos":` and the offset.
    private static func offset(in value: [UInt8]) -> UInt64 {
        value.dropFirst(7).prefix { $0 >= 48 && $0 <= 57 }.reduce(0) { $0 &* 10 &+ UInt64($1 - 48) }
    }

    /// How far Redis is, for the fold to reach.
    func raise(_ targets: inout [UInt64]) {
        for position in held.keys {
            let index = Int(position.partition.index)
            targets[index] = max(targets[index], position.offset)
        }
    }

    /// Compares minutes whose last record lies before where the fold began.
    func takeLoaded(_ folds: FoldSet) {
        for partition in folds.partitions { compare(folds.fold(partition), partition, after: 0) }
    }

    /// What erased records counted in cannot be worked out any more: `erased` are left alone.
    func take(_ step: OfflineFold.Step, except erased: Set<LiveMinuteShare>) {
        guard let share = held[step.header.position] else { return }
        if erased.contains(share.key.share) { return held[step.header.position] = nil }
        compare(step.fold, step.header.partition, after: step.header.offset - 1)
    }

    private func compare(_ fold: Owned<PartitionFold>, _ partition: Partition, after: UInt64) {
        _ = fold.value.forEachMinute(after: after, json: &json) { _, _, value in
            let bytes = Array(value.buffer)
            let place = Position(partition: partition, offset: Self.offset(in: bytes))
            guard let share = held.removeValue(forKey: place) else { return true }
            if bytes == share.value {
                part.agree()
            } else {
                let found = String(decoding: share.value, as: UTF8.self)
                part.differ("minute \(share.key.minute): \(found), not \(value.text)")
            }
            return true
        }
    }

    /// What is left is of no record; what the fold knows and Redis claims to have must be there.
    func finish(_ folds: FoldSet, except erased: Set<LiveMinuteShare>) -> VerifiedPart {
        for (place, share) in held where !erased.contains(share.key.share) {
            part.differ(
                "minute \(share.key.minute) of \(share.key.site): stands at record \(place.offset) "
                    + "of partition \(place.partition.index), which did not change it"
            )
        }
        for partition in folds.partitions {
            let claimed = positions[Int(partition.index)]
            let fold = folds.fold(partition)
            _ = fold.value.forEachMinute(after: 0, json: &json) { site, minute, value in
                let key = Key(
                    partition: partition.index,
                    minute: minute,
                    site: site.text
                )
                let isClaimed = Self.offset(in: Array(value.buffer)) <= claimed
                if isClaimed, Int64(minute) >= oldest, !keys.contains(key),
                    !erased.contains(key.share)
                {
                    part.differ("minute \(minute) of \(key.site): not there")
                }
                return true
            }
        }
        return part
    }
}
