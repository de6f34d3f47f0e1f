import Bytes

/// Reads the members around the events, which formats name much alike.
struct WireEnvelope {
    /// The member that holds the array of events.
    let arrayKey: StaticString
    private var batch = WireBatch()

    init(arrayKey: StaticString) { self.arrayKey = arrayKey }

    /// Reads and checks the whole text. Without the array, `layout` stays `single`.
    mutating func read(_ body: ByteView) throws(WireError) -> WireBatch {
        var members: WireMembers
        do throws(JSONError) { members = try WireMembers(body) } catch { throw .json(error) }
        while let member = try next(&members) { try take(member) }
        return batch
    }

    private func next(_ members: inout WireMembers) throws(WireError) -> WireMember? {
        do throws(JSONError) { return try members.next() } catch { throw .json(error) }
    }

    private mutating func take(_ member: WireMember) throws(WireError) {
        let key = member.key
        if key.equals(ByteView(arrayKey)) {
            guard member.kind == .array else { throw .wrongType(arrayKey) }
            batch.items = member.value
            batch.layout = .array
        } else if key.equals("writeKey") || key.equals("key") {
            guard member.kind == .string || member.kind == .null else {
                throw .wrongType("writeKey")
            }
            batch.key = member.textOrNothing
        } else if key.equals("sentAt") {
            batch.sentAt = member.textOrNothing
        } else if key.equals("context") {
            batch.context.take(member.objectOrNothing)
        }
    }
}
