public import Bytes

/// Reduces a URL to what may be kept: no user information, no fragment, and of the query only the
/// parameters on an allow-list. What is not declared harmless is taken to be personal.
public enum URLScrubber {
    /// Identifiers of a click that ad networks add. They are random, so nothing looks into them, and
    /// they are kept for who agreed to ads only.
    private static let clickIDs: [StaticString] = [
        "gclid", "gbraid", "wbraid", "dclid", "fbclid", "msclkid", "ttclid", "li_fat_id", "twclid",
        "gclsrc", "gad_source", "gad_campaignid", "srsltid", "yclid", "ysclid", "igshid", "epik",
        "rdt_cid", "sccid", "irclickid", "wickedid",
    ]

    /// Whether a parameter is a click identifier.
    public static func isClickID(_ name: ByteView) -> Bool {
        for literal in clickIDs where name.equals(literal) { return true }
        return false
    }

    /// Appends the reduced form of `url`, plain UTF-8, and returns how many parameters were removed.
    /// `keeps` tells which parameters this site keeps beyond those of campaigns; `keepsClickIDs`, whether
    /// click identifiers stay. What lies in path and values is not looked at: `Sanitiser` does.
    @discardableResult
    public static func scrub(
        _ url: ByteView,
        into output: inout ByteBuffer,
        keepsClickIDs: Bool = true,
        keeps: (ByteView) -> Bool
    ) -> Int {
        let fragment = url.firstIndex(of: UInt8(ascii: "#")) ?? url.count
        let query = url[0..<fragment].firstIndex(of: UInt8(ascii: "?")) ?? fragment
        appendWithoutUserInformation(url[0..<query], into: &output)
        guard query < fragment else { return 0 }
        return appendQuery(url[query + 1..<fragment], into: &output) {
            isClickID($0) ? keepsClickIDs : isKept($0) || keeps($0)
        }
    }

    /// Appends the path of `url` alone: no origin, no query, no fragment.
    public static func path(_ url: ByteView, into output: inout ByteBuffer) {
        // The end first: what looks like an origin in a query or a fragment is none.
        let fragment = url.firstIndex(of: UInt8(ascii: "#")) ?? url.count
        let front = url[0..<(url[0..<fragment].firstIndex(of: UInt8(ascii: "?")) ?? fragment)]
        guard let authority = authority(front) else { return output.append(front) }
        output.append(front[authority.upperBound..<front.count])
    }

    /// Where the authority of a URL without query and fragment stands: behind the first `://`, or
    /// behind a leading `//`, which borrows the page's scheme (RFC 3986 section 4.2).
    private static func authority(_ front: ByteView) -> Range<Int>? {
        var start = 2
        if !front.starts(with: "//") {
            guard let colon = front.firstIndex(of: UInt8(ascii: ":")),
                front[colon + 1..<front.count].starts(with: "//")
            else { return nil }
            start = colon + 3
        }
        return start..<(front.firstIndex(of: UInt8(ascii: "/"), from: start) ?? front.count)
    }

    /// RFC 3986 section 3.2.1: user information stands before an `@` in the authority.
    private static func appendWithoutUserInformation(
        _ front: ByteView,
        into output: inout ByteBuffer
    ) {
        guard let authority = authority(front) else { return output.append(front) }
        output.append(front[0..<authority.lowerBound])
        var host = authority.lowerBound
        for index in authority where front[index] == UInt8(ascii: "@") { host = index + 1 }
        output.append(front[host..<front.count])
    }

    private static func appendQuery(
        _ query: ByteView,
        into output: inout ByteBuffer,
        keeps: (ByteView) -> Bool
    ) -> Int {
        var removed = 0
        var separator = UInt8(ascii: "?")
        var start = 0
        while start < query.count {
            let end = query.firstIndex(of: UInt8(ascii: "&"), from: start) ?? query.count
            let pair = query[start..<end]
            let name = pair[0..<(pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.count)]
            if keeps(name) {
                output.append(separator)
                output.append(pair)
                separator = UInt8(ascii: "&")
            } else if !pair.isEmpty {
                removed += 1
            }
            start = end + 1
        }
        return removed
    }

    private static func isKept(_ name: ByteView) -> Bool {
        name.starts(with: "utm_") || name.equals("_hg")
    }
}
