public import Bytes
import Units

/// A visitor at a landmark of a session, and what became of it.
public struct LearnExample: BitwiseCopyable, Sendable {
    /// Hash of site and visitor: the example tells nobody who it was.
    var owner: UInt64 = 0
    /// Index of the site in the partition's list.
    var site: UInt16 = 0
    /// The partition of its records.
    public internal(set) var partition: UInt8 = 0
    /// The landmark: so many actions into the session.
    public internal(set) var landmark: Int32 = 0
    /// Offset of the record that reached the landmark.
    public internal(set) var offset: UInt64 = 0
    /// The moment of that record, epoch milliseconds.
    public internal(set) var at: Int64 = 0
    /// The evidence at that moment.
    public internal(set) var features = LearnFeatures()
    /// What the rule foretold.
    public internal(set) var rule = 0.0
    /// Whether a conversion followed within the horizon.
    public internal(set) var converted = false
    /// When that was known, epoch milliseconds.
    public internal(set) var labelledAt: Int64 = 0
    /// Sequence of the record by which it was known; 0 while it is not.
    public internal(set) var sequence: UInt64 = 0
}

extension LearnExample {
    /// For checkpoints: every field in a fixed order.
    mutating func encode<Coder: StateCoder & ~Copyable>(_ coder: inout Coder) {
        coder.field(&owner)
        coder.field(&site)
        coder.field(&partition)
        coder.field(&landmark)
        coder.field(&offset)
        coder.field(&at)
        for index in 0..<LearnFeatures.count { coder.field(&features.values[index]) }
        coder.field(&rule)
        coder.field(&converted)
        coder.field(&labelledAt)
        coder.field(&sequence)
    }
}

/// An example whose outcome is known, as it leaves its partition.
public struct LearnLesson: Sendable {
    /// The site's name.
    public let site: ShortText
    /// What happened.
    public let example: LearnExample

    /// The order in which lessons are taken.
    static func isBefore(_ a: LearnLesson, _ b: LearnLesson) -> Bool {
        (a.example.sequence, a.example.partition, a.example.offset, a.example.landmark)
            < (b.example.sequence, b.example.partition, b.example.offset, b.example.landmark)
    }
}
