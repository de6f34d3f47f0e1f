/// A beacon's body with the places that differ from batch to batch marked.
///
/// Written as the body's own text with marks in angle brackets, read once at start into literal
/// runs and slots, so that making a batch is a row of short copies. The marks:
///
/// | mark | becomes |
/// |---|---|
/// | `<batch>` `<window>` `<device>` `<session>` | the identifier |
/// | `<sent>` `<clock>` | `st` and `mt` of this attempt |
/// | `<number>` `<page>` `<part>` | batch number, page view, part of the page's summary |
/// | `<event>` | the event's number in the window; each use counts on by one |
/// | `<ago:MS>` | page time so many milliseconds before the batch was made |
/// | `<int:LOW:HIGH>` | a random number, both ends included |
/// | `<pick:one\|two\|three>` | one of the words |
public struct Template: Sendable {
    /// Events in the batch.
    public let eventCount: Int
    /// No body made from this template is longer.
    public let longestLength: Int

    let pieces: [Piece]
    let literals: [UInt8]
    let words: [Word]

    /// What stands between two literal runs.
    enum Slot: UInt8 {
        case batch, window, device, session, sent, clock, number, page, part, event
        case ago, integer, pick, end
    }

    /// A literal run and the slot behind it.
    struct Piece {
        var literalStart: Int
        var literalLength: Int
        var slot: Slot
        /// Milliseconds of `ago`, lower end of `integer`, first word of `pick`.
        var first: UInt32 = 0
        /// How many values `integer` and `pick` choose from.
        var span: UInt32 = 0
    }

    /// One choice of a `pick`: a range of `literals`.
    struct Word {
        var start: Int
        var length: Int
    }

    /// Why a template's text cannot be read.
    public enum Failure: Error, Equatable {
        case unclosedMark
        case unknownMark(String)
        case badNumber(String)
    }

    /// Reads a template's text.
    public init(_ text: String) throws(Failure) {
        var reader = TemplateReader()
        try reader.read(Array(text.utf8))
        pieces = reader.pieces
        literals = reader.literals
        words = reader.words
        eventCount = reader.pieces.reduce(0) { $0 + ($1.slot == .event ? 1 : 0) }
        longestLength = reader.longestLength
    }
}

/// Reads a template's text into pieces.
private struct TemplateReader {
    var pieces: [Template.Piece] = []
    var literals: [UInt8] = []
    var words: [Template.Word] = []
    var longestLength = 0

    /// Longest decimal that a numeric slot can write.
    private static let longestNumber = 20

    mutating func read(_ text: [UInt8]) throws(Template.Failure) {
        var rest = text[...]
        while let open = rest.firstIndex(of: UInt8(ascii: "<")) {
            guard let close = rest[open...].firstIndex(of: UInt8(ascii: ">")) else {
                throw .unclosedMark
            }
            let mark = String(decoding: rest[(open + 1)..<close], as: UTF8.self)
            try append(literal: rest[..<open], mark: mark)
            rest = rest[(close + 1)...]
        }
        add(literal: rest, slot: .end)
    }

    private mutating func append(literal: ArraySlice<UInt8>, mark: String) throws(Template.Failure)
    {
        let parts = mark.split(separator: ":", maxSplits: 1).map(String.init)
        let argument = parts.count > 1 ? parts[1] : ""
        switch parts.first {
        case "batch": addIdentifier(literal, .batch)
        case "window": addIdentifier(literal, .window)
        case "device": addIdentifier(literal, .device)
        case "session": addIdentifier(literal, .session)
        case "sent": addNumber(literal, .sent)
        case "clock": addNumber(literal, .clock)
        case "number": addNumber(literal, .number)
        case "page": addNumber(literal, .page)
        case "part": addNumber(literal, .part)
        case "event": addNumber(literal, .event)
        case "ago": addNumber(literal, .ago, first: try number(argument))
        case "int": try addRange(literal, argument)
        case "pick": addPick(literal, argument)
        default: throw .unknownMark(mark)
        }
    }

    private mutating func addIdentifier(_ literal: ArraySlice<UInt8>, _ slot: Template.Slot) {
        add(literal: literal, slot: slot)
        longestLength += Identifier.length
    }

    private mutating func addNumber(
        _ literal: ArraySlice<UInt8>,
        _ slot: Template.Slot,
        first: UInt32 = 0,
        span: UInt32 = 0
    ) {
        add(literal: literal, slot: slot, first: first, span: span)
        longestLength += Self.longestNumber
    }

    private mutating func addRange(_ literal: ArraySlice<UInt8>, _ argument: String)
        throws(Template.Failure)
    {
        let ends = argument.split(separator: ":").map(String.init)
        guard ends.count == 2 else { throw .badNumber(argument) }
        let low = try number(ends[0])
        let high = try number(ends[1])
        guard low <= high else { throw .badNumber(argument) }
        addNumber(literal, .integer, first: low, span: high - low + 1)
    }

    private mutating func addPick(_ literal: ArraySlice<UInt8>, _ argument: String) {
        let choices = argument.split(separator: "|", omittingEmptySubsequences: false)
        let first = UInt32(words.count)
        for choice in choices {
            words.append(Template.Word(start: literals.count, length: choice.utf8.count))
            literals.append(contentsOf: choice.utf8)
        }
        add(literal: literal, slot: .pick, first: first, span: UInt32(choices.count))
        longestLength += choices.map(\.utf8.count).max() ?? 0
    }

    private mutating func add(
        literal: ArraySlice<UInt8>,
        slot: Template.Slot,
        first: UInt32 = 0,
        span: UInt32 = 0
    ) {
        pieces.append(
            Template.Piece(
                literalStart: literals.count,
                literalLength: literal.count,
                slot: slot,
                first: first,
                span: span
            )
        )
        literals.append(contentsOf: literal)
        longestLength += literal.count
    }

    private func number(_ text: String) throws(Template.Failure) -> UInt32 {
        guard let value = UInt32(text) else { throw .badNumber(text) }
        return value
    }
}
