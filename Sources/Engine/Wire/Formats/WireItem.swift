import Bytes

/// What a member of an event means.
enum WireField: UInt8 {
    case type, messageID, anonymousID, userID, groupID, previousID
    case name, pageName, category, timestamp, originalTimestamp
    case url, referrer, title, properties, traits, context, consent
    /// Known, and of no use here.
    case ignored
    case unknown
}

/// How a format names the members of its events.
protocol WireVocabulary {
    static func field(_ key: ByteView) -> WireField
}

/// Reads an event that is an object of named members.
struct WireItem<Vocabulary: WireVocabulary> {
    private var event = IncomingEvent()
    private var type = ByteView.empty
    private var trackName = ByteView.empty
    private var pageName = ByteView.empty
    private var originalTimestamp = ByteView.empty
    private var ownContext = ByteView.empty
    private var ownConsent: WireConsent?
    private var ownConsentObject = ByteView.empty
    /// Which members have been read: of repeated ones the first wins, as in the SDK's format.
    private var seen: UInt32 = 0

    static func read(_ item: ByteView, of batch: WireBatch) -> Result<IncomingEvent, WireFault> {
        var reader = WireItem()
        do throws(WireFault) {
            try reader.readMembers(item)
            return .success(try reader.finish(batch))
        } catch {
            return .failure(error)
        }
    }

    /// Reads on after a fault: what follows may not even be JSON, and that is the graver one.
    private mutating func readMembers(_ item: ByteView) throws(WireFault) {
        var fault: WireFault?
        do throws(JSONError) {
            var members = try WireMembers(item)
            while let member = try members.next() {
                do throws(WireFault) { try take(member) } catch { fault = fault ?? error }
            }
        } catch {
            throw .malformed
        }
        if let fault { throw fault }
    }

    private mutating func take(_ member: WireMember) throws(WireFault) {
        let field = Vocabulary.field(member.key)
        if field == .unknown { return event.unknownMembers &+= 1 }
        let bit: UInt32 = 1 << UInt32(field.rawValue)
        if field == .ignored || seen & bit != 0 { return }
        seen |= bit
        switch field {
        case .properties: event.properties = try member.object()
        case .traits: event.traits = try member.object()
        case .context: ownContext = try member.object()
        case .consent:
            ownConsent = WireConsent(member)
            ownConsentObject = member.objectOrNothing
        default: takeText(field, try member.text())
        }
    }

    private mutating func takeText(_ field: WireField, _ text: ByteView) {
        switch field {
        case .type: type = text
        case .messageID: event.messageID = text
        case .anonymousID: event.anonymousID = text
        case .userID: event.userID = text
        case .groupID: event.groupID = text
        case .previousID: event.previousID = text
        case .name: trackName = text
        case .pageName: pageName = text
        case .category: event.category = text
        case .timestamp: event.timestamp = text
        case .originalTimestamp: originalTimestamp = text
        case .url: event.url = text
        case .referrer: event.referrer = text
        case .title: event.title = text
        case .properties, .traits, .context, .consent, .ignored, .unknown: break
        }
    }

    private mutating func finish(_ batch: WireBatch) throws(WireFault) -> IncomingEvent {
        event.call = try call(batch)
        event.context = batch.context
        event.context.take(ownContext)
        if let ownConsent { event.context.consent = ownConsent }
        event.context.consentSignals.take(consent: ownConsentObject)
        if event.timestamp.isEmpty { event.timestamp = originalTimestamp }
        if event.traits.isEmpty { event.traits = event.context.traits }
        event.name = event.call == .track ? trackName : pageName.isEmpty ? trackName : pageName
        if event.call == .track, event.name.isEmpty { throw .nameMissing }
        if event.call == .page { completePage() }
        let isSomebody =
            !event.userID.isEmpty || !event.anonymousID.isEmpty || !event.previousID.isEmpty
        if !isSomebody, !batch.allowsNobody { throw .nobody }
        return event
    }

    /// The path's call; else the member's; else what the other members can only mean.
    private func call(_ batch: WireBatch) throws(WireFault) -> EventCall {
        if let call = batch.call { return call }
        if type.isEmpty {
            if !trackName.isEmpty { return .track }
            if !event.url.isEmpty { return .page }
            throw .typeMissing
        }
        guard let call = EventCall(type) else { throw .typeUnknown }
        return call
    }

    /// A page's address stands in the event, in its properties, or in its context.
    private mutating func completePage() {
        WireMembers.forEach(in: event.properties) { member in
            let text = member.textOrNothing
            if member.key.equals("url"), event.url.isEmpty { event.url = text }
            if member.key.equals("referrer"), event.referrer.isEmpty { event.referrer = text }
            if member.key.equals("title"), event.title.isEmpty { event.title = text }
        }
        if event.url.isEmpty { event.url = event.context.url }
        if event.referrer.isEmpty { event.referrer = event.context.referrer }
        if event.title.isEmpty { event.title = event.context.title }
    }
}
