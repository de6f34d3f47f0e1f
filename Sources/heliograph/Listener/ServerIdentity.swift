import Admission
import Bytes
import Privacy
import Records
import Settings
import Units
import Wire

/// Turns the ids that a server sends into those that may be kept.
///
/// Without the matching consent an id is replaced by a name that lasts a day; one that is not of the
/// form that ids have, and may be an e-mail address, by a name that leads nobody back to it. Owned by
/// one listener; memory is reused, so what it gives is valid until it is asked about the next event.
struct ServerIdentity: ~Copyable {
    /// Who an event is about.
    struct Person {
        var visitor = ByteView.empty
        /// Empty when there is none, or it may not be kept.
        var user = ByteView.empty
        /// The visitor is known for this day only.
        var isPassing = false
        /// A user id was sent and may not be kept.
        var isUserWithheld = false
    }

    /// Knows the names that last a day.
    private let sender: Sender
    private var pseudonyms: Pseudonymizer
    private var plain = ByteBuffer(capacity: 1024, limit: 64 * 1024)
    private var visitor = ByteBuffer(capacity: 64, limit: 64)
    private var user = ByteBuffer(capacity: 128, limit: 128)
    private var other = ByteBuffer(capacity: 128, limit: 128)
    private var message = ByteBuffer(capacity: 128, limit: 1024)

    init(secret: [UInt8], sender: Sender) {
        pseudonyms = Pseudonymizer(secret: secret)
        self.sender = sender
    }

    // MARK: - Persons

    /// Who `event` is about; nil when it is nobody.
    mutating func person(
        _ event: IncomingEvent,
        _ consent: Consent,
        site: ByteView,
        machine: CookielessNames.Machine?,
        receivedAt: Int64
    ) -> Person? {
        var person = Person()
        let mayLink = ConsentGate.allowsUserID(consent)
        let hasUser = readUser(event.userID, site: site)
        person.isUserWithheld = hasUser && !mayLink
        if hasUser, mayLink { person.user = user.view }
        visitor.reset()
        // An alias gives up an id: the visitor who had it is the one who is now known.
        if read(event.anonymousID.isEmpty ? event.previousID : event.anonymousID) {
            person.isPassing = !ConsentGate.allowsDeviceID(consent)
            if !person.isPassing, Identifiers.isClientID(plain.view) { visitor.append(plain.view) }
        } else if hasUser {
            person.isPassing = !mayLink
            plain.reset()
            plain.append("user:")
            plain.append(user.view)
        } else if let machine {
            // Such as readers of an e-mail, who send no id.
            person.isPassing = true
            sender.appendName(machine, site: site, at: receivedAt, into: &visitor)
        } else {
            return nil
        }
        if visitor.count == 0 { nameVisitor(person.isPassing, site: site, receivedAt) }
        person.visitor = visitor.view
        return person
    }

    private mutating func nameVisitor(_ isPassing: Bool, site: ByteView, _ receivedAt: Int64) {
        if isPassing {
            sender.appendName(id: plain.view, site: site, at: receivedAt, into: &visitor)
        } else {
            pseudonyms.append(visitor: plain.view, site: site, into: &visitor)
        }
    }

    private mutating func readUser(_ raw: ByteView, site: ByteView) -> Bool {
        user.reset()
        guard read(raw) else { return false }
        Self.append(plain.view, site: site, &pseudonyms, into: &user)
        return true
    }

    /// A user's or group's id in the form that may be kept; empty when it is none. Valid until the
    /// next is asked for.
    mutating func reference(_ raw: ByteView, site: ByteView) -> ByteView {
        other.reset()
        if read(raw) { Self.append(plain.view, site: site, &pseudonyms, into: &other) }
        return other.view
    }

    private static func append(
        _ id: ByteView,
        site: ByteView,
        _ pseudonyms: inout Pseudonymizer,
        into output: inout ByteBuffer
    ) {
        if Identifiers.isUserID(id) {
            output.append(id)
        } else {
            pseudonyms.append(user: id, site: site, into: &output)
        }
    }

    /// Leaves the text of a JSON string in `plain`. False when it stands for nobody.
    private mutating func read(_ raw: ByteView) -> Bool {
        if raw.isEmpty { return false }
        plain.reset()
        JSONText.unescape(raw, into: &plain)
        return plain.count > 0 && !Identifiers.isPlaceholder(plain.view)
    }

    // MARK: - Message ids

    /// The sender's id of an event where it can be kept as it is, else its fingerprint; nil when there
    /// is none, or one that stands for none. Valid until the next is asked for.
    mutating func messageID(_ raw: ByteView) -> ByteView? {
        guard read(raw) else { return nil }
        message.reset()
        if Identifiers.isMessageID(plain.view) {
            message.append(plain.view)
        } else {
            Hexadecimal.append(pseudonyms.fingerprint(plain.view), into: &message)
        }
        return message.view
    }

    /// The id of an event that has none of its own, as text.
    mutating func messageID(_ assigned: Hash128) -> ByteView {
        message.reset()
        Hexadecimal.append(assigned, into: &message)
        return message.view
    }

    /// A fingerprint of a request's bytes that is the same whenever they come again, also to another
    /// process.
    func fingerprint(_ bytes: ByteView) -> Hash128 { pseudonyms.fingerprint(bytes) }

    /// The id of an event that came without one: of the request's bytes and its place in them.
    mutating func assignedID(_ request: Hash128, index: Int, site: ByteView) -> Hash128 {
        plain.reset()
        plain.append(littleEndian: request.low)
        plain.append(littleEndian: request.high)
        plain.append(littleEndian: UInt32(truncatingIfNeeded: index))
        plain.append(site)
        return pseudonyms.fingerprint(plain.view)
    }
}
