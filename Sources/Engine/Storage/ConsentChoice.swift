import Bytes
import Records

/// What one consent event chose: a row of `heliograph.consent_record`, and what deliveries that wait
/// are held against.
struct ConsentChoice: BitwiseCopyable {
    let site: ShortText
    let visitor: ShortText
    /// The event's own time, epoch milliseconds.
    let at: Int64
    /// What the event said.
    let said: Consent
    /// What holds: what was said, as far as opt-outs and dialogues allowed it.
    let consent: Consent

    /// The choice of an event of `slice`, whose ids a fold has taken and therefore fit.
    init(_ event: SliceEvent, _ slice: Slice) {
        site = ShortText(slice.site) ?? ShortText()
        visitor = ShortText(slice.visitor) ?? ShortText()
        at = event.occurredAt
        said = ChoiceMembers(event.properties).bits ?? slice.consent
        consent = said.intersection(slice.consent)
    }

    /// Appends the fields in the order of `ArchiveStatements.copyChoices`.
    func append(
        _ header: RecordHeader,
        _ slice: Slice,
        _ event: SliceEvent,
        to rows: inout ByteBuffer
    ) {
        let signals = event.properties.isEmpty ? ByteView("{}") : event.properties
        rows.append(bigEndian: ArchiveStatements.choiceColumnCount)
        rows.timeField(epochMilliseconds: event.occurredAt)
        rows.timeField(epochMilliseconds: header.receivedAt)
        rows.field(Int64(bitPattern: header.offset))
        rows.field(Int16(header.partition.index))
        rows.field(Int16(said.rawValue))
        rows.field(Int16(consent.rawValue))
        rows.field(Int16(slice.flags.rawValue))
        rows.field(Int64(slice.settingsVersion))
        rows.field(Int64(signals.crc32c()))
        rows.field(slice.site)
        rows.field(slice.visitor)
        rows.fieldOrNull(ChoiceMembers(event.properties).source)
        rows.jsonField(signals)
    }
}

/// What a consent event's members say.
private struct ChoiceMembers {
    var bits: Consent?
    /// The inside of a JSON string without escapes; empty when there is none.
    var source = ByteView.empty

    init(_ properties: ByteView) {
        guard !properties.isEmpty else { return }
        var cursor = JSONCursor(properties)
        var first = true
        do throws(JSONError) {
            try cursor.beginObject()
            while let key = try cursor.nextKey(&first) {
                let kind = try cursor.kind()
                take(key, kind, try cursor.skip())
            }
        } catch {
            // What the listener wrote is whole; of a damaged record what was read holds.
            return
        }
    }

    private mutating func take(_ key: ByteView, _ kind: JSONCursor.Kind, _ value: ByteView) {
        if key.equals("bits"), kind == .number, let number = JSONNumber.integer(value), number >= 0
        {
            bits = Consent(rawValue: UInt8(clamping: number))
        }
        if key.equals("src"), kind == .string {
            let text = value[1..<value.count - 1]
            if text.firstIndex(of: UInt8(ascii: "\\")) == nil { source = text }
        }
    }
}
