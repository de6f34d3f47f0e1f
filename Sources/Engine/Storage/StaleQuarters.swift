import Bytes

/// Quarters of an hour that rows of a batch lie in: figures of their days no longer hold.
///
/// Owned by the batch. Most events lie in the quarter of the one before, so most cost a comparison.
struct StaleQuarters {
    struct Quarter: Hashable {
        let site: ShortText
        /// Counted from 1970-01-01.
        let number: Int64
    }

    static let milliseconds: Int64 = 900_000

    private(set) var quarters: Set<Quarter> = []
    private var last: Quarter?

    mutating func add(_ site: ByteView, _ epochMilliseconds: Int64) {
        add(ShortText(site) ?? ShortText(), epochMilliseconds)
    }

    mutating func add(_ site: ShortText, _ epochMilliseconds: Int64) {
        let number = (Double(epochMilliseconds) / Double(Self.milliseconds)).rounded(.down)
        let quarter = Quarter(site: site, number: Int64(number))
        if quarter == last { return }
        last = quarter
        quarters.insert(quarter)
    }

    mutating func reset() {
        quarters.removeAll(keepingCapacity: true)
        last = nil
    }
}
