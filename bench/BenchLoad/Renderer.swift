import Glibc

/// Everything that a batch was made from. Making it again gives the same bytes but for the two
/// stamps of the attempt, which is what a repeat or a retry of the SDK looks like.
public struct Recipe: BitwiseCopyable, Sendable {
    /// Index of the visitor in the population.
    public var visitor: UInt32
    /// Index of the template.
    public var template: UInt16
    /// Events in the batch.
    public var eventCount: UInt16
    /// Number of the first event in the window.
    public var firstEvent: UInt32
    /// Number of the batch in the window.
    public var number: UInt32
    /// Page view number.
    public var page: UInt32
    /// Part number of the page's summary.
    public var part: UInt32
    /// Milliseconds that the page had been open when the batch was made.
    public var clockMilliseconds: UInt32
    /// Wall time at which the batch was made.
    public var madeAtEpochMilliseconds: Int64
    /// Stands for this batch in the whole run: the source of its identifier and its random values.
    public var identity: UInt64
}

/// The identifiers that all batches of a run share a part of.
public struct RunIdentity: BitwiseCopyable, Sendable {
    /// Separates the populations of different seeds.
    public let seed: UInt64
    /// What the seed was made from.
    public let givenSeed: UInt64
    /// When the run began; part of every window, session and batch id, so that two runs with the
    /// same seed never send the same event.
    public let startedAtEpochMilliseconds: Int64

    /// Devices are older than any run, so that a second run meets returning visitors.
    private static let devicesBornAtEpochMilliseconds: Int64 = 1_767_225_600_000

    /// An identity for a run that begins now.
    public init(seed: UInt64, startedAtEpochMilliseconds: Int64) {
        self.seed = mixed(seed)
        givenSeed = seed
        self.startedAtEpochMilliseconds = startedAtEpochMilliseconds
    }

    /// The device id: the same in every run with this seed.
    public func device(_ visitor: UInt32) -> Identifier {
        Identifier(
            epochMilliseconds: Self.devicesBornAtEpochMilliseconds + Int64(visitor),
            number: seed ^ (UInt64(visitor) &<< 2)
        )
    }

    /// The session id.
    public func session(_ visitor: UInt32) -> Identifier { ofRun(visitor, salt: 1) }

    /// The window id.
    public func window(_ visitor: UInt32) -> Identifier { ofRun(visitor, salt: 2) }

    /// The batch id.
    public func batch(_ recipe: Recipe) -> Identifier {
        Identifier(
            epochMilliseconds: recipe.madeAtEpochMilliseconds,
            number: recipe.identity ^ seed
        )
    }

    private func ofRun(_ visitor: UInt32, salt: UInt64) -> Identifier {
        Identifier(
            epochMilliseconds: startedAtEpochMilliseconds,
            number: seed ^ (UInt64(visitor) &<< 2) ^ salt
        )
    }
}

/// Turns recipes into the bytes of HTTP requests. Allocates nothing after it was made.
public struct Renderer: ~Copyable {
    /// Room that `render` needs.
    public let longestRequest: Int

    private let run: RunIdentity
    private let head: [UInt8]
    private let templates: [Template]

    /// Room for the digits of Content-Length and the empty line.
    private static let lengthRoom = 16

    /// A renderer of `templates` behind the request head `head`, which ends with
    /// `Content-Length: `.
    public init(run: RunIdentity, head: String, templates: [Template]) {
        self.run = run
        self.head = Array(head.utf8)
        self.templates = templates
        let longestBody = templates.map(\.longestLength).max() ?? 0
        longestRequest = self.head.count + Self.lengthRoom + longestBody
    }

    /// Writes the request at `target` and returns its length.
    ///
    /// The body's length is known only after it was written, so the body goes behind the widest
    /// head and is moved up by the digits that were not needed.
    public func render(
        _ recipe: Recipe,
        nowEpochMilliseconds: Int64,
        to target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        let body = target + head.count + Self.lengthRoom
        let length = renderBody(recipe, nowEpochMilliseconds, to: body)
        var cursor = target
        head.withUnsafeBufferPointer { bytes in
            if let base = bytes.baseAddress { copy(base, bytes.count, to: &cursor) }
        }
        write(UInt64(length), to: &cursor)
        putLineBreak(to: &cursor)
        putLineBreak(to: &cursor)
        memmove(cursor, body, length)
        return cursor - target + length
    }

    /// Writes the body alone and returns its length.
    public func renderBody(
        _ recipe: Recipe,
        _ nowEpochMilliseconds: Int64,
        to target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        templates.withUnsafeBufferPointer { all in
            let state = Attempt(run: run, recipe: recipe, now: nowEpochMilliseconds)
            return all[Int(recipe.template)].write(state, to: target)
        }
    }
}

/// One attempt to send a batch: the recipe and the time.
struct Attempt {
    let run: RunIdentity
    let recipe: Recipe
    let now: Int64

    var clock: UInt64 {
        let waited = max(0, now - recipe.madeAtEpochMilliseconds)
        return UInt64(recipe.clockMilliseconds) &+ UInt64(waited)
    }
}

extension Template {
    func write(_ attempt: Attempt, to target: UnsafeMutablePointer<UInt8>) -> Int {
        var cursor = target
        var random = SplitMix(seed: mixed(attempt.recipe.identity))
        var event = attempt.recipe.firstEvent
        literals.withUnsafeBufferPointer { text in
            guard let base = text.baseAddress else { return }
            for piece in pieces {
                copy(base + piece.literalStart, piece.literalLength, to: &cursor)
                fill(piece, attempt, base, &random, &event, &cursor)
            }
        }
        return cursor - target
    }

    @inline(__always)
    private func fill(
        _ piece: Piece,
        _ attempt: Attempt,
        _ text: UnsafePointer<UInt8>,
        _ random: inout SplitMix,
        _ event: inout UInt32,
        _ cursor: inout UnsafeMutablePointer<UInt8>
    ) {
        let recipe = attempt.recipe
        switch piece.slot {
        case .batch: put(attempt.run.batch(recipe), to: &cursor)
        case .window: put(attempt.run.window(recipe.visitor), to: &cursor)
        case .device: put(attempt.run.device(recipe.visitor), to: &cursor)
        case .session: put(attempt.run.session(recipe.visitor), to: &cursor)
        case .sent: BenchLoad.write(UInt64(attempt.now), to: &cursor)
        case .clock: BenchLoad.write(attempt.clock, to: &cursor)
        case .number: BenchLoad.write(UInt64(recipe.number), to: &cursor)
        case .page: BenchLoad.write(UInt64(recipe.page), to: &cursor)
        case .part: BenchLoad.write(UInt64(recipe.part), to: &cursor)
        case .event:
            BenchLoad.write(UInt64(event), to: &cursor)
            event &+= 1
        case .ago:
            let clock = recipe.clockMilliseconds
            BenchLoad.write(UInt64(clock > piece.first ? clock &- piece.first : 0), to: &cursor)
        case .integer:
            BenchLoad.write(UInt64(piece.first &+ random.next(below: piece.span)), to: &cursor)
        case .pick:
            let word = words[Int(piece.first &+ random.next(below: piece.span))]
            copy(text + word.start, word.length, to: &cursor)
        case .end: break
        }
    }
}

@inline(__always)
private func copy(
    _ source: UnsafePointer<UInt8>,
    _ count: Int,
    to cursor: inout UnsafeMutablePointer<UInt8>
) {
    memcpy(cursor, source, count)
    cursor += count
}

@inline(__always)
private func putLineBreak(to cursor: inout UnsafeMutablePointer<UInt8>) {
    cursor[0] = 0x0d
    cursor[1] = 0x0a
    cursor += 2
}

@inline(__always)
private func put(_ identifier: Identifier, to cursor: inout UnsafeMutablePointer<UInt8>) {
    identifier.write(to: cursor)
    cursor += Identifier.length
}

/// Writes `value` in decimal.
private func write(_ value: UInt64, to cursor: inout UnsafeMutablePointer<UInt8>) {
    var digits = 1
    var bound: UInt64 = 10
    while value >= bound && digits < 19 {
        digits &+= 1
        bound = bound &* 10
    }
    var rest = value
    var index = digits
    while index > 0 {
        index &-= 1
        cursor[index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
    }
    cursor += digits
}
