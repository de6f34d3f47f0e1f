// Modules: Units Bytes Records Settings Sources
import Bytes
import Enrichment

/// Any bytes as a page's address and its referrer: what is added is the members of a JSON object, and
/// the same again with memory that was used before.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSource(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let view = ByteView(UnsafeRawBufferPointer(start: size == 0 ? nil : data, count: size))
    let cut = view.firstIndex(of: 10) ?? view.count
    let (url, referrer) = (view[0..<cut], view[min(cut + 1, view.count)..<view.count])
    var source = PageSource()
    let first = members(&source, url, referrer)
    _ = members(&source, referrer, url)
    guard members(&source, url, referrer) == first else { fatalError("memory of the last") }
    first.withUnsafeBytes { check(ByteView($0)) }
    return 0
}

private func members(
    _ source: inout PageSource,
    _ url: ByteView,
    _ referrer: ByteView
) -> [UInt8] {
    var buffer = ByteBuffer(capacity: 256, limit: 1 << 16)
    buffer.append("{")
    source.append(url: url, referrer: referrer, siteHost: ByteView("shop.example"), into: &buffer)
    buffer.append("}")
    return Array(buffer.view.buffer)
}

private func check(_ object: ByteView) {
    var cursor = JSONCursor(object)
    var first = true
    var count = 0
    do throws(JSONError) {
        try cursor.beginObject()
        while let key = try cursor.nextKey(&first) {
            guard key.count == 2 else { fatalError("a key that nobody documented") }
            let text = try cursor.string()
            guard String(validating: text.raw.buffer, as: UTF8.self) != nil else {
                fatalError("not UTF-8")
            }
            count += 1
        }
        try cursor.end()
    } catch { fatalError("not an object: \(object.text)") }
    guard (1...8).contains(count) else { fatalError("the number of members") }
}
