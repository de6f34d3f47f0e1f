public import Bytes
import Settings

/// Says where a page view came from: source, medium and channel, by its address and its referrer.
///
/// Give it the addresses as they are stored, after `Privacy` has cleaned them: what was removed
/// there must not come back here. Members that are added, each only when known:
///
/// | key | what |
/// |---|---|
/// | `ch` | channel: a name of `Channel`, such as `paid_search` or `internal` |
/// | `so` | source, in lower case: `utm_source`, else the network of a click id, else the referrer's name or host |
/// | `me` | medium, in lower case: `utm_medium`, else what the source implies |
/// | `ca`, `cx`, `ct`, `te` | `utm_campaign`, `utm_id`, `utm_content`, `utm_term` |
/// | `ck` | kind of the click id, such as `gclid`; its value stays in the address |
///
/// Owned by one listener; its memory is reused from page to page.
public struct PageSource: ~Copyable {
    private var campaign = Campaign()

    /// With empty memory.
    public init() {}

    /// Appends the members to `buffer`, which holds nothing, or a JSON object up to its last member.
    ///
    /// `siteHost` is the host of the page where `url` has none; it may be empty.
    @discardableResult
    public mutating func append(
        url: ByteView,
        referrer: ByteView,
        siteHost: ByteView,
        into buffer: inout ByteBuffer
    ) -> Channel {
        let page = Address(url)
        campaign.read(page.query)
        let own = page.host
        let from = Address(referrer)
        let isInternal = from.isInternal(to: own.isEmpty ? siteHost : own)
        if isInternal, campaign.isEmpty {
            buffer.appendMember("ch", Channel.internal.name)
            return .internal
        }
        let origin = Origin(campaign, referrer: isInternal ? .empty : from.host)
        let channel = Channel.channel(
            medium: campaign[.medium],
            origin: origin,
            clickID: campaign.clickID
        )
        write(channel, origin, into: &buffer)
        return channel
    }

    private func write(_ channel: Channel, _ origin: Origin, into buffer: inout ByteBuffer) {
        buffer.appendMember("ch", channel.name)
        writeSource(origin.name, into: &buffer)
        if !campaign[.medium].isEmpty {
            append("me", .medium, into: &buffer)
        } else if let medium = channel.impliedMedium {
            buffer.appendMember("me", medium)
        }
        append("ca", .name, into: &buffer)
        append("cx", .id, into: &buffer)
        append("ct", .content, into: &buffer)
        append("te", .term, into: &buffer)
        if let clickID = campaign.clickID { buffer.appendMember("ck", clickID.name) }
    }

    /// A campaign's word was decoded with care; a host is a stranger's bytes as they came.
    private func writeSource(_ name: ByteView, into buffer: inout ByteBuffer) {
        if !campaign[.source].isEmpty {
            append("so", .source, into: &buffer)
        } else if !name.isEmpty {
            buffer.appendMember("so", plain: name, limit: Limits.hostBytesMaximum, foldsCase: true)
        }
    }

    private func append(
        _ key: StaticString,
        _ part: Campaign.Part,
        into buffer: inout ByteBuffer
    ) {
        guard !campaign[part].isEmpty else { return }
        buffer.openMember(key)
        JSONText.appendQuoted(campaign[part], into: &buffer)
    }
}

/// The source that a page view names or implies.
struct Origin {
    /// Its name; empty when the visitor came directly.
    let name: ByteView
    /// What kind of place it is.
    let kind: SourceKind
    /// Whether it is the referrer's own word or the campaign's.
    let isReferred: Bool

    init(_ campaign: borrowing Campaign, referrer: ByteView) {
        let said = campaign[.source]
        let host = said.isEmpty ? referrer : said
        isReferred = said.isEmpty && !referrer.isEmpty
        if let row = SourceTable.row(host) {
            (name, kind) = (said.isEmpty ? ByteView(row.name) : said, row.kind)
        } else if host.isEmpty, let clickID = campaign.clickID {
            (name, kind) = (ByteView(clickID.network), clickID.kind)
        } else {
            (name, kind) = (Address.withoutWWW(host), .other)
        }
    }
}
