import Bytes
import Delivery
import Enrichment
import Glibc
import Privacy
import Records
import Settings
import Telemetry

/// Seals what a visitor lets advertisement platforms know, while a request is taken: one for both ways of
/// events. Owned by one listener; memory is reused from request to request.
final class Sealer {
    private let keys: SealKeys
    private let counters: CounterBlock
    private let pseudonyms: Pseudonymizer
    private var cipher = SealedBlock()
    private var key: [UInt8] = []
    private var keyDay = Int32.min
    private var entries = ByteBuffer(capacity: 1024, limit: Limits.sealedBytesMaximum)
    private var text = ByteBuffer(capacity: 1024, limit: Limits.sealedBytesMaximum)
    private var site = ByteBuffer(capacity: 64, limit: 256)
    private var visitor = ByteBuffer(capacity: 64, limit: 256)
    private var click = ByteBuffer(capacity: 128, limit: Limits.clickIDBytesMaximum)
    private var identity: [UInt8] = []
    private var receivedAt: Int64 = 0

    init(keys: SealKeys, secret: [UInt8], counters: CounterBlock) {
        self.keys = keys
        self.counters = counters
        pseudonyms = Pseudonymizer(secret: secret)
    }

    /// The entries of the slice under way, for `SliceWriter.finish`; empty when nothing was sealed.
    var sealed: ByteView { entries.view }

    /// Begins a slice: forgets what was sealed for the one before.
    func reset() {
        entries.reset()
        click.reset()
        identity = []
    }

    /// Whose blocks follow.
    func begin(site: ByteView, visitor: ByteView, receivedAt: Int64) {
        self.site.reset()
        self.site.append(site)
        self.visitor.reset()
        self.visitor.append(visitor)
        self.receivedAt = receivedAt
    }

    /// Remembers the click id of Meta's in a page's address, which the scrubber is about to take out.
    func noteClick(in url: ByteView) {
        let id = QueryParameter.value("fbclid", in: url)
        guard !id.isEmpty, id.count <= Limits.clickIDBytesMaximum else { return }
        click.reset()
        click.append(id)
    }

    /// Remembers the hashes of an identify's traits and of its user id, the latest of a slice. The raw
    /// values go no further. Identifies are rare: this one allocates.
    func noteIdentity(user: ByteView, traits: ByteView, callingCode: String?) {
        let context = MetaField.Context(callingCode: callingCode, nowMilliseconds: receivedAt)
        let seal = IdentifyHashes.seal(traits: traits, user: user, context)
        if let seal, seal.count <= Limits.sealedBytesMaximum { identity = seal }
    }

    /// Seals what the request itself says, and with `context` what the page's first batch says.
    func seal(_ facts: RequestFacts, context: ByteView, isPage: Bool) {
        seal(address: facts.address, userAgent: facts.userAgent)
        if isPage {
            appendSender(facts.address, facts.userAgent)
            PlatformIDs.append(of: context, into: &text)
            text.append("}")
            seal(.page)
        }
    }

    /// Seals address (four or sixteen bytes) and user agent of a visitor, and the click noted before.
    func seal(address: ByteView, userAgent: ByteView) {
        appendSender(address, userAgent)
        text.append("}")
        seal(.request)
        sealNoted()
    }

    /// Seals the click and the identity that were noted before, each once.
    func sealNoted() {
        sealIdentity()
        sealClick()
    }

    private func sealIdentity() {
        if identity.isEmpty { return }
        defer { identity = [] }
        text.reset()
        identity.withUnsafeBytes { text.append(ByteView($0)) }
        seal(.identify)
    }

    private func appendSender(_ address: ByteView, _ userAgent: ByteView) {
        text.reset()
        text.append("{\"ip\":\"")
        AddressText.append(address, into: &text)
        text.append("\",\"ua\":")
        JSONText.appendQuoted(userAgent, into: &text)
    }

    private func sealClick() {
        guard click.count > 0 else { return }
        defer { click.reset() }
        text.reset()
        text.append("{\"fbclid\":")
        JSONText.appendQuoted(click.view, into: &text)
        text.append(",\"at\":")
        text.append(decimal: receivedAt)
        text.append("}")
        seal(.click)
        let mark = SealedParts.begin(.clickKey, in: &entries)
        Hexadecimal.append(pseudonyms.fingerprint(click.view), into: &entries)
        SealedParts.end(mark, in: &entries)
    }

    /// Seals `text`. Without a key for today there is no block: platforms then know less.
    private func seal(_ kind: SealedParts.Kind) {
        let day = SealKeys.day(epochMilliseconds: receivedAt)
        if day != keyDay {
            guard let made = keys.makeKey(day: day) else { return counters.add(.sealsWithoutKey) }
            (key, keyDay) = (made, day)
        }
        if text.overflowed { return counters.add(.sealsTooLarge) }
        let before = entries.count
        let mark = SealedParts.begin(kind, in: &entries)
        let isSealed = cipher.seal(
            text.view,
            day: day,
            key: key,
            site: site.view,
            visitor: visitor.view,
            into: &entries
        )
        guard isSealed, !entries.overflowed else {
            entries.truncate(to: min(before, entries.count))
            return counters.add(.sealsTooLarge)
        }
        SealedParts.end(mark, in: &entries)
    }
}

/// Addresses as people write them.
enum AddressText {
    /// Appends an address given as four or sixteen bytes (RFC 5952); nothing for what is neither.
    static func append(_ bytes: ByteView, into output: inout ByteBuffer) {
        guard bytes.count == 4 || bytes.count == 16 else { return }
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        let room = Int(INET6_ADDRSTRLEN)
        guard let place = output.spare(atLeast: room),
            let start = place.bindMemory(to: CChar.self).baseAddress,
            inet_ntop(family, bytes.buffer.baseAddress, start, socklen_t(room)) != nil
        else { return }
        output.commit(strlen(start))
    }
}

/// A parameter in the query of an address as a browser sends it.
enum QueryParameter {
    /// The bytes after `name=`; empty when there are none.
    static func value(_ name: StaticString, in url: ByteView) -> ByteView {
        guard var start = url.firstIndex(of: UInt8(ascii: "?")) else { return .empty }
        let stop = url.firstIndex(of: UInt8(ascii: "#"), from: start) ?? url.count
        while start < stop {
            start += 1
            let end = min(url.firstIndex(of: UInt8(ascii: "&"), from: start) ?? stop, stop)
            let pair = url[start..<max(start, end)]
            if let equals = pair.firstIndex(of: UInt8(ascii: "=")), pair[0..<equals].equals(name) {
                return pair[equals + 1..<pair.count]
            }
            start = end
        }
        return .empty
    }
}

/// The ids that advertisement platforms keep in a browser, as the SDK sends them in `x.ids`.
enum PlatformIDs {
    /// Appends `fbp`, `fbc`, `ga` and `gs` as members behind others.
    static func append(of context: ByteView, into output: inout ByteBuffer) {
        guard let ids = member("ids", of: context) else { return }
        var streams = ByteBuffer(capacity: 256, limit: 2048)
        forEachText(ids) { name, value in
            if name.equals("_fbp") { append("fbp", value, &output) }
            if name.equals("_fbc") { append("fbc", value, &output) }
            if name.equals("_ga") { append("ga", clientID(value), &output) }
            if name.starts(with: "_ga_"), name.count > 4 {
                streams.append(streams.count == 0 ? "{" : ",")
                JSONText.appendQuoted(name[4..<name.count], into: &streams)
                streams.append(":")
                JSONText.appendQuoted(value, into: &streams)
            }
        }
        if streams.count > 0, !streams.overflowed {
            output.append(",\"gs\":")
            output.append(streams.view)
            output.append("}")
        }
    }

    private static func append(_ key: StaticString, _ value: ByteView, _ output: inout ByteBuffer) {
        if value.isEmpty { return }
        output.append(",\"")
        output.append(key)
        output.append("\":")
        JSONText.appendQuoted(value, into: &output)
    }

    /// The last two of the cookie's parts: `GA1.1.1234567890.1700000000` is client
    /// `1234567890.1700000000`.
    private static func clientID(_ cookie: ByteView) -> ByteView {
        var dots = 0
        var index = cookie.count
        while index > 0 {
            index -= 1
            if cookie[index] == UInt8(ascii: ".") { dots += 1 }
            if dots == 2 { return cookie[index + 1..<cookie.count] }
        }
        return .empty
    }

    private static func member(_ name: StaticString, of object: ByteView) -> ByteView? {
        guard !object.isEmpty else { return nil }
        var cursor = JSONCursor(object)
        var isFirst = true
        do throws(JSONError) {
            try cursor.beginObject()
            while let key = try cursor.nextKey(&isFirst) {
                let value = try cursor.skip()
                if key.equals(name) { return value }
            }
        } catch {
            return nil
        }
        return nil
    }

    /// Calls `body` with names and values that need no escapes; ids of platforms have none.
    private static func forEachText(_ object: ByteView, _ body: (ByteView, ByteView) -> Void) {
        var cursor = JSONCursor(object)
        var isFirst = true
        do throws(JSONError) {
            try cursor.beginObject()
            while let key = try cursor.nextKey(&isFirst) {
                guard try cursor.kind() == .string else {
                    _ = try cursor.skip()
                    continue
                }
                let text = try cursor.string()
                if !text.hasEscapes, text.raw.count <= Limits.clickIDBytesMaximum {
                    body(key, text.raw)
                }
            }
        } catch {
            return
        }
    }
}
