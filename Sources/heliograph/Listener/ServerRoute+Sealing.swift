import Bytes
import Records
import Settings
import Wire

/// What platforms may know of a server's visitors.
extension ServerRoute {
    /// Whether platforms may learn of a visitor at all.
    func mayBeTold(_ head: SliceWriter.Head) -> Bool {
        head.consent.contains(.linking)
            && head.flags.isDisjoint(with: [.bot, .minor, .optedOut])
    }

    /// Seals what the event says of its visitor: machine, click, and hashes of what describes a person.
    mutating func seal(
        _ event: IncomingEvent,
        _ head: SliceWriter.Head,
        isNew: Bool,
        _ request: Request
    ) {
        let around = request.around
        sealer.begin(site: head.site, visitor: head.visitor, receivedAt: around.receivedAt)
        let page = event.url.isEmpty ? event.context.url : event.url
        if !page.isEmpty { sealer.noteClick(in: context.plain(page)) }
        if event.call == .identify {
            let traits = event.traits.isEmpty ? event.context.traits : event.traits
            let callingCode = sites.callingCodes[request.site]
            sealer.noteIdentity(user: event.userID, traits: traits, callingCode: callingCode)
        }
        if !isNew {
            sealer.sealNoted()
        } else if around.isFromBrowser {
            sealer.seal(address: around.address, userAgent: around.userAgent)
        } else {
            let address = context.written(event.context.address)
            sealer.seal(address: address, userAgent: context.plain(event.context.userAgent))
        }
    }
}
