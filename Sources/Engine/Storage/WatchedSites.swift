import Bytes
import Records

/// The sites whose `hot` sets this writer knows, each with the score below which a visitor would be
/// trimmed from a full set at the next sweep and need not enter it at all.
struct WatchedSites {
    private(set) var names: [ShortText] = []
    private var floors: [Double] = []
    /// Records come in runs of one site, so the last one found is looked at first.
    private var last = 0

    var count: Int { names.count }

    /// The site's index; nil when there are more sites than are watched.
    mutating func index(of name: ByteView) -> Int? {
        if last < names.count, names[last].withBytes({ $0.equals(name) }) { return last }
        if let found = names.firstIndex(where: { $0.withBytes { $0.equals(name) } }) {
            last = found
            return found
        }
        guard names.count < StorageLimits.sitesMaximum, let text = ShortText(name) else {
            return nil
        }
        names.append(text)
        floors.append(0)
        last = names.count - 1
        return last
    }

    func floor(_ index: Int?) -> Double { index.map { floors[$0] } ?? 0 }

    mutating func forgetFloors() {
        for index in floors.indices { floors[index] = 0 }
    }

    /// Appends a question for each site's member at the last rank that a sweep keeps.
    func appendFloorQuestions(to buffer: inout ByteBuffer, prefix: ByteView) {
        let rank = Int64(-StorageLimits.hotMembersMaximum)
        for name in names {
            buffer.command(5)
            buffer.argument("ZRANGE")
            name.withBytes { buffer.key(prefix, $0, ":hot", .empty, "") }
            buffer.argument(decimal: rank)
            buffer.argument(decimal: rank)
            buffer.argument("WITHSCORES")
        }
    }

    /// The answer is empty while the set is not full.
    mutating func takeFloor(_ index: Int, _ reply: UnsafeMutablePointer<RedisReply>) {
        var floor = 0.0
        if reply.pointee.kind == .array {
            reply.pointee.forEachElement { element, text in
                if element == 1, let text { floor = JSONNumber.double(text) ?? 0 }
            }
        }
        floors[index] = floor
    }
}
