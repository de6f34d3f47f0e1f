import Bytes
import Records

/// Keeps the `hot` sets bounded, young and true: a cycle over all sites, a few members per pipeline.
///
/// Each step is one of two: list a window of a site's members, or read the hashes of those listed. The
/// second stages the corrections. Ranks shift while a cycle runs, so a member may be missed; the next
/// cycle finds it. Owned by the writer.
struct HotSweep: ~Copyable {
    private enum Step {
        case resting, listing, reading
    }

    private var step = Step.resting
    /// Kept by the writer too, which asks it for every visitor.
    var sites = WatchedSites()
    private var site = 0
    private var cursor = 0
    private var now: Int64 = 0
    private var rescore: LiveModelWriter.Rescore?
    private var members: [ShortText] = []
    /// Members in the present window, those too long to be looked at included.
    private var listed = 0
    private var answersTaken = 0
    private var removed = 0

    /// Whether the next pipeline should carry a step of a cycle.
    var isPending: Bool { step != .resting }

    mutating func begin(now: Int64, rescore: LiveModelWriter.Rescore?) {
        guard step == .resting, sites.count > 0 else { return }
        (self.now, self.rescore) = (now, rescore)
        (site, cursor) = (0, 0)
        step = .listing
    }

    mutating func cancel() {
        step = .resting
        rescore = nil
        members.removeAll(keepingCapacity: true)
    }

    /// Appends the commands of the present step; returns how many answers they will bring.
    mutating func appendCommands(to buffer: inout ByteBuffer, prefix: ByteView) -> Int {
        answersTaken = 0
        removed = 0
        switch step {
        case .resting: return 0
        case .listing: return appendListing(&buffer, prefix)
        case .reading: return appendReading(&buffer, prefix)
        }
    }

    private mutating func appendListing(_ buffer: inout ByteBuffer, _ prefix: ByteView) -> Int {
        members.removeAll(keepingCapacity: true)
        sites.names[site].withBytes { name in
            buffer.command(4)
            buffer.argument("ZREMRANGEBYRANK")
            buffer.key(prefix, name, ":hot", .empty, "")
            buffer.argument(decimal: 0)
            buffer.argument(decimal: Int64(-StorageLimits.hotMembersMaximum - 1))
            buffer.command(4)
            buffer.argument("ZRANGE")
            buffer.key(prefix, name, ":hot", .empty, "")
            buffer.argument(decimal: Int64(cursor))
            buffer.argument(decimal: Int64(cursor + StorageLimits.hotSweepBatch - 1))
        }
        return 2
    }

    private func appendReading(_ buffer: inout ByteBuffer, _ prefix: ByteView) -> Int {
        sites.names[site].withBytes { name in
            for member in members {
                buffer.command(5)
                buffer.argument("HMGET")
                member.withBytes { buffer.key(prefix, name, ":v:{", $0, "}") }
                buffer.argument("updated")
                buffer.argument("state")
                buffer.argument("joined")
            }
        }
        return members.count
    }

    /// Takes one answer and stages the corrections that follow from it.
    mutating func take(
        _ reply: UnsafeMutablePointer<RedisReply>,
        staged: inout ByteBuffer,
        _ stagedCommands: inout Int,
        prefix: ByteView
    ) {
        answersTaken += 1
        if step == .listing {
            if answersTaken == 2 { takeMembers(reply) }
            return
        }
        let member = members[answersTaken - 1]
        correct(member, reply, &staged, &stagedCommands, prefix)
        if answersTaken == members.count { moveOn() }
    }

    private mutating func takeMembers(_ reply: UnsafeMutablePointer<RedisReply>) {
        var found: [ShortText] = []
        var count = 0
        if reply.pointee.kind == .array {
            reply.pointee.forEachElement { _, text in
                count += 1
                if let text, let member = ShortText(text) { found.append(member) }
            }
        }
        (members, listed) = (found, count)
        if members.isEmpty { moveOn() } else { step = .reading }
    }

    private mutating func correct(
        _ member: ShortText,
        _ reply: UnsafeMutablePointer<RedisReply>,
        _ staged: inout ByteBuffer,
        _ stagedCommands: inout Int,
        _ prefix: ByteView
    ) {
        guard reply.pointee.kind == .array else { return }
        var updated: Int64 = 0
        var score: Double?
        let (name, now, rescore) = (sites.names[site], now, rescore)
        reply.pointee.forEachElement { index, text in
            guard let text else { return }
            if index == 0 {
                updated = Int64(text.decimal ?? 0)
            } else if let rescore {
                // Of who is part of a person, the person's sums come last and hold.
                score = name.withBytes { site in
                    member.withBytes { rescore(site, $0, text, now) }
                }
            }
        }
        let isOld = updated < now - StorageLimits.hotAgeMilliseconds
        if isOld { removed += 1 }
        guard isOld || score != nil else { return }
        staged.command(isOld ? 3 : 5)
        staged.argument(isOld ? "ZREM" : "ZADD")
        name.withBytes { staged.key(prefix, $0, ":hot", .empty, "") }
        if !isOld, let score {
            staged.argument("XX")
            staged.argument(fixed: score, places: 1)
        }
        member.withBytes { staged.argument($0) }
        stagedCommands += 1
    }

    /// To the next window of the site, the next site, or the end.
    private mutating func moveOn() {
        cursor += listed - removed
        step = .listing
        let isSiteDone =
            listed < StorageLimits.hotSweepBatch || cursor >= StorageLimits.hotMembersMaximum
        guard isSiteDone else { return }
        cursor = 0
        site += 1
        if site == sites.count { cancel() }
    }
}
