// Modules: Units Bytes Records
import Bytes
import Records

/// Any bytes as a journal record's payload: what is read lies inside, and reading ends.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSlice(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let view = ByteView(UnsafeRawBufferPointer(start: size == 0 ? nil : data, count: size))
    guard let slice = Slice(view) else { return 0 }
    let texts = [
        slice.site, slice.visitor, slice.session, slice.window, slice.user, slice.batch,
        slice.address, slice.context,
    ]
    var total = texts.reduce(0) { $0 + touch($1) }
    var count = 0
    let isWhole = slice.forEachEvent { index, event in
        guard index == count else { fatalError("an event was skipped") }
        count += 1
        total += touch(event.name) + touch(event.messageID) + touch(event.properties)
        guard event.length >= SliceEvent.headSize else { fatalError("an event without a head") }
    }
    guard count <= slice.eventCount, isWhole == (count == slice.eventCount) else {
        fatalError("the number of events")
    }
    guard total <= size else { fatalError("more text than bytes") }
    return 0
}

/// Reads every byte, so that a view outside the payload is noticed by the address sanitizer.
private func touch(_ view: ByteView) -> Int {
    var sum: UInt8 = 0
    for byte in view.buffer { sum &+= byte }
    return sum == 255 ? view.count : view.buffer.count
}
