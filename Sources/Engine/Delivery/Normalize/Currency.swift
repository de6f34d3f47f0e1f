import Settings

/// ISO 4217 codes, and money in them.
public enum Currency {
    /// The code in upper case; nil when it is none.
    public static func code(_ text: String) -> String? {
        let code = TextForms.trimmed(text).uppercased()
        return CurrencyDecimals.of(code) == nil ? nil : code
    }

    /// `amount` in the currency's smallest part; nil when it is no amount of money.
    public static func rounded(_ amount: Double, _ code: String) -> Money? {
        guard let units = CurrencyDecimals.of(code), amount.isFinite else { return nil }
        return Money(amount, decimals: units)
    }
}

/// An amount with a fixed number of decimals, so that it is written the same everywhere.
public struct Money: Sendable, Equatable {
    /// The amount times ten to the power of `decimals`.
    public let units: Int64
    /// How many digits stand behind the point.
    public let decimals: Int

    /// Beyond this a double holds no cents any more.
    private static let unitsMaximum = 1e15

    /// Rounded half away from zero; nil when it is too large to be meant.
    ///
    /// A price such as 1.005 is a little less in binary; a few units in the last place make up for it.
    init?(_ amount: Double, decimals: Int) {
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = amount * scale
        guard scaled.magnitude < Self.unitsMaximum else { return nil }
        let nudged = scaled + scaled * 4 * Double.ulpOfOne
        units = Int64(nudged.rounded(.toNearestOrAwayFromZero))
        self.decimals = decimals
    }

    /// As JSON writes it, without zeros that say nothing.
    public var text: String {
        var digits = String(units.magnitude)
        if decimals > 0 {
            while digits.utf8.count <= decimals { digits = "0" + digits }
            digits.insert(".", at: digits.index(digits.endIndex, offsetBy: -decimals))
            while digits.hasSuffix("0") { digits.removeLast() }
            if digits.hasSuffix(".") { digits.removeLast() }
        }
        return (units < 0 ? "-" : "") + digits
    }
}
