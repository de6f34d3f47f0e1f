import Admission
import Bytes
import Settings
import Telemetry
import Wire

/// From what the decoders found to the one table of problems, with the place for the sender.
enum BeaconProblems {
    static func describe(_ error: BeaconError) -> (Problem, String) {
        switch error {
        case .json(let json, let field): return (problem(of: json), place(field, json.offset))
        case .missing(let field): return (.fieldMissing, "\(field)")
        case .unsupportedVersion: return (.formatUnsupported, "v")
        case .tooManyEvents: return (.eventCountExceeded, "e")
        }
    }

    private static func place(_ field: StaticString, _ offset: Int) -> String {
        "\(field), byte \(offset)"
    }

    static func problem(of error: JSONError) -> Problem {
        switch error.reason {
        case .invalidUTF8: return .textNotUTF8
        case .tooDeep: return .jsonTooDeep
        case .wrongType: return .fieldType
        case .numberOutOfRange: return .fieldRange
        case .unexpectedEnd, .unexpectedByte, .invalidNumber, .invalidEscape, .controlCharacter,
            .trailingData:
            return .jsonMalformed
        }
    }

    static func problem(of fault: EventFault) -> Problem {
        switch fault {
        case .unknownType: return .eventTypeUnknown
        case .missingType: return .eventFieldMissing
        case .badNumber, .badOffset, .badPage, .badValue: return .eventFieldRange
        case .tooLarge: return .eventTooLarge
        case .notAnObject, .badField: return .eventMalformed
        case .tooManyFields: return .eventPropertiesExceeded
        }
    }

    static func problem(of fault: PropertyCheck.Fault) -> Problem {
        switch fault {
        case .wrongType: return .propertyType
        case .missing: return .propertyMissing
        case .unlisted: return .propertyUnlisted
        }
    }

    static func problem(of error: FramingError) -> Problem {
        switch error {
        case .badRequestLine, .badMethod, .badTarget: return .requestLineMalformed
        case .unsupportedVersion: return .versionUnsupported
        case .badLineEnding, .badFieldName, .badFieldValue, .obsoleteFold: return .headerMalformed
        case .headerTooLarge: return .headersTooLarge
        case .lineTooLong: return .requestLineTooLong
        case .tooManyFields: return .headerCountExceeded
        case .missingHost, .repeatedHost: return .hostMalformed
        case .badContentLength, .repeatedContentLength, .lengthAndEncoding: return .lengthMalformed
        case .unsupportedTransferEncoding, .encodingInOldVersion:
            return .transferEncodingUnsupported
        case .unsupportedExpectation: return .expectationUnknown
        case .bodyTooLarge: return .bodyTooLarge
        case .badChunk: return .chunkMalformed
        }
    }

    static func problem(of error: InflateError) -> Problem {
        switch error {
        case .corrupt, .truncated, .trailingData: return .gzipMalformed
        case .tooLarge, .ratioTooHigh: return .inflatedTooLarge
        }
    }
}

/// Counts the members of a custom event's properties.
enum PropertyCount {
    /// The least that a member takes: `"":1,`.
    private static let memberBytesMinimum = 5

    static func isWithinLimit(_ object: ByteView) -> Bool {
        if object.count < Limits.propertyCountMaximum * memberBytesMinimum { return true }
        var cursor = JSONCursor(object)
        var first = true
        var members = 0
        do throws(JSONError) {
            try cursor.beginObject()
            while try cursor.nextKey(&first) != nil {
                _ = try cursor.skip()
                members += 1
            }
        } catch {
            return false
        }
        return members <= Limits.propertyCountMaximum
    }
}
