public import Bytes

/// The HTTP API of Segment, which RudderStack, Jitsu and others speak too.
///
/// A batch is an object with `batch`, an array of calls; or the path names one call and the body is
/// it. RudderStack puts identify traits into the context; both places are read.
public enum SegmentFormat: WireFormat {
    /// Finds the members of the envelope.
    public static func open(
        _ body: ByteView,
        _ request: WireRequest,
        _ scratch: inout ByteBuffer
    ) throws(WireError) -> WireBatch {
        var envelope = WireEnvelope(arrayKey: "batch")
        var batch = try envelope.read(body)
        if let call = request.endpoint.call {
            batch.call = call
            batch.items = body
            batch.layout = .single
        } else if batch.layout != .array {
            throw .missing("batch")
        }
        return batch
    }

    /// Reads one call.
    public static func read(
        _ item: ByteView,
        of batch: WireBatch
    ) -> Result<IncomingEvent, WireFault> {
        WireItem<SegmentVocabulary>.read(item, of: batch)
    }
}

/// Members of a call, of Segment's and of RudderStack's SDKs.
enum SegmentVocabulary: WireVocabulary {
    static func field(_ key: ByteView) -> WireField {
        switch key.count {
        case 4: return key.equals("type") ? .type : key.equals("name") ? .pageName : .unknown
        case 5: return key.equals("event") ? .name : .unknown
        case 6: return key.equals("userId") ? .userID : ignoredOrUnknown(key)
        case 7:
            if key.equals("groupId") { return .groupID }
            if key.equals("context") { return .context }
            return ignoredOrUnknown(key)
        default: return long(key)
        }
    }

    private static func long(_ key: ByteView) -> WireField {
        if key.equals("messageId") { return .messageID }
        if key.equals("anonymousId") { return .anonymousID }
        if key.equals("timestamp") { return .timestamp }
        if key.equals("originalTimestamp") { return .originalTimestamp }
        if key.equals("properties") { return .properties }
        if key.equals("previousId") { return .previousID }
        if key.equals("category") { return .category }
        return ignoredOrUnknown(key)
    }

    private static func ignoredOrUnknown(_ key: ByteView) -> WireField {
        if key.equals("traits") { return .traits }
        let isKnown =
            key.equals("sentAt") || key.equals("channel") || key.equals("integrations")
            || key.equals("writeKey") || key.equals("receivedAt") || key.equals("_metadata")
            || key.equals("version") || key.equals("projectId") || key.equals("rudderId")
        return isKnown ? .ignored : .unknown
    }
}
