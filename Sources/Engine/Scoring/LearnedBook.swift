public import Bytes
public import Records
import Settings
import Units

/// What one site's conversions have taught.
public struct LearnedSite: Sendable {
    /// The weights, and how uncertain they are.
    public internal(set) var posterior: LearnPosterior
    /// Whether they are believed.
    public internal(set) var trust = LearnGuard()
    /// How often they have changed.
    public internal(set) var version: UInt64 = 0
    /// Examples taken in all.
    public internal(set) var examples: UInt64 = 0
    /// Conversions among them.
    public internal(set) var conversions: UInt64 = 0
    /// When they changed last, epoch milliseconds.
    var mergedAt: Int64 = 0

    init(_ posterior: LearnPosterior) { self.posterior = posterior }

    /// Takes the examples of a stretch. They are foretold once more before, for the comparison.
    mutating func take(_ batch: [LearnLesson], at time: Int64, _ model: ScoringModel) {
        let passed = version > 0 ? Double(time &- mergedAt) : 0
        mergedAt = time
        trust.fade(milliseconds: passed)
        for lesson in batch {
            let example = lesson.example
            trust.take(
                rule: example.rule,
                learned: posterior.likelihood(example.features).probability,
                converted: example.converted
            )
        }
        posterior.change(prior: model)
        posterior.fade(to: Shapes.powerOfTwo(-passed / model.learning.halfLifeMilliseconds))
        posterior.learn(
            batch.map { ($0.example.features, $0.example.converted) },
            weight: model.learning.exampleWeight
        )
        version += 1
        examples += UInt64(batch.count)
        conversions += UInt64(batch.count { $0.example.converted })
    }
}

/// What all sites' conversions have taught up to one record of the journal: one edition of it.
public struct LearnedBook: Sendable {
    /// Number of the edition; 0 before the first.
    public internal(set) var edition: UInt64 = 0
    /// Examples whose outcome was known by the record of this sequence are in it.
    public internal(set) var through: UInt64 = 0
    /// Fold rules by which its first edition was made: under others, the past does not teach the same.
    public internal(set) var foldRules: UInt64 = 0
    /// Number of the stretch of time that it belongs to; nil before the first example.
    var stretch: Int64?
    /// The latest outcome among all examples so far, epoch milliseconds.
    var clock = Int64.min
    /// What was learned, by site.
    public internal(set) var sites: [ShortText: LearnedSite] = [:]

    /// Nothing was learned yet.
    public init() {}

    /// What is to be said with this evidence: what was learned while it is believed, else the rule with
    /// the prior's bounds.
    public func likelihood(
        _ features: LearnFeatures,
        site: ShortText,
        _ model: ScoringModel
    ) -> Likelihood {
        guard let learned = sites[site] else { return model.likelihood(features) }
        let source = learned.trust.verdict(model.learning)
        guard source == .learned else { return model.likelihood(features, source) }
        return learned.posterior.likelihood(features)
    }

    /// A journal that was lost begins anew with its numbers: what was learned stays, and learning goes on
    /// behind its last record.
    public mutating func hold(within sequence: UInt64) { through = min(through, sequence) }
}

// MARK: - In stores

/// What a score was made by: the `model` of Redis, such as `0a1b2c3d4e5f`, or `0a1b2c3d4e5f+12` with the
/// twelfth edition of what was learned.
public struct ModelName: Equatable, Sendable {
    /// The scoring file's part.
    public let rules: String
    /// The edition; 0 without one.
    public let edition: UInt64

    /// Reads a name as it stands in Redis.
    public init(_ text: String) {
        let parts = text.split(separator: "+", maxSplits: 1)
        rules = parts.first.map(String.init) ?? ""
        edition = parts.count == 2 ? UInt64(parts[1]) ?? 0 : 0
    }

    /// Appends the name of `model` with an edition.
    public static func append(
        _ model: ScoringModel,
        edition: UInt64,
        to buffer: inout ByteBuffer
    ) {
        buffer.append(text: model.name)
        guard edition > 0 else { return }
        buffer.append(UInt8(ascii: "+"))
        buffer.append(decimal: Int64(clamping: edition))
    }
}

/// The file of one edition: magic `HGLB`, version (4 bytes each), then fields in a fixed order; the
/// checksum is the file's.
extension LearnedBook {
    private static let magic: UInt32 = 0x424c_4748
    private static let version: UInt32 = 1

    /// Appends the whole edition; sites in the order of their names, so that equal editions are equal bytes.
    public func serialize(into buffer: inout ByteBuffer) {
        buffer.append(littleEndian: Self.magic)
        buffer.append(littleEndian: Self.version)
        var head = self
        head.encodeHead(&buffer)
        buffer.append(littleEndian: UInt32(sites.count))
        for (name, site) in sites.sorted(by: { $0.key.text < $1.key.text }) {
            var (name, site) = (name, site)
            buffer.field(&name)
            site.encode(&buffer)
        }
    }

    /// Reads an edition back; nil when the bytes are not one.
    public init?(deserializing bytes: ByteView, _ model: ScoringModel) {
        var reader = StateReader(bytes)
        var (magic, version, count) = (UInt32(0), UInt32(0), UInt32(0))
        reader.field(&magic)
        reader.field(&version)
        guard magic == Self.magic, version == Self.version else { return nil }
        encodeHead(&reader)
        reader.field(&count)
        for _ in 0..<count where !reader.failed {
            var name = ShortText()
            var site = LearnedSite(LearnPosterior(model))
            reader.field(&name)
            site.encode(&reader)
            guard site.posterior.refactor() else { return nil }
            sites[name] = site
        }
        guard reader.isAtEnd else { return nil }
    }

    private mutating func encodeHead<Coder: StateCoder & ~Copyable>(_ coder: inout Coder) {
        var number = stretch ?? .min
        coder.field(&edition)
        coder.field(&foldRules)
        coder.field(&through)
        coder.field(&number)
        coder.field(&clock)
        stretch = number == .min ? nil : number
    }
}

extension LearnedSite {
    fileprivate mutating func encode<Coder: StateCoder & ~Copyable>(_ coder: inout Coder) {
        coder.field(&version)
        coder.field(&examples)
        coder.field(&conversions)
        coder.field(&mergedAt)
        trust.encode(&coder)
        posterior.encode(&coder)
    }
}
