public import Bytes
import Records
public import Units

/// Why a checkpoint's bytes cannot be folded on from.
public enum CheckpointError: Error, Equatable, Sendable {
    /// Not a checkpoint of a partition, or cut off.
    case damaged
    /// Written in a format that this version does not read.
    case unknownVersion(UInt32)
    /// Half-lives, stages or definitions have changed since: the sums are not what refolding the
    /// journal would give.
    case otherFoldRules
}

/// The body of a partition's checkpoint.
///
/// Version 4, integers little-endian: magic `HGSC`, version (4 each); hash of the fold rules,
/// offset (8 each); number of sites (4), each a length byte and text; number of visitors (4); their
/// states in the order of their places; live minutes; whether anybody was ever identified (1); examples.
/// Version 3, without examples and the actions of sessions, version 2, without identities, and version
/// 1, without live minutes and what visitors have to do with them, are read too: what they lack then
/// begins with the next record. The
/// same records give the same states, byte for byte, whether folded live, after a recovery or from
/// scratch, and the same order while nobody has left memory. The
/// checksum is the file's.
extension PartitionFold {
    /// The format that this version writes and reads.
    public static let checkpointVersion: UInt32 = 4
    fileprivate static let magic: UInt32 = 0x4353_4748

    /// Appends the whole partition.
    public func serialize(into buffer: inout ByteBuffer) {
        buffer.append(littleEndian: Self.magic)
        buffer.append(littleEndian: Self.checkpointVersion)
        buffer.append(littleEndian: model.foldRules)
        buffer.append(littleEndian: offset)
        buffer.append(littleEndian: UInt32(sites.count))
        for site in sites {
            var text = site
            buffer.field(&text)
        }
        buffer.append(littleEndian: UInt32(table.count))
        for index in 0..<table.indexEnd where table.isVisitor(index) {
            var state = table[index]
            state.encode(&buffer)
        }
        minutes.serialize(into: &buffer)
        buffer.append(hasLinks ? 1 : 0)
        var examples = ledger
        examples.encode(&buffer)
    }

    /// Reads a partition back. `keepingOldSums` accepts sums of other fold rules, for when the
    /// journal does not reach back far enough to fold anew.
    public init(
        deserializing bytes: ByteView,
        model: ScoringModel,
        key: HashKey = .random(),
        keepingOldSums: Bool = false
    ) throws(CheckpointError) {
        var parts = CheckpointParts(StateReader(bytes))
        try parts.read(model, keepingOldSums)
        let minutes = try parts.readMinutes()
        let hasLinks = parts.readLinks()
        let ledger = try parts.readExamples()
        self.init(model: model, key: key)
        offset = parts.offset
        sites = parts.sites
        for state in parts.visitors { adopt(state) }
        self.minutes = minutes
        self.hasLinks = hasLinks
        self.ledger = ledger
    }

    private mutating func adopt(_ state: VisitorState) {
        let hash = state.visitor.withBytes { table.hash($0, state.site) }
        _ = table.add(state, hash)
    }
}

/// A checkpoint's content, read and checked as a whole before any of it is folded on from.
private struct CheckpointParts {
    private struct Owner: Hashable {
        var site: UInt16
        var visitor: ShortText
    }

    private(set) var offset: UInt64 = 0
    private(set) var sites: [ShortText] = []
    private(set) var visitors: [VisitorState] = []

    private var reader: StateReader
    private var version: UInt32 = 0

    init(_ reader: StateReader) { self.reader = reader }

    mutating func read(
        _ model: ScoringModel,
        _ keepingOldSums: Bool
    ) throws(CheckpointError) {
        try readHead(model, keepingOldSums)
        try readSites()
        try readVisitors()
    }

    /// What follows the visitors.
    mutating func readMinutes() throws(CheckpointError) -> LiveMinutes {
        var minutes = LiveMinutes()
        let isSound = version < 2 || minutes.restore(&reader, sites: sites.count)
        guard isSound else { throw .damaged }
        return minutes
    }

    mutating func readLinks() -> Bool {
        var hasLinks = false
        if version >= 3 { reader.field(&hasLinks) }
        return hasLinks
    }

    /// What follows the links, to the end.
    mutating func readExamples() throws(CheckpointError) -> LearnLedger {
        var ledger = LearnLedger()
        if version >= 4 { ledger.encode(&reader) }
        guard reader.isAtEnd, ledger.isSound(sites: sites.count) else { throw .damaged }
        return ledger
    }

    private mutating func readHead(
        _ model: ScoringModel,
        _ keepingOldSums: Bool
    ) throws(CheckpointError) {
        var magic: UInt32 = 0
        var rules: UInt64 = 0
        reader.field(&magic)
        reader.field(&version)
        guard !reader.failed, magic == PartitionFold.magic else { throw .damaged }
        guard 1...PartitionFold.checkpointVersion ~= version else { throw .unknownVersion(version) }
        reader.field(&rules)
        reader.field(&offset)
        guard rules == model.foldRules || keepingOldSums else { throw .otherFoldRules }
    }

    private mutating func readSites() throws(CheckpointError) {
        var count: UInt32 = 0
        reader.field(&count)
        for _ in 0..<count {
            var site = ShortText()
            reader.field(&site)
            if reader.failed || sites.contains(site) { throw .damaged }
            sites.append(site)
        }
    }

    private mutating func readVisitors() throws(CheckpointError) {
        var count: UInt32 = 0
        reader.field(&count)
        var owners: Set<Owner> = []
        for _ in 0..<count {
            var state = VisitorState()
            state.encode(&reader, version: version)
            let owner = Owner(site: state.site, visitor: state.visitor)
            guard !reader.failed, Int(state.site) < sites.count, owners.insert(owner).inserted
            else { throw .damaged }
            visitors.append(state)
        }
    }
}
