// Modules: Units Bytes Records Settings Wire
import Bytes
import Wire

/// Any bytes as a request of Segment's, of our own, and as the query of an image: the first byte
/// chooses the endpoint. Whatever a format takes is inside the body (or, for an image, in its
/// translation), JSON where it says so, and each event is stepped over once.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzFormats(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    guard size > 0 else { return 0 }
    let endpoints = WireEndpoint.allCases
    let endpoint = endpoints[Int(data[0]) % endpoints.count]
    let view = ByteView(UnsafeRawBufferPointer(start: data + 1, count: size - 1))
    if endpoint.isImage { return fuzz(PixelFormat.self, .empty, image(endpoint, view)) }
    guard endpoint == .events else {
        return fuzz(SegmentFormat.self, view, WireRequest(endpoint: endpoint))
    }
    let lines = ByteView("application/x-ndjson")
    let type = data[0] & 0x80 == 0 ? ByteView.empty : lines
    return fuzz(EventsFormat.self, view, WireRequest(endpoint: endpoint, contentType: type))
}

private func image(_ endpoint: WireEndpoint, _ query: ByteView) -> WireRequest {
    WireRequest(endpoint: endpoint, query: query, referrer: query)
}

private func fuzz<Format: WireFormat>(
    _ format: Format.Type,
    _ body: ByteView,
    _ request: WireRequest
) -> CInt {
    var scratch = ByteBuffer(capacity: 256, limit: 1 << 16)
    let batch: WireBatch
    do throws(WireError) {
        batch = try Format.open(body, request, &scratch)
    } catch { return 0 }
    let whole = request.endpoint.isImage ? scratch.view : body
    guard isInside(batch.items, whole) else { fatalError("items outside the body") }
    if batch.layout == .array { guard isJSON(batch.items) else { fatalError("items") } }
    if request.endpoint.isImage { guard isJSON(whole) else { fatalError("a translation") } }
    _ = WireTime.epochMilliseconds(batch.sentAt)
    var items = WireItems(batch)
    var count = 0
    while let item = items.next() {
        count += 1
        guard count <= whole.count, isInside(item, whole) else { fatalError("an item") }
        if case .success(let event) = Format.read(item, of: batch) { check(event, item, batch) }
    }
    if batch.layout == .array, count != elements(batch.items) { fatalError("an event was lost") }
    return 0
}

private func check(_ event: IncomingEvent, _ item: ByteView, _ batch: WireBatch) {
    guard isJSON(item) else { fatalError("an event that is not JSON") }
    for text in [
        event.messageID, event.anonymousID, event.userID, event.groupID, event.previousID,
        event.name, event.category, event.timestamp, event.url, event.referrer, event.title,
    ] {
        guard isInside(text, item) || isInside(text, batch.items) || text.isEmpty else {
            fatalError("a text outside the event")
        }
        guard isText(text) else { fatalError("a text that is no inside of a string") }
    }
    for object in [event.properties, event.traits] where !object.isEmpty {
        guard isJSON(object), object[0] == UInt8(ascii: "{") else { fatalError("an object") }
    }
    if event.call == .track, event.name.isEmpty { fatalError("a track call without a name") }
    if let time = WireTime.epochMilliseconds(event.timestamp), time.magnitude > 1 << 58 {
        fatalError("a time beyond all calendars")
    }
    var key = ByteBuffer(capacity: 64, limit: 8192)
    _ = WireKey.append(basic: event.name, into: &key)
}

/// Whether quotes around it make it a JSON string.
private func isText(_ text: ByteView) -> Bool {
    var quoted = ByteBuffer(capacity: text.count + 16)
    quoted.append(UInt8(ascii: "\""))
    quoted.append(text)
    quoted.append(UInt8(ascii: "\""))
    return isJSON(quoted.view)
}

private func elements(_ array: ByteView) -> Int {
    var cursor = JSONCursor(array)
    var first = true
    var count = 0
    do throws(JSONError) {
        try cursor.beginArray()
        while try cursor.nextElement(&first) {
            _ = try cursor.skip()
            count += 1
        }
    } catch { fatalError("events are no array") }
    return count
}

private func isJSON(_ view: ByteView) -> Bool {
    var cursor = JSONCursor(view)
    do throws(JSONError) {
        _ = try cursor.skip()
        try cursor.end()
        return true
    } catch { return false }
}

private func isInside(_ part: ByteView, _ whole: ByteView) -> Bool {
    guard part.count > 0, let start = part.buffer.baseAddress, let base = whole.buffer.baseAddress
    else { return true }
    return start >= base && start + part.count <= base + whole.count
}
