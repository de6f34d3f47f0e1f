public import Bytes
public import Records

/// What the engine asks of a durable log, so that a distributed one can take the local one's place.
public protocol JournalLog: ~Copyable {
    /// Puts a record into the group that is being gathered. It is not durable yet.
    mutating func append(
        kind: RecordHeader.Kind,
        partition: Partition,
        receivedAt: Int64,
        payload: ByteView
    ) throws(JournalError) -> Appended

    /// Makes the group durable: when this returns, its records may be acknowledged.
    mutating func commit() throws(JournalError)

    /// Hands over committed records from `start` up to sequence `bound`.
    func read(
        from start: JournalStart,
        upTo bound: UInt64,
        _ body: (JournalRecord) -> Void
    ) throws(JournalError) -> JournalReader.Progress
}
