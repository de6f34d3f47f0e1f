import Bytes

/// What a page view's properties say, read once for everything that wants to know.
struct PageView {
    /// The longest path that is told apart in live minutes; longer ones are cut.
    static let pathBytesMaximum = 60

    /// Path of the page, raw; `/` for an event that names none.
    private(set) var path = ByteView("/")
    /// Hash of `shortPath`.
    let hash: UInt32
    /// Hash of the whole path.
    let pathHash: UInt32
    /// The path as far as live minutes keep it.
    let shortPath: ByteView
    /// How the visitor came here.
    private(set) var channel = LiveChannel.unassigned

    /// Nil when the properties are not valid JSON.
    init?(_ properties: ByteView) {
        var (url, name) = (ByteView.empty, ByteView.empty)
        let isValid = forEachKey(properties) { key, cursor throws(JSONError) in
            switch Key.code(key) {
            case UInt16(UInt8(ascii: "u")): url = try cursor.text()
            case Key.of("c", "h"): name = try cursor.text()
            default: _ = try cursor.skip()
            }
        }
        guard isValid else { return nil }
        path = PagePath.path(of: url)
        pathHash = PagePath.hash(of: path)
        shortPath = Self.short(path)
        hash = shortPath.count == path.count ? pathHash : PagePath.hash(of: shortPath)
        if !name.isEmpty { channel = LiveChannel.index(of: name) }
    }

    /// Cut so that it can stand in a JSON string: neither a character nor an escape in two.
    private static func short(_ path: ByteView) -> ByteView {
        var length = JSONText.prefixLength(path, limit: pathBytesMaximum)
        var backslashes = 0
        while backslashes < length, path[length &- 1 &- backslashes] == UInt8(ascii: "\\") {
            backslashes &+= 1
        }
        length &-= backslashes & 1
        return path[0..<length]
    }
}

/// What a conversion says it is worth.
enum ConversionValue {
    /// `props.value` in thousandths of whatever currency; 0 when there is none.
    static func thousandths(_ properties: ByteView) -> Int64 {
        var value = 0.0
        let isValid = forEachKey(properties) { key, cursor throws(JSONError) in
            guard key.equals("props"), try cursor.kind() == .object else {
                _ = try cursor.skip()
                return
            }
            var first = true
            try cursor.beginObject()
            while let key = try cursor.nextKey(&first) {
                if key.equals("value") {
                    value = try cursor.amount()
                } else {
                    _ = try cursor.skip()
                }
            }
        }
        return isValid ? Int64((value * 1000).rounded()) : 0
    }
}
