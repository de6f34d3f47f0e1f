/// How many decimals money of each ISO 4217 currency has.
public enum CurrencyDecimals {
    /// Decimals of the currency; nil when it is none.
    public static func of(_ code: String) -> Int? {
        guard code.utf8.count == 3, code.utf8.allSatisfy({ (65...90).contains($0) }) else {
            return nil
        }
        if whole.contains(code) { return 0 }
        if thousandths.contains(code) { return 3 }
        if tenThousandths.contains(code) { return 4 }
        return hundredths.contains(code) ? 2 : nil
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
