public import Records

/// What the visitor's consent lets the engine do with a batch.
public enum ConsentGate {
    /// The bits in force: what the batch says, less what a global privacy control takes away.
    ///
    /// `Sec-GPC: 1` is read from the request itself and clears profiling, linking, inference and ad
    /// personalisation, whatever the page believes.
    public static func effective(sent: Int64, hasPrivacyControl: Bool) -> Consent {
        var consent = Consent(rawValue: UInt8(truncatingIfNeeded: sent)).intersection(.all)
        if hasPrivacyControl {
            consent.subtract([.profiling, .linking, .inference, .adPersonalisation])
        }
        return consent
    }

    /// Whether anything of the batch may be stored.
    public static func allowsStoring(_ consent: Consent) -> Bool { consent.contains(.measurement) }

    /// Whether an id kept on the device may be used.
    public static func allowsDeviceID(_ consent: Consent) -> Bool { consent.contains(.storage) }

    /// Whether a user id may be used.
    public static func allowsUserID(_ consent: Consent) -> Bool { consent.contains(.linking) }
}
