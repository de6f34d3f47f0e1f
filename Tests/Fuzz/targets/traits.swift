// Modules: Units Bytes Records Settings Privacy
import Bytes
import Privacy

/// Any JSON object through the sanitiser, as a person's traits and as an event's properties: what
/// remains is one object of JSON again, and sanitising it once more changes nothing.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTraits(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let view = ByteView(UnsafeRawBufferPointer(start: size == 0 ? nil : data, count: size))
    guard isObject(view) else { return 0 }
    var sanitiser = Sanitiser()
    for subject in [PropertySubject.person, .event] {
        var once = ByteBuffer(capacity: 256, limit: 1 << 20)
        _ = append(view, subject, &sanitiser, into: &once)
        if once.overflowed { fatalError("more came out than went in") }
        guard isObject(once.view) else { fatalError("what remains is no object") }
        var twice = ByteBuffer(capacity: 256, limit: 1 << 20)
        let findings = append(once.view, subject, &sanitiser, into: &twice)
        guard twice.view.equals(once.view) else { fatalError("the second time changed something") }
        guard findings.isEmpty else { fatalError("something was left") }
    }
    return 0
}

private func append(
    _ object: ByteView,
    _ subject: PropertySubject,
    _ sanitiser: inout Sanitiser,
    into output: inout ByteBuffer
) -> Findings {
    output.append("{")
    let findings = sanitiser.appendMembers(
        of: object,
        subject,
        policy: SanitisePolicy(),
        into: &output
    )
    output.append("}")
    return findings
}

private func isObject(_ view: ByteView) -> Bool {
    var cursor = JSONCursor(view)
    do throws(JSONError) {
        guard try cursor.kind() == .object else { return false }
        _ = try cursor.skip()
        try cursor.end()
        return true
    } catch { return false }
}
