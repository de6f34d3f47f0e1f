public import Records

/// What the visitor's consent lets the engine do with a batch.
public enum ConsentGate {
    /// Whether anything of the batch may be stored.
    public static func allowsStoring(_ consent: Consent) -> Bool { consent.contains(.measurement) }

    /// Whether an id kept on the device may be used.
    public static func allowsDeviceID(_ consent: Consent) -> Bool { consent.contains(.storage) }

    /// Whether a user id may be used.
    public static func allowsUserID(_ consent: Consent) -> Bool { consent.contains(.linking) }
}
