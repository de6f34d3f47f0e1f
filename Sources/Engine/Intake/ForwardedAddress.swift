public import Bytes
public import Settings

/// Whose request it is, when proxies stand between.
///
/// Every proxy appends to `X-Forwarded-For` the address it was spoken to from, so the list is true
/// from its right end up to the first entry that no proxy of ours wrote: that entry is the client.
/// What stands left of it anybody may have made up.
public enum ForwardedAddress {
    /// The client's address. `lines` are the values of the header, in the order of the request; the
    /// last is the nearest proxy's. A peer that is not trusted is the client, whatever it says.
    public static func resolve(
        peer: InternetAddress,
        forwardedFor lines: some BidirectionalCollection<ByteView>,
        trusted: [AddressRange]
    ) -> InternetAddress {
        guard isTrusted(peer, trusted) else { return peer }
        var nearest = peer
        var hops = 0
        for line in lines.reversed() {
            var end = line.count
            while end >= 0, hops < Limits.forwardedHopsMaximum {
                let start = lastComma(line, before: end).map { $0 + 1 } ?? 0
                // An entry that is no address ends what can be known; the hop that wrote it is the last.
                guard let address = address(line[start..<end]) else { return nearest }
                if !isTrusted(address, trusted) { return address }
                nearest = address
                hops += 1
                end = start - 1
            }
        }
        return nearest
    }

    private static func isTrusted(_ address: InternetAddress, _ trusted: [AddressRange]) -> Bool {
        trusted.contains { $0.contains(address) }
    }

    private static func lastComma(_ line: ByteView, before end: Int) -> Int? {
        var index = end - 1
        while index >= 0 {
            if line[index] == UInt8(ascii: ",") { return index }
            index -= 1
        }
        return nil
    }

    /// An entry: an address, with a port by the habit of some proxies, IPv6 then in brackets.
    static func address(_ entry: ByteView) -> InternetAddress? {
        let text = trimmed(entry)
        if let address = InternetAddress(text: text) { return address }
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        if text[0] != UInt8(ascii: "[") {
            return isPort(text[colon + 1..<text.count])
                ? InternetAddress(text: text[0..<colon]) : nil
        }
        guard let bracket = text.firstIndex(of: UInt8(ascii: "]")),
            bracket + 1 == text.count
                || text[bracket + 1] == UInt8(ascii: ":")
                    && isPort(text[bracket + 2..<text.count])
        else { return nil }
        return InternetAddress(text: text[1..<bracket])
    }

    private static func isPort(_ text: ByteView) -> Bool {
        text.decimal.map { $0 <= 65_535 && text.count <= 5 } ?? false
    }

    private static func trimmed(_ text: ByteView) -> ByteView {
        var (start, end) = (0, text.count)
        while start < end, isSpace(text[start]) { start += 1 }
        while end > start, isSpace(text[end - 1]) { end -= 1 }
        return text[start..<end]
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }
}
