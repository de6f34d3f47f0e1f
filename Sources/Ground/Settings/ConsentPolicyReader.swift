import Records

extension ConsentPolicy {
    /// Reads the section `consent` of a site.
    init(_ section: YAMLSection) {
        self.init()
        fallback = Self.bits(section, "default", fallback)
        strictFallback = Self.bits(section, "strict_default", strictFallback)
        mode = section.choice("mode", Mode.self, default: mode)
        privacyControl = section.choice("gpc", PrivacyControl.self, default: privacyControl)
        doNotTrack = section.choice("dnt", DoNotTrack.self, default: doNotTrack)
        unknownRegion = section.choice(
            "unknown_region",
            UnknownRegion.self,
            default: unknownRegion
        )
        acceptsLegitimateInterest = section.boolean(
            "legitimate_interest",
            default: acceptsLegitimateInterest
        )
        requiresDisclosedVendors = section.boolean(
            "require_disclosed_vendors",
            default: requiresDisclosedVendors
        )
        let vendor = section.integer("vendor_id", in: 0...65_535, default: Int(advertisingVendor))
        advertisingVendor = UInt16(clamping: vendor)
        cookieless = section.choice("cookieless", Cookieless.self, default: cookieless)
    }

    private static func bits(_ section: YAMLSection, _ key: String, _ fallback: Consent) -> Consent
    {
        let bits = section.integer(key, in: 0...63, default: Int(fallback.rawValue))
        return Consent(rawValue: UInt8(clamping: bits))
    }

    var canonicalFields: [String] {
        [
            "\(fallback.rawValue)", "\(strictFallback.rawValue)", mode.rawValue,
            privacyControl.rawValue, doNotTrack.rawValue, unknownRegion.rawValue,
            "\(acceptsLegitimateInterest)", "\(requiresDisclosedVendors)", "\(advertisingVendor)",
            cookieless.rawValue,
        ]
    }
}
