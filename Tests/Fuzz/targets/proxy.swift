// Modules: Units Bytes Settings Proxies
import Bytes
import Settings

@testable import Intake

/// Any bytes as a PROXY header: cut anywhere it is awaited, not refused; and as the lists of addresses
/// that proxies forward: only an entry to the right of every stranger's is believed.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzProxy(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let view = ByteView(UnsafeRawBufferPointer(start: size == 0 ? nil : data, count: size))
    checkHeader(view)
    checkForwarded(view)
    return 0
}

private func checkHeader(_ view: ByteView) {
    guard case .complete(let length, let client) = ProxyHeader.parse(view) else { return }
    guard length <= view.count else { fatalError("longer than what came") }
    for cut in 0..<length where ProxyHeader.parse(view[0..<cut]) != .incomplete {
        fatalError("a part of a header is not awaited")
    }
    guard ProxyHeader.parse(view[0..<length]) == .complete(length: length, client: client) else {
        fatalError("what follows changed the header")
    }
}

private func checkForwarded(_ view: ByteView) {
    guard let proxy = InternetAddress(text: ByteView("127.0.0.1")),
        let stranger = InternetAddress(text: ByteView("203.0.113.9")),
        let ours = AddressRange("127.0.0.0/8")
    else { fatalError("addresses of the test") }
    let direct = ForwardedAddress.resolve(peer: stranger, forwardedFor: [view], trusted: [ours])
    guard direct == stranger else { fatalError("a stranger named somebody else") }
    let appended: [UInt8] = Array(view.buffer) + Array(", 203.0.113.9".utf8)
    appended.withUnsafeBytes { line in
        let found = ForwardedAddress.resolve(
            peer: proxy,
            forwardedFor: [ByteView(line)],
            trusted: [ours]
        )
        guard found == stranger else { fatalError("what a stranger wrote was believed") }
    }
    _ = ForwardedAddress.resolve(peer: proxy, forwardedFor: [view, view], trusted: [ours])
}
