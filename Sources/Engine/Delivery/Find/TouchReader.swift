import Bytes
import Records
import Settings

/// Reads from a page view how the visitor came, where that is worth a touch: from outside, or directly at
/// the first page of a tab.
enum TouchReader {
    static func touch(_ event: SliceEvent, _ slice: Slice) -> TouchRow? {
        var touch = TouchRow()
        touch.at = event.occurredAt
        var link = ""
        var cursor = JSONCursor(event.properties)
        var isFirst = true
        do throws(JSONError) {
            try cursor.beginObject()
            while let key = try cursor.nextKey(&isFirst) {
                let kind = try cursor.kind()
                let value = try cursor.skip()
                guard kind == .string, key.count <= 2 else { continue }
                let raw = value[1..<value.count - 1]
                if key.equals("u") { link = trackingLink(in: raw) }
                if key.equals("ch") {
                    if raw.equals("internal") { return nil }
                    if raw.equals("direct"), event.page > 1 { return nil }
                }
                take(key, raw, &touch)
            }
        } catch {
            return nil
        }
        if touch.campaign.isEmpty { touch.campaign = link }
        return touch.channel.isEmpty ? nil : touch
    }

    /// The tracking link that led to the page, from the `_hgl` that the link put into its address. Counts
    /// where the address names no campaign: the target may have had a redirect of its own.
    private static func trackingLink(in url: ByteView) -> String {
        var start = url.firstIndex(of: UInt8(ascii: "?")) ?? url.count
        while start < url.count {
            let end = url.firstIndex(of: UInt8(ascii: "&"), from: start + 1) ?? url.count
            let pair = url[start + 1..<end]
            if pair.starts(with: "_hgl="), pair.count <= 5 + Limits.linkNameBytesMaximum {
                return text(pair[5..<pair.count])
            }
            start = end
        }
        return ""
    }

    private static func take(_ key: ByteView, _ raw: ByteView, _ touch: inout TouchRow) {
        if key.equals("ch") {
            touch.channel = raw.text
        } else if key.equals("so") {
            touch.source = text(raw)
        } else if key.equals("me") {
            touch.medium = text(raw)
        } else if key.equals("ca") {
            touch.campaign = text(raw)
        } else if key.equals("ck") {
            touch.click = raw.text
        }
    }

    private static func text(_ raw: ByteView) -> String {
        var buffer = ByteBuffer(capacity: raw.count + 16)
        JSONText.unescape(raw, into: &buffer)
        return buffer.view.text
    }
}
