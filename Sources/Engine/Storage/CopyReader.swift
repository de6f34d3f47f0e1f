import Bytes
import CLibpq

/// One row of a binary COPY, field after field. Views are valid until the next row is read.
struct CopyRow {
    private let bytes: ByteView
    private var cursor = 2

    /// Nil for the trailer.
    init?(_ bytes: ByteView) {
        guard bytes.count >= 2, bytes.load(Int16.self, at: 0).bigEndian >= 0 else { return nil }
        self.bytes = bytes
    }

    /// The next field; nil when it is null.
    mutating func field() -> ByteView? {
        guard cursor + 4 <= bytes.count else { return nil }
        let length = Int(Int32(bigEndian: bytes.load(Int32.self, at: cursor)))
        cursor += 4
        guard length >= 0, cursor + length <= bytes.count else { return nil }
        cursor += length
        return bytes[cursor - length..<cursor]
    }

    mutating func text() -> ByteView { field() ?? .empty }

    /// An integer of two, four or eight bytes; nil when it is null.
    mutating func integer() -> Int64? {
        guard let field = field() else { return nil }
        switch field.count {
        case 1: return Int64(field[0])
        case 2: return Int64(Int16(bigEndian: field.load(Int16.self, at: 0)))
        case 4: return Int64(Int32(bigEndian: field.load(Int32.self, at: 0)))
        case 8: return Int64(bigEndian: field.load(Int64.self, at: 0))
        default: return nil
        }
    }

    mutating func number() -> Double { Double(bitPattern: UInt64(bitPattern: integer() ?? 0)) }

    /// A timestamptz as epoch milliseconds.
    mutating func epochMilliseconds() -> Int64 {
        (integer() ?? 0) / 1_000 &+ PostgresTime.epochMilliseconds
    }

    /// The text of a jsonb, without its version byte.
    mutating func json() -> ByteView {
        guard let field = field(), field.count > 1 else { return .empty }
        return field[1..<field.count]
    }
}

/// A piece of a COPY, in memory of libpq.
struct CopyBytes {
    let pointer: UnsafeMutableRawPointer
    let count: Int
}

extension PostgresConnection {
    /// Streams the rows of `statement`, a `COPY … TO STDOUT (FORMAT binary)`, to `body`.
    func copyOut(
        _ statement: StaticString,
        _ body: (inout CopyRow) -> Void
    ) throws(PostgresFailure) {
        try beginCopyOut(statement)
        var isFirst = true
        while let bytes = try nextCopyBytes() {
            defer { PQfreemem(bytes.pointer) }
            var view = ByteView(base: bytes.pointer, count: bytes.count)
            // The signature and two words travel with the first row.
            if isFirst { view = view[min(19, view.count)..<view.count] }
            isFirst = false
            if var row = CopyRow(view) { body(&row) }
        }
    }
}
