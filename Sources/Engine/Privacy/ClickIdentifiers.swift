import Bytes

/// Parameters by which ad networks know a click again.
enum ClickIdentifiers {
    /// Identifiers of a click that ad networks add. They are random, so nothing looks into them, and
    /// they are kept for who agreed to ads only.
    private static let names: [StaticString] = [
        "gclid", "gbraid", "wbraid", "dclid", "fbclid", "msclkid", "ttclid", "li_fat_id", "twclid",
        "gclsrc", "gad_source", "gad_campaignid", "srsltid", "yclid", "ysclid", "igshid", "epik",
        "rdt_cid", "sccid", "irclickid", "wickedid",
    ]

    /// Whether a parameter is a click identifier.
    static func holds(_ name: ByteView) -> Bool {
        for literal in names where name.equals(literal) { return true }
        return false
    }
}
