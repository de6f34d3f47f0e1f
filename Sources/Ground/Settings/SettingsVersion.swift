import Bytes

extension HeliographSettings {
    /// Hash of what decides about a beacon: the sites. Where to listen and where stores are changes
    /// no decision, and passwords have no place in a hash that is stored with every record.
    public var version: UInt32 {
        var buffer = ByteBuffer(capacity: 4096, limit: 64 * 1024 * 1024)
        for field in canonicalFields {
            for byte in field.utf8 { buffer.append(byte) }
            // No name in settings holds a zero byte, so fields cannot run into each other.
            buffer.append(0)
        }
        return buffer.view.crc32c()
    }

    private var canonicalFields: [String] { sites.flatMap(\.canonicalFields) }
}

extension Site {
    fileprivate var canonicalFields: [String] {
        var fields = ["site", name, timeZone, currency, automation.rawValue]
        fields += ["\(allowsAnyOrigin)", "\(debug)"] + consent.canonicalFields
        fields += limits.canonicalFields
        fields += ["\(refusesUnlistedEvents)"] + events.flatMap(\.canonicalFields)
        fields += ["sensitive", sensitivity.rawValue, callingCode ?? ""]
        fields += destinations.flatMap(\.canonicalFields)
        fields += ["keys"] + keys.sorted()
        fields += ["origins"] + origins.sorted()
        fields += ["parameters"] + urlParameters.sorted()
        return fields
    }
}
