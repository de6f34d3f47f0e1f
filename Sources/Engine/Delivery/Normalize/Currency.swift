/// ISO 4217 codes and how many decimals money of each has.
public enum Currency {
    /// The code in upper case; nil when it is none.
    public static func code(_ text: String) -> String? {
        let code = TextForms.trimmed(text).uppercased()
        return minorUnits(code) == nil ? nil : code
    }

    /// Decimals of the currency; nil when it is none.
    public static func minorUnits(_ code: String) -> Int? {
        guard code.utf8.count == 3, code.utf8.allSatisfy({ (65...90).contains($0) }) else {
            return nil
        }
        if whole.contains(code) { return 0 }
        if thousandths.contains(code) { return 3 }
        if tenThousandths.contains(code) { return 4 }
        return hundredths.contains(code) ? 2 : nil
    }

    /// `amount` in the currency's smallest part; nil when it is no amount of money.
    public static func rounded(_ amount: Double, _ code: String) -> Money? {
        guard let units = minorUnits(code), amount.isFinite else { return nil }
        return Money(amount, decimals: units)
    }

    private static func codes(_ text: String) -> Set<String> {
        Set(text.split(separator: " ").map { String($0) })
    }

    private static let whole = codes(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
    )
    private static let thousandths = codes("BHD IQD JOD KWD LYD OMR TND")
    private static let tenThousandths = codes("CLF UYW")
    private static let hundredths = codes(
        """
        AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN \
        BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP \
        GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT \
        LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO \
        NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS \
        SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD \
        XCG YER ZAR ZMW ZWG ZWL
        """
    )
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
