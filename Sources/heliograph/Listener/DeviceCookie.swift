import Bytes
import Settings
import Wire

/// What a beacon's answer does to the cookie with the device's id.
///
/// The cookie is set by the server because browsers delete those of scripts after a week. It exists
/// on the first-party path alone: where the page's own host takes the beacons.
enum DeviceCookie: BitwiseCopyable {
    /// The browser keeps what it has.
    case untouched
    /// The browser keeps this id from now on.
    case keep(ShortText, isSecure: Bool)
    /// The browser forgets the id.
    case end(isSecure: Bool)

    /// What the visitor's beacon, its consent decided, means for the device.
    enum Wish {
        case none
        /// The visitor agreed to be known again by this id.
        case keep(ByteView)
        /// The visitor has just refused that anything is kept on the device.
        case end
    }

    static let name: StaticString = "_hg_d"

    /// `host` is the one that the browser sent the request to.
    static func decide(_ wish: Wish, _ head: RequestHead, host: ByteView) -> DeviceCookie {
        guard let isSecure = isFirstParty(origin: head.origin, host: host) else {
            return .untouched
        }
        switch wish {
        case .none: return .untouched
        case .end: return .end(isSecure: isSecure)
        case .keep(let device):
            // Set once: with every renewal its time would begin anew.
            if let known = head.cookie(named: name), known.equals(device) { return .untouched }
            return ShortText(device).map { .keep($0, isSecure: isSecure) } ?? .untouched
        }
    }

    /// Whether page and request have one origin, and if so whether that has TLS: a page with TLS
    /// cannot send to its own host without. Nil for every other request.
    static func isFirstParty(origin: ByteView, host: ByteView) -> Bool? {
        let isSecure = origin.starts(with: "https://")
        guard isSecure || origin.starts(with: "http://") else { return nil }
        let page = origin[(isSecure ? 8 : 7)..<origin.count]
        return !page.isEmpty && page.equalsIgnoringCase(withoutUsualPort(host, isSecure))
            ? isSecure : nil
    }

    /// Origins leave out the port of their scheme; a `Host` may name it.
    private static func withoutUsualPort(_ host: ByteView, _ isSecure: Bool) -> ByteView {
        let port: ByteView = isSecure ? ByteView(":443") : ByteView(":80")
        let rest = host.count - port.count
        guard rest > 0, host[rest..<host.count].equals(port) else { return host }
        return host[0..<rest]
    }

    /// Appends the header line, if there is one.
    func append(to lines: inout ByteBuffer) {
        switch self {
        case .untouched: return
        case .keep(let device, let isSecure):
            lines.append("Set-Cookie: _hg_d=")
            device.withBytes { lines.append($0) }
            lines.append("; Max-Age=")
            lines.append(decimal: Int64(Limits.deviceCookieSeconds))
            Self.appendScope(isSecure, to: &lines)
        case .end(let isSecure):
            lines.append("Set-Cookie: _hg_d=; Max-Age=0")
            Self.appendScope(isSecure, to: &lines)
        }
    }

    /// Not HttpOnly: the script reads the id, to send it and to hand it on to the owner's other hosts.
    private static func appendScope(_ isSecure: Bool, to lines: inout ByteBuffer) {
        lines.append("; Path=/; SameSite=Lax")
        if isSecure { lines.append("; Secure") }
        lines.append("\r\n")
    }
}
