// Modules: Units Bytes Records Settings Privacy
import Bytes
import Privacy

/// Any bytes as a page's address: no fragment, no user information, no parameter but the declared
/// ones is left, and what was scrubbed once is not changed again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzURL(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let view = ByteView(UnsafeRawBufferPointer(start: size == 0 ? nil : data, count: size))
    var sanitiser = Sanitiser()
    let policy = SanitisePolicy(keepsClickIDs: true)
    var once = ByteBuffer(capacity: 64, limit: 1 << 16)
    _ = sanitiser.append(url: view, policy: policy, limit: 1 << 15, into: &once) {
        $0.equals("page")
    }
    var twice = ByteBuffer(capacity: 64, limit: 1 << 16)
    _ = sanitiser.append(url: once.view, policy: policy, limit: 1 << 15, into: &twice) {
        $0.equals("page")
    }
    guard once.view.equals(twice.view) else { fatalError("scrubbing is not stable") }
    check(Array(once.view.buffer))
    var path = ByteBuffer(capacity: 64, limit: 1 << 16)
    _ = sanitiser.append(pathOf: view, policy: policy, limit: 1 << 15, into: &path)
    guard !path.view.buffer.contains(where: { $0 == 63 || $0 == 35 }) else {
        fatalError("a query in a path")
    }
    return 0
}

private let declared: [String] = [
    "page", "_hgl", "gclid", "gbraid", "wbraid", "dclid", "fbclid", "msclkid", "ttclid", "twclid",
    "li_fat_id", "gclsrc", "gad_source", "gad_campaignid", "srsltid", "yclid", "ysclid", "igshid",
    "epik", "rdt_cid", "sccid", "irclickid", "wickedid",
]

private func check(_ url: [UInt8]) {
    if url.contains(35) { fatalError("a fragment") }
    guard let mark = url.firstIndex(of: 63) else { return }
    for pair in url[(mark + 1)...].split(separator: 38, omittingEmptySubsequences: false) {
        let name = pair.prefix { $0 != 61 }
        // Bytes, not texts: to those a mark on the last letter would be another letter.
        let isCampaign = name.starts(with: "utm_".utf8)
        if !isCampaign, !declared.contains(where: { $0.utf8.elementsEqual(name) }) {
            fatalError("kept a parameter that nobody declared")
        }
    }
}
