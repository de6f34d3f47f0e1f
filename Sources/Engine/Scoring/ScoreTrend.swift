import Records

/// Whether a score rises or falls: the slope of a straight line through its curve. README, trend.
public struct ScoreTrend: Equatable, Sendable {
    /// A score at a moment, epoch milliseconds.
    public struct Point: Equatable, Sendable {
        /// When.
        public let time: Int64
        /// Readiness, 0 to 100.
        public let score: Double

        /// A point from its parts.
        public init(time: Int64, score: Double) { (self.time, self.score) = (time, score) }
    }

    /// A stretch of time that a trend is over.
    public enum Window: Int64, CaseIterable, Sendable {
        case hour = 3_600_000
        case day = 86_400_000
        case week = 604_800_000

        /// The name in answers.
        public var name: String {
            switch self {
            case .hour: return "1h"
            case .day: return "24h"
            case .week: return "7d"
            }
        }
    }

    /// A curve shorter than this has no direction yet.
    public static let millisecondsMinimum: Int64 = 60_000
    private static let samples: Int64 = 16

    /// Points that the score rises by in an hour, on the line.
    public let pointsPerHour: Double
    /// Where the line begins, epoch milliseconds: at the window's begin or at the first point.
    public let since: Int64

    /// The trend of the window that ends at `time`. `history` is sorted by time; what lies beyond the
    /// state's last record is read from the state itself, decay and all. Nil when too little is known.
    public init?(
        _ window: Window,
        _ history: [Point],
        _ state: PackedState,
        at time: Int64,
        _ model: ScoringModel
    ) {
        let from = time - window.rawValue
        var curve = history.filter { $0.time < state.updatedAt }
        let first = max(from, state.updatedAt)
        var sampled: [Int64] = [min(state.updatedAt, time)]
        for step in 0...Self.samples {
            sampled.append(first + (time - first) * step / Self.samples)
        }
        for moment in sampled where moment > curve.last?.time ?? .min {
            curve.append(Point(time: moment, score: state.reading(at: moment, model).score))
        }
        guard let trend = ScoreTrend(curve, from: from, to: time) else { return nil }
        self = trend
    }

    /// The line of least squares through the curve between `from` and `to`, every moment weighing the
    /// same; between points the curve is straight.
    init?(_ curve: [Point], from: Int64, to: Int64) {
        guard let first = curve.first else { return nil }
        let begin = max(from, first.time)
        let width = Double(to - begin)
        guard to - begin >= Self.millisecondsMinimum else { return nil }
        let middle = Double(begin) + width / 2
        var moment = 0.0
        // Two records of one moment are a step, which has no width.
        for (left, right) in zip(curve, curve.dropFirst())
        where right.time > max(begin, left.time) {
            moment += Self.moment(left, right, from: Double(max(left.time, begin)), middle)
        }
        pointsPerHour = 12 * moment / (width * width * width) * 3_600_000
        since = begin
    }

    /// The integral of (t - middle) times the score over a straight piece, from `from` to its end.
    private static func moment(
        _ left: Point,
        _ right: Point,
        from: Double,
        _ middle: Double
    ) -> Double {
        let slope = (right.score - left.score) / Double(right.time - left.time)
        let begin = left.score + slope * (from - Double(left.time))
        let (a, b) = (from - middle, Double(right.time) - middle)
        let squares = (b * b - a * a) / 2
        return (begin - slope * a) * squares + slope * (b * b * b - a * a * a) / 3
    }
}
