/// The visitors and where each of them stands in its visit. Owned by the load thread.
public struct Population: ~Copyable {
    /// How many visitors there are, the watched ones among them.
    public let count: Int
    /// The first so many visitors are kept for freshness samples and take no part in the rest.
    public let watchedCount: Int

    private let load: Load
    private let visitors: UnsafeMutablePointer<Visitor>
    private let stride: Int
    private var walked: Int
    private var nextWatched = 0
    private var nextIdentity: UInt64

    fileprivate struct Visitor: BitwiseCopyable {
        var nextEvent: UInt32 = 1
        var nextBatch: UInt32 = 1
        var page: UInt32 = 1
        var part: UInt32 = 0
        var clockMilliseconds: UInt32 = 1_000
        var turn: UInt32
    }

    /// A population that starts its visits at different turns, so that the mix of batches is the
    /// same from the first second on.
    public init(load: Load, count: Int, watchedCount: Int, run: RunIdentity) {
        self.load = load
        self.count = count
        self.watchedCount = watchedCount
        visitors = .allocate(capacity: count)
        for index in 0..<count {
            let turn = UInt32(truncatingIfNeeded: mixed(UInt64(index)) % UInt64(load.turns.count))
            (visitors + index).initialize(to: Visitor(turn: turn))
        }
        stride = Self.stride(through: count - watchedCount)
        walked = Int(run.seed % UInt64(count - watchedCount))
        nextIdentity = mixed(UInt64(bitPattern: run.startedAtEpochMilliseconds)) &<< 32
    }

    deinit { visitors.deallocate() }

    /// The next batch of the visitor whose turn it is.
    ///
    /// The walk meets every visitor once before any a second time, so no visitor has two batches
    /// in flight while there are more visitors than requests in flight.
    public mutating func nextRecipe(nowEpochMilliseconds now: Int64) -> Recipe {
        walked &+= stride
        if walked >= count &- watchedCount { walked &-= count &- watchedCount }
        return advance(watchedCount &+ walked, now)
    }

    /// The next batch of the watched visitor whose turn it is.
    public mutating func nextWatchedRecipe(nowEpochMilliseconds now: Int64) -> Recipe {
        nextWatched = nextWatched &+ 1 < watchedCount ? nextWatched &+ 1 : 0
        return advance(nextWatched, now)
    }

    private mutating func advance(_ index: Int, _ now: Int64) -> Recipe {
        let turn = load.turns[Int(visitors[index].turn)]
        let events = load.templates[Int(turn.template)].eventCount
        let recipe = visitors[index].advance(turn, events, of: load.turns.count)
        nextIdentity &+= 1
        return Recipe(
            visitor: UInt32(index),
            template: turn.template,
            eventCount: UInt16(events),
            firstEvent: recipe.nextEvent,
            number: recipe.nextBatch,
            page: recipe.page,
            part: recipe.part,
            clockMilliseconds: recipe.clockMilliseconds,
            madeAtEpochMilliseconds: now,
            identity: nextIdentity
        )
    }

    /// A step near the golden section that shares no factor with `count`.
    private static func stride(through count: Int) -> Int {
        var step = max(1, count * 618 / 1_000)
        while greatestCommonDivisor(step, count) != 1 { step += 1 }
        return step % max(count, 1)
    }

    private static func greatestCommonDivisor(_ first: Int, _ second: Int) -> Int {
        second == 0 ? first : greatestCommonDivisor(second, first % second)
    }
}

extension Population.Visitor {
    /// Moves on by `turn` and returns the state that the batch of this turn is made from.
    fileprivate mutating func advance(_ turn: Load.Turn, _ events: Int, of turns: Int) -> Self {
        if turn.opensPage {
            page &+= 1
            part = 0
            clockMilliseconds = 0
        }
        clockMilliseconds &+= turn.milliseconds
        let made = self
        nextEvent &+= UInt32(events)
        nextBatch &+= 1
        if turn.summarises { part &+= 1 }
        self.turn = Int(self.turn) &+ 1 < turns ? self.turn &+ 1 : 0
        return made
    }
}

/// The last batches that were acknowledged, to repeat some of them. Owned by the load thread.
public struct Repeats {
    private var recipes: [Recipe] = []
    private var oldest = 0
    private var random: SplitMix
    private let oneIn: UInt32

    /// How far back a repeat can reach.
    private static let capacity = 4_096

    /// Repeats one batch in `oneIn`; 0 repeats none.
    public init(oneIn: UInt32, seed: UInt64) {
        self.oneIn = oneIn
        random = SplitMix(seed: seed)
        recipes.reserveCapacity(Self.capacity)
    }

    /// Remembers a batch that was acknowledged.
    @inline(__always)
    public mutating func acknowledged(_ recipe: Recipe) {
        if recipes.count < Self.capacity {
            recipes.append(recipe)
        } else {
            recipes[oldest] = recipe
            oldest = oldest &+ 1 < Self.capacity ? oldest &+ 1 : 0
        }
    }

    /// A batch to send again, when it is time for one.
    @inline(__always)
    public mutating func next() -> Recipe? {
        guard oneIn > 0, !recipes.isEmpty, random.next(below: oneIn) == 0 else { return nil }
        return recipes[Int(random.next(below: UInt32(recipes.count)))]
    }
}
