public import Bytes

/// Our own format for servers: `POST /v1/events` with an array of events, an object with `events`,
/// one event, or, with the content type `application/x-ndjson`, an event a line.
///
/// Its members have short names; Segment's names are taken too, so that an exported call can be sent
/// as it is.
public enum EventsFormat: WireFormat {
    /// Tells the four shapes apart.
    public static func open(
        _ body: ByteView,
        _ request: WireRequest,
        _ scratch: inout ByteBuffer
    ) throws(WireError) -> WireBatch {
        if isLines(request.contentType) {
            var batch = WireBatch()
            batch.items = body
            batch.layout = .lines
            return batch
        }
        let text = body.trimmed
        if !text.isEmpty, text[0] == UInt8(ascii: "[") { return try array(text) }
        var envelope = WireEnvelope(arrayKey: "events")
        var batch = try envelope.read(text)
        if batch.layout == .single { batch.items = text }
        return batch
    }

    /// Reads one event.
    public static func read(
        _ item: ByteView,
        of batch: WireBatch
    ) -> Result<IncomingEvent, WireFault> {
        WireItem<EventsVocabulary>.read(item, of: batch)
    }

    private static func array(_ text: ByteView) throws(WireError) -> WireBatch {
        var cursor = JSONCursor(text)
        var batch = WireBatch()
        do throws(JSONError) {
            batch.items = try cursor.skip()
            try cursor.end()
        } catch {
            throw .json(error)
        }
        batch.layout = .array
        return batch
    }

    /// The media type alone decides, not its parameters (RFC 9110 section 8.3.1).
    private static func isLines(_ contentType: ByteView) -> Bool {
        let end = contentType.firstIndex(of: UInt8(ascii: ";")) ?? contentType.count
        let type = contentType[0..<end].trimmed
        return type.equalsIgnoringCase("application/x-ndjson")
            || type.equalsIgnoringCase("application/jsonl")
            || type.equalsIgnoringCase("application/x-jsonlines")
    }
}

/// Members of our own events; what is not one of them is read as Segment's.
enum EventsVocabulary: WireVocabulary {
    static func field(_ key: ByteView) -> WireField {
        if key.equals("id") { return .messageID }
        if key.equals("name") { return .name }
        if key.equals("visitor") { return .anonymousID }
        if key.equals("user") { return .userID }
        if key.equals("time") { return .timestamp }
        if key.equals("url") { return .url }
        if key.equals("referrer") { return .referrer }
        if key.equals("title") { return .title }
        if key.equals("consent") { return .consent }
        if key.equals("group") { return .groupID }
        if key.equals("previous") { return .previousID }
        if key.equals("key") { return .ignored }
        return SegmentVocabulary.field(key)
    }
}
