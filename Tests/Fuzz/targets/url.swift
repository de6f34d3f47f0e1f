// Modules: Units Bytes Records Settings Privacy
import Bytes
import Privacy

/// Any bytes as a page's address: no fragment, no user information, no parameter but the declared
/// ones is left, and what was scrubbed once is not changed again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzURL(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let view = ByteView(UnsafeRawBufferPointer(start: size == 0 ? nil : data, count: size))
    var once = ByteBuffer(capacity: 64, limit: 1 << 16)
    URLScrubber.scrub(view, into: &once) { $0.equals("page") }
    guard once.count <= size, !once.overflowed else { fatalError("longer than before") }
    var twice = ByteBuffer(capacity: 64, limit: 1 << 16)
    let removed = URLScrubber.scrub(once.view, into: &twice) { $0.equals("page") }
    guard removed == 0, once.view.equals(twice.view) else { fatalError("scrubbing is not stable") }
    check(Array(once.view.buffer))
    var path = ByteBuffer(capacity: 64, limit: 1 << 16)
    URLScrubber.path(view, into: &path)
    guard !path.view.buffer.contains(where: { $0 == 63 || $0 == 35 }) else {
        fatalError("a query in a path")
    }
    return 0
}

private let declared: [String] = [
    "page", "_hg", "gclid", "gbraid", "wbraid", "dclid", "fbclid", "msclkid", "ttclid", "twclid",
    "li_fat_id",
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
