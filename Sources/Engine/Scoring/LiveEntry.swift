public import Bytes
public import Records

/// What stores are to hold of a visitor.
public enum LiveEntry: Sendable {
    /// The visitor was erased.
    case nobody
    /// Nothing: there is no consent to profile, or none any more.
    case unscored(site: ShortText, visitor: ShortText)
    /// This, and the packed state.
    case scored(LiveVisitor)
}

/// What stores are to hold of a visitor who is read alone.
public struct LiveVisitor: BitwiseCopyable, Sendable {
    /// Whose visitor it is.
    public let site: ShortText
    /// Its id.
    public let visitor: ShortText
    /// What can be said as of the record last folded.
    public let reading: Reading
    /// How likely it is to convert.
    public let likelihood: Likelihood
    /// Whether the last record came from an automated browser.
    public let isAutomated: Bool
    /// Whether it was ever read as part of a person.
    public let wasLinked: Bool
}

extension PartitionFold {
    /// What stores are to hold of the visitor at `index`; its packed state is appended to `state`.
    ///
    /// Changes nothing, yet is `mutating`: for each call of another kind the compiler copies the fold, and
    /// this is asked for every record.
    public mutating func liveEntry(
        of index: Int32,
        _ book: borrowing LearnedBook,
        state: inout ByteBuffer
    ) -> LiveEntry {
        let row = Int(index)
        guard table.isVisitor(row) else { return .nobody }
        let site = sites[Int(table[row].site)]
        let visitor = table[row].visitor
        guard table[row].signals.landmark != 0 else {
            return .unscored(site: site, visitor: visitor)
        }
        table[row].pack(into: &state)
        let outlook = table[row].outlook(book, site, model)
        return .scored(
            LiveVisitor(
                site: site,
                visitor: visitor,
                reading: outlook.reading,
                likelihood: outlook.likelihood,
                isAutomated: table[row].isAutomated,
                wasLinked: table[row].link.standing != .none
            )
        )
    }
}
