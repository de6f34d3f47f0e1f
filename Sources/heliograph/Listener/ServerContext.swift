import Bytes
import Enrichment
import Glibc
import Privacy
import Settings
import Wire

/// Writes what a server knows of the visitor's machine in the form that slices keep. Owned by one
/// listener; memory is reused, so what it gives is valid until it is asked about the next event.
struct ServerContext: ~Copyable {
    private var context = ByteBuffer(capacity: 256, limit: Limits.contextBytesMaximum)
    private var address = ByteBuffer(capacity: 64, limit: 64)
    private var text = ByteBuffer(capacity: 1024, limit: 64 * 1024)

    /// Language, sending library and what `judge` appends as an object; empty when nothing is known.
    mutating func object(
        _ known: WireContext,
        judge: (inout ByteBuffer) -> EnrichmentVerdict
    ) -> (object: ByteView, verdict: EnrichmentVerdict) {
        context.reset()
        append("l", known.locale)
        append("lib", known.library)
        append("lv", known.libraryVersion)
        if context.count > 0 { context.append("}") }
        let verdict = judge(&context)
        return (context.view, verdict)
    }

    private mutating func append(_ key: StaticString, _ value: ByteView) {
        guard !value.isEmpty, value.count <= Limits.nameBytesMaximum else { return }
        context.append(context.count == 0 ? "{\"" : ",\"")
        context.append(key)
        context.append("\":\"")
        JSONText.appendStorable(value: value, into: &context)
        context.append("\"")
    }

    /// The bytes of an address given as the inside of a JSON string; empty when it is none. Valid until
    /// anything else is asked for.
    mutating func written(_ raw: ByteView) -> ByteView {
        guard !raw.isEmpty, raw.count < Int(INET6_ADDRSTRLEN) else { return .empty }
        text.reset()
        JSONText.unescape(raw, into: &text)
        text.append(0)
        if readAddress(AF_INET) { return binary.view[0..<4] }
        return readAddress(AF_INET6) ? binary.view : .empty
    }

    /// The network of an address given as the inside of a JSON string; empty when it is none.
    mutating func network(written raw: ByteView) -> ByteView {
        network(written(raw))
    }

    /// Leaves the bytes of the address that is written in `text` in `binary`.
    private mutating func readAddress(_ family: Int32) -> Bool {
        binary.reset()
        guard let room = binary.spare(atLeast: 16) else { return false }
        let written = text.view.buffer.bindMemory(to: CChar.self).baseAddress
        guard let written, inet_pton(family, written, room.baseAddress) == 1 else { return false }
        binary.commit(16)
        return true
    }

    /// The bytes of an address, not all of which one of IPv4 fills.
    private var binary = ByteBuffer(capacity: 16)

    /// The network of an address given as four or sixteen bytes; empty for what is neither.
    @discardableResult
    mutating func network(_ bytes: ByteView) -> ByteView {
        address.reset()
        AddressTruncation.append(bytes, into: &address)
        return address.view
    }

    /// The text of a JSON string; valid until anything else is asked for.
    mutating func plain(_ raw: ByteView) -> ByteView {
        text.reset()
        JSONText.unescape(raw, into: &text)
        return text.view
    }
}
