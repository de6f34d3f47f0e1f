// Modules: Units Bytes Records Settings Wire
import Bytes
import Settings
import Wire

/// Any bytes as a compressed body: within the caps, and the same with memory that was used before.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzInflate(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let view = ByteView(UnsafeRawBufferPointer(start: size == 0 ? nil : data, count: size))
    let used = Inflater()
    for gzip in [true, false, true] {
        let fresh = inflated(view, gzip, Inflater())
        guard fresh == inflated(view, gzip, used) else { fatalError("memory of the last") }
        // What is complete is not complete when its last byte is missing, or another follows.
        guard let fresh, size > 0 else { continue }
        check(fresh, size)
        if inflated(view[0..<size - 1], gzip, Inflater()) != nil { fatalError("a part is a whole") }
        let longer = Array(view.buffer) + [0]
        let tail = longer.withUnsafeBytes { inflated(ByteView($0), gzip, Inflater()) }
        if tail != nil { fatalError("data behind the end") }
    }
    return 0
}

private func check(_ output: [UInt8], _ size: Int) {
    guard output.count <= Limits.inflatedBytesMaximum else { fatalError("larger than the cap") }
    let ratioCap = max(Limits.inflateRatioFreeBytes, Limits.inflateRatioMaximum * size)
    guard output.count <= ratioCap else { fatalError("beyond the ratio") }
}

/// Nil when it was refused.
private func inflated(_ view: ByteView, _ gzip: Bool, _ inflater: Inflater) -> [UInt8]? {
    var output = ByteBuffer(capacity: 1024, limit: Limits.inflatedBytesMaximum)
    do throws(InflateError) {
        try inflater.inflate(view, gzip: gzip, into: &output)
    } catch { return nil }
    return Array(output.view.buffer)
}
