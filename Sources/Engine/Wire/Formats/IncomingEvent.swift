public import Bytes
public import Records

/// What a tracker says happened: the calls that Segment named and others speak.
public enum EventCall: UInt8, CaseIterable, Sendable {
    case track, page, screen, identify, group, alias

    /// The call that a format's `type` names.
    init?(_ name: ByteView) {
        if name.equals("track") {
            self = .track
        } else if name.equals("page") {
            self = .page
        } else if name.equals("screen") {
            self = .screen
        } else if name.equals("identify") {
            self = .identify
        } else if name.equals("group") {
            self = .group
        } else if name.equals("alias") {
            self = .alias
        } else {
            return nil
        }
    }
}

/// Why one event of a request cannot be taken; the others are unharmed.
public enum WireFault: UInt8, Error, CaseIterable, Sendable {
    /// Not a JSON object.
    case malformed
    /// A member has another type than its format says.
    case wrongType
    case typeMissing, typeUnknown
    /// A track call without the name of what was tracked.
    case nameMissing
    /// Neither a user nor an anonymous visitor.
    case nobody
    case tooLarge
}

/// One event as every format ends up: views into the bytes it was read from.
///
/// Texts are the insides of JSON strings, grammar checked, escapes not resolved; objects are whole
/// values. Empty means absent: `null`, `""` and a missing member are the same here.
public struct IncomingEvent {
    /// What the tracker says happened.
    public var call = EventCall.track
    /// The sender's id of the event.
    public var messageID = ByteView.empty
    /// The sender's id of the browser or device.
    public var anonymousID = ByteView.empty
    /// The sender's id of the person.
    public var userID = ByteView.empty
    /// The group that the person belongs to, of a group call.
    public var groupID = ByteView.empty
    /// The id that an alias call gives up.
    public var previousID = ByteView.empty
    /// Name of the tracked event, the page or the screen.
    public var name = ByteView.empty
    /// Category of the page or the screen.
    public var category = ByteView.empty
    /// When it happened by the sender's clock, as it was written.
    public var timestamp = ByteView.empty
    /// Address of the page.
    public var url = ByteView.empty
    /// Address of the page before.
    public var referrer = ByteView.empty
    /// Title of the page.
    public var title = ByteView.empty
    /// What belongs to the event.
    public var properties = ByteView.empty
    /// What belongs to the person or the group.
    public var traits = ByteView.empty
    /// What surrounds the event.
    public var context = WireContext()
    /// Members that the format does not know.
    public var unknownMembers = 0

    /// An event of which nothing is known yet.
    public init() {}
}

/// What surrounds an event: about the visitor's machine, not about the server that sends.
public struct WireContext {
    /// The visitor's address.
    public var address = ByteView.empty
    /// The visitor's user agent.
    public var userAgent = ByteView.empty
    /// The visitor's language.
    public var locale = ByteView.empty
    /// Name of the sending library.
    public var library = ByteView.empty
    /// Version of the sending library.
    public var libraryVersion = ByteView.empty
    /// Address of the page the visitor was on.
    public var url = ByteView.empty
    /// Address of the page before.
    public var referrer = ByteView.empty
    /// Title of the page.
    public var title = ByteView.empty
    /// Traits, where RudderStack puts them.
    public var traits = ByteView.empty
    /// What the visitor agreed to, when the sender says so.
    public var consent: WireConsent?
    /// What consent dialogues said, and the visitor's time zone.
    public var consentSignals = ConsentSignals()

    /// Nothing is known.
    public init() {}
}

/// What a sender says the visitor agreed to.
public enum WireConsent: Equatable, Sendable {
    /// The bits of the SDK's `c`.
    case bits(Int64)
    /// The purposes of Segment's consent object that are granted.
    case purposes(WirePurposes)
}

/// Purposes by the names that consent tools give them.
public struct WirePurposes: OptionSet, BitwiseCopyable, Sendable {
    /// The bits.
    public let rawValue: UInt8
    /// Takes the bits as they are.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Counting visits, behaviour.
    public static let analytics = WirePurposes(rawValue: 1)
    /// Keeping ids on the device.
    public static let functional = WirePurposes(rawValue: 2)
    /// Linking and ads.
    public static let advertising = WirePurposes(rawValue: 4)
}
