public import Bytes

/// Images that tell of an event in their address: RudderStack's pixel, and our own for e-mails and
/// pages without scripts.
///
/// The query is written as one call of Segment's, which is then read like any other. Without the name
/// of an event it is a page view, of the address given or, failing that, of the page that shows the
/// image.
public enum PixelFormat: WireFormat {
    /// Translates the query.
    public static func open(
        _ body: ByteView,
        _ request: WireRequest,
        _ scratch: inout ByteBuffer
    ) throws(WireError) -> WireBatch {
        var writer = PixelWriter()
        writer.write(request, into: &scratch)
        if scratch.overflowed { throw .tooLarge }
        var batch = WireBatch()
        batch.items = scratch.view
        batch.call = request.endpoint.call
        batch.allowsNobody = true
        return batch
    }

    /// Reads the call.
    public static func read(
        _ item: ByteView,
        of batch: WireBatch
    ) -> Result<IncomingEvent, WireFault> {
        WireItem<EventsVocabulary>.read(item, of: batch)
    }
}

/// Writes a query as an object: known parameters as members, the others as properties.
private struct PixelWriter {
    private var hasURL = false

    mutating func write(_ request: WireRequest, into output: inout ByteBuffer) {
        output.reset()
        output.append("{\"properties\":{")
        writeProperties(request.query, into: &output)
        output.append("}")
        var parameters = WireQuery(request.query)
        while let parameter = parameters.next() {
            guard let key = Self.member(parameter.name) else { continue }
            if Self.write(key, parameter.value, after: ",", into: &output) {
                hasURL = hasURL || ByteView(key).equals("url")
            }
        }
        if request.endpoint == .image, !hasURL, !request.referrer.isEmpty {
            _ = Self.write("url", request.referrer, after: ",", into: &output)
        }
        output.append("}")
    }

    private func writeProperties(_ query: ByteView, into output: inout ByteBuffer) {
        var parameters = WireQuery(query)
        var separator: StaticString = ""
        while let parameter = parameters.next() {
            if Self.member(parameter.name) != nil || Self.isKey(parameter.name) { continue }
            let name = Self.propertyName(parameter.name)
            if Self.write(name, parameter.value, after: separator, into: &output) {
                separator = ","
            }
        }
    }

    private static func propertyName(_ name: ByteView) -> ByteView {
        name.starts(with: "properties.") ? name[11..<name.count] : name
    }

    private static func isKey(_ name: ByteView) -> Bool {
        name.equals("k") || name.equals("writeKey")
    }

    /// The member that a parameter stands for; nil for a property.
    private static func member(_ name: ByteView) -> StaticString? {
        for row in rows where name.equals(row.parameter) { return row.member }
        return nil
    }

    private static let rows: [(parameter: StaticString, member: StaticString)] = [
        ("e", "name"), ("event", "name"), ("name", "name"), ("u", "url"), ("url", "url"),
        ("r", "referrer"), ("referrer", "referrer"), ("ti", "title"), ("title", "title"),
        ("a", "visitor"), ("anonymousId", "visitor"), ("userId", "user"), ("i", "id"),
        ("messageId", "id"), ("ts", "time"), ("timestamp", "time"), ("c", "consent"),
    ]

    private static func write(
        _ name: StaticString,
        _ value: ByteView,
        after separator: StaticString,
        into output: inout ByteBuffer
    ) -> Bool {
        write(ByteView(name), value, after: separator, into: &output)
    }

    /// Writes a member. False, and nothing is written, when name or value is not UTF-8.
    private static func write(
        _ name: ByteView,
        _ value: ByteView,
        after separator: StaticString,
        into output: inout ByteBuffer
    ) -> Bool {
        let start = output.count
        output.append(separator)
        guard appendText(name, into: &output) else {
            output.truncate(to: start)
            return false
        }
        output.append(":")
        if name.equals("consent"), let bits = value.decimal {
            output.append(decimal: Int64(bits))
        } else if !appendText(value, into: &output) {
            output.truncate(to: start)
            return false
        }
        return true
    }

    /// Appends an encoded text as a JSON string.
    private static func appendText(_ text: ByteView, into output: inout ByteBuffer) -> Bool {
        var plain = ByteBuffer(capacity: max(text.count, 16))
        guard WireQuery.append(decoding: text, into: &plain) else { return false }
        JSONText.appendQuoted(plain.view, into: &output)
        return true
    }
}
