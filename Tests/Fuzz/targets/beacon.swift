// Modules: Units Bytes Records Settings Wire
import Bytes
import Records
import Wire

/// Any bytes as a beacon: what is taken is JSON through and through, every view lies inside the body,
/// and each event is stepped over once, whatever is wrong with those before it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzBeacon(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let view = ByteView(UnsafeRawBufferPointer(start: size == 0 ? nil : data, count: size))
    checkOneWalk(view)
    let beacon: Beacon
    do throws(BeaconError) {
        beacon = try BeaconDecoder.decode(view)
    } catch { return 0 }
    guard isJSON(view) else { fatalError("a beacon that is not JSON") }
    if beacon.key.isEmpty || beacon.window.isEmpty { fatalError("a beacon without key or window") }
    for part in [beacon.key, beacon.batch, beacon.window, beacon.device, beacon.user] {
        guard isInside(part, view) else { fatalError("a view outside the body") }
    }
    checkEvents(beacon.events, view)
    return 0
}

/// What one walk takes, two walks take, and find the same.
private func checkOneWalk(_ view: ByteView) {
    guard let front = BeaconDecoder.decodeFront(view) else { return }
    var reader = BeaconEventReader(front.events)
    while reader.next() != nil {}
    guard reader.isSound() else { return }
    do throws(BeaconError) {
        let whole = try BeaconDecoder.decode(view)
        guard whole.key.equals(front.key), whole.window.equals(front.window),
            whole.sentAt == front.sentAt, whole.events.equals(trimmed(front.events))
        else { fatalError("one walk and two differ") }
    } catch { fatalError("one walk takes what two refuse") }
}

private func trimmed(_ view: ByteView) -> ByteView {
    var start = 0
    while start < view.count, view[start] <= 0x20 { start += 1 }
    return view[start..<view.count]
}

private func checkEvents(_ events: ByteView, _ body: ByteView) {
    guard isInside(events, body), isJSON(events) else { fatalError("events") }
    var reader = BeaconEventReader(events)
    var count = 0
    while let outcome = reader.next() {
        count += 1
        guard count <= events.count else { fatalError("more events than bytes") }
        guard case .success = outcome else { continue }
        guard reader.number > 0, reader.fieldCount <= BeaconEventReader.fieldsMaximum else {
            fatalError("an event without a number")
        }
        for index in 0..<reader.fieldCount { check(reader.field(index), reader.bytes) }
    }
    guard count == elements(events) else { fatalError("an event was lost") }
}

private func check(_ field: EventField, _ event: ByteView) {
    // A number that no store can hold passes here as JSON; it costs its event later on.
    guard isInside(field.value, event), isJSON(field.value) else { fatalError("a member") }
    var cursor = JSONCursor(field.value)
    guard (try? cursor.kind()) == field.kind else { fatalError("a member's type") }
}

private func elements(_ array: ByteView) -> Int {
    var cursor = JSONCursor(array)
    var first = true
    var count = 0
    do throws(JSONError) {
        try cursor.beginArray()
        while try cursor.nextElement(&first) {
            _ = try cursor.skip(anyNumbers: true)
            count += 1
        }
    } catch { fatalError("events are no array") }
    return count
}

private func isJSON(_ view: ByteView) -> Bool {
    var cursor = JSONCursor(view)
    do throws(JSONError) {
        _ = try cursor.skip(anyNumbers: true)
        try cursor.end()
        return true
    } catch { return false }
}

private func isInside(_ part: ByteView, _ whole: ByteView) -> Bool {
    guard part.count > 0, let start = part.buffer.baseAddress, let base = whole.buffer.baseAddress
    else { return true }
    return start >= base && start + part.count <= base + whole.count
}
