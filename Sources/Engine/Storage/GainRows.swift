import Bytes
import Records

/// Conversions, touches and sealed blocks of a batch, waiting for its transaction.
///
/// Rare beside events, so they travel as parameters of a few statements. Owned by the archive's thread.
struct GainRows: ~Copyable {
    /// A conversion with what its record says.
    struct Conversion {
        var row: ConversionRow
        var receivedAt: Int64
        var position: Position
        var consent: UInt8
        var flags: UInt8
        var isBot: Bool
        var site: String
        var visitor: String
        var user: String
        var session: String
        var window: String
        var seal: [UInt8]
    }

    /// The sealed blocks of a visitor that are to be kept; empty ones change nothing.
    struct Contact {
        var site: String
        var visitor: String
        var page: [UInt8] = []
        var identify: [UInt8] = []
        var click: [UInt8] = []
        var clickKey = ""
        var receivedAt: Int64 = 0
    }

    private struct Person: Hashable {
        let site: String
        let visitor: String
    }

    private(set) var conversions: [Conversion] = []
    private(set) var contacts: [Contact] = []
    private var contactIndexes: [Person: Int] = [:]
    /// Conversions by site and id: an id that comes twice is one conversion.
    private var known: Set<[String]> = []
    /// Rows of touches, ready for COPY.
    private(set) var touches = ByteBuffer(
        capacity: 4096,
        limit: StorageLimits.archiveBatchBytesMaximum * 2
    )
    private var sealBytes = 0

    var isEmpty: Bool { conversions.isEmpty && contacts.isEmpty && touches.count == 0 }

    /// About how many bytes wait.
    var bytes: Int { touches.count + sealBytes + conversions.count * 1024 }

    mutating func add(
        _ header: RecordHeader,
        _ slice: Slice,
        session: ByteView,
        _ gains: RecordGains?
    ) {
        addContact(header, slice)
        guard let gains else { return }
        for touch in gains.touches { append(touch, header, slice, session) }
        for row in gains.conversions { append(row, header, slice, session) }
    }

    private mutating func append(
        _ row: ConversionRow,
        _ header: RecordHeader,
        _ slice: Slice,
        _ session: ByteView
    ) {
        let site = slice.site.text
        guard known.insert([site, row.id]).inserted else { return }
        let seal = Array(slice.sealedParts[.request].buffer)
        sealBytes += seal.count + row.details.utf8.count
        conversions.append(
            Conversion(
                row: row,
                receivedAt: header.receivedAt,
                position: header.position,
                consent: slice.consent.rawValue,
                flags: slice.flags.rawValue,
                isBot: slice.flags.contains(.bot),
                site: site,
                visitor: slice.visitor.text,
                user: slice.user.text,
                session: session.text,
                window: slice.window.text,
                seal: seal
            )
        )
    }

    /// The fields in the order of `GainStatements.copyTouches`.
    private mutating func append(
        _ touch: TouchRow,
        _ header: RecordHeader,
        _ slice: Slice,
        _ session: ByteView
    ) {
        touches.append(bigEndian: GainStatements.touchColumnCount)
        touches.timeField(epochMilliseconds: touch.at)
        touches.field(Int64(bitPattern: header.offset))
        touches.field(Int16(header.partition.index))
        touches.field(slice.site)
        touches.field(slice.visitor)
        touches.fieldOrNull(session)
        touches.field(touch.channel)
        for text in [touch.source, touch.medium, touch.campaign, touch.click] {
            if text.isEmpty { touches.nullField() } else { touches.field(text) }
        }
    }

    /// Later blocks take the place of earlier ones; a click keeps its first block while its key is the
    /// same, because the moment of the first sight is in it.
    private mutating func addContact(_ header: RecordHeader, _ slice: Slice) {
        let parts = slice.sealedParts
        if parts.isEmpty { return }
        let (page, identify, click) = (parts[.page], parts[.identify], parts[.click])
        if page.isEmpty, identify.isEmpty, click.isEmpty { return }
        let person = Person(site: slice.site.text, visitor: slice.visitor.text)
        let index = contactIndexes[person] ?? contacts.count
        if index == contacts.count {
            contacts.append(Contact(site: person.site, visitor: person.visitor))
            contactIndexes[person] = index
        }
        contacts[index].receivedAt = header.receivedAt
        if !page.isEmpty { contacts[index].page = Array(page.buffer) }
        if !identify.isEmpty { contacts[index].identify = Array(identify.buffer) }
        let key = parts[.clickKey].text
        if !click.isEmpty, contacts[index].clickKey != key {
            contacts[index].click = Array(click.buffer)
            contacts[index].clickKey = key
        }
        sealBytes += page.count + identify.count + click.count
    }

    /// Forgets the content, keeps the memory.
    mutating func reset() {
        conversions.removeAll(keepingCapacity: true)
        contacts.removeAll(keepingCapacity: true)
        contactIndexes.removeAll(keepingCapacity: true)
        known.removeAll(keepingCapacity: true)
        touches.reset()
        sealBytes = 0
    }
}
