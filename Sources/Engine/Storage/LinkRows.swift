import Bytes
public import Records

/// Rows about who is part of which person.
enum LinkRows {
    /// The fields in the order of `ArchiveStatements.copyLinks`.
    static func append(
        _ header: RecordHeader,
        _ effect: FoldEffect,
        to rows: inout ByteBuffer
    ) {
        rows.append(bigEndian: ArchiveStatements.linkColumnCount)
        rows.timeField(epochMilliseconds: header.receivedAt)
        rows.field(Int64(bitPattern: header.offset))
        rows.field(Int16(header.partition.index))
        rows.field(effect.link.isJoined)
        rows.field(ByteView(name(effect.link.cause)))
        effect.session.site.withBytes { rows.field($0) }
        effect.session.visitor.withBytes { rows.field($0) }
        rows.field(effect.link.identityText)
    }

    private static func name(_ cause: LinkChange.Cause) -> StaticString {
        switch cause {
        case .none, .identified: "identified"
        case .withdrawn: "withdrawn"
        case .parted: "parted"
        case .rejoined: "rejoined"
        }
    }
}

extension LinkChange {
    /// The person's key as rows have it: 32 hexadecimal digits.
    var identityText: String {
        [identityLow, identityHigh].map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}

extension ArchiveWriter {
    /// Adds who the visitor of a record, which was added just now, is part of from then on.
    public func note(header: RecordHeader, link effect: FoldEffect) {
        batch.addLink(header, effect)
    }

    /// Adds a record that only tells who a visitor is part of.
    public func add(header: RecordHeader, parting effect: FoldEffect) -> Addition {
        if header.offset <= reached(header.partition) { return .alreadyStored }
        guard batch.hasRoomForRejection(header) else { return .full }
        batch.addParting(header, effect)
        return .added
    }
}
