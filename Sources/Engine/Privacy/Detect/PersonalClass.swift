/// What a piece of personal data is, after the table in the specification of the detector.
///
/// Raw values are bit numbers of `PersonalClasses` and are stored in rows; a new class goes to the
/// end.
public enum PersonalClass: UInt8, CaseIterable, Sendable {
    /// An e-mail address, also a disguised one.
    case email
    /// A telephone number.
    case phone
    /// A payment card's number.
    case card
    /// An international bank account number, or an account under a telling name.
    case iban
    /// A social security number of the United States.
    case usSSN
    /// A taxpayer number of the United States for people without the former.
    case usITIN
    /// An employer's number of the United States.
    case usEIN
    /// A British national insurance number.
    case ukNINO
    /// Any other number that a state gives to a person.
    case nationalID
    /// A passport's number or its machine-readable lines.
    case passport
    /// A driving licence's number.
    case driverLicence
    /// A date of birth.
    case birthDate
    /// Somebody's name.
    case personName
    /// Where somebody lives.
    case streetAddress
    /// An internet address.
    case ipAddress
    /// What tells something about somebody's health.
    case health
    /// A password, key, token or code.
    case credential
    /// A position on earth, finer than a town.
    case geo
    /// Too long to be looked at.
    case unscanned

    /// The name in labelled corpora, counters and reports.
    public var name: StaticString {
        switch self {
        case .email: return "email"
        case .phone: return "phone"
        case .card: return "card"
        case .iban: return "iban"
        case .usSSN: return "us_ssn"
        case .usITIN: return "us_itin"
        case .usEIN: return "us_ein"
        case .ukNINO: return "uk_nino"
        case .nationalID: return "national_id"
        case .passport: return "passport"
        case .driverLicence: return "driver_licence"
        case .birthDate: return "dob"
        case .personName: return "person_name"
        case .streetAddress: return "street_address"
        case .ipAddress: return "ip_address"
        case .health: return "health"
        case .credential: return "credential"
        case .geo: return "geo"
        case .unscanned: return "unscanned"
        }
    }

    /// What stands in a text where a value was masked.
    public var token: StaticString {
        switch self {
        case .email: return "[email]"
        case .phone: return "[phone]"
        case .birthDate: return "[date]"
        case .personName: return "[name]"
        case .streetAddress: return "[address]"
        case .ipAddress: return "[ip]"
        case .health: return "[health]"
        case .geo: return "[geo]"
        case .unscanned: return "[unscanned]"
        case .card, .iban, .usSSN, .usITIN, .usEIN, .ukNINO, .nationalID, .passport,
            .driverLicence, .credential:
            return "[*]"
        }
    }

    /// What becomes of it on the way to the journal.
    public var action: SanitiseAction {
        switch self {
        case .card, .iban, .usSSN, .usITIN, .usEIN, .ukNINO, .nationalID, .passport,
            .driverLicence, .credential:
            return .drop
        case .geo: return .truncate
        case .email, .phone, .birthDate, .personName, .streetAddress, .ipAddress, .health,
            .unscanned:
            return .mask
        }
    }

    /// Who wins where two overlap: numbers of states before cards, cards before phones; a larger
    /// number wins.
    var rank: Int {
        switch self {
        case .unscanned: return 20
        case .credential: return 19
        case .usSSN: return 18
        case .usITIN, .ukNINO, .nationalID, .usEIN: return 17
        case .card: return 16
        case .iban: return 15
        case .passport, .driverLicence: return 14
        case .email: return 13
        case .health: return 12
        case .ipAddress: return 11
        case .phone: return 10
        case .geo: return 9
        case .birthDate: return 8
        case .streetAddress: return 7
        case .personName: return 6
        }
    }
}

/// What becomes of a piece of personal data at one sink.
public enum SanitiseAction: UInt8, Sendable {
    /// It goes without a trace of its value: a whole value becomes `null`, a part of a text `[*]`.
    case drop
    /// A token of its class takes its place.
    case mask
    /// A keyed hash takes its place; only ids of users and groups, in their own fields.
    case hash
    /// A coarser value takes its place.
    case truncate

    /// The name in reports.
    public var name: StaticString {
        switch self {
        case .drop: return "drop"
        case .mask: return "mask"
        case .hash: return "hash"
        case .truncate: return "truncate"
        }
    }
}

/// A set of classes.
public struct PersonalClasses: OptionSet, BitwiseCopyable, Sendable, Hashable {
    /// A bit for each class, at its raw value.
    public let rawValue: UInt32

    /// A set from its bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The set of one class.
    public init(_ one: PersonalClass) { rawValue = 1 << UInt32(one.rawValue) }

    /// Whether `one` is in the set.
    public func has(_ one: PersonalClass) -> Bool {
        rawValue & (1 << UInt32(one.rawValue)) != 0
    }
}

/// Where a text was found: its grammar differs.
public enum TextPlace: UInt8, CaseIterable, Sendable {
    /// A whole URL.
    case url
    /// The value of one parameter of a query.
    case queryValue
    /// A path without an origin; a query may follow.
    case path
    /// A page's title.
    case title
    /// The value of a property.
    case propertyValue
    /// The name of a property.
    case propertyName
    /// The URL of the page before.
    case referrer
    /// What somebody typed, and labels.
    case freeText

    /// The name in labelled corpora, counters and reports.
    public var name: StaticString {
        switch self {
        case .url: return "url"
        case .queryValue: return "query_value"
        case .path: return "path"
        case .title: return "title"
        case .propertyValue: return "prop_value"
        case .propertyName: return "prop_name"
        case .referrer: return "referrer"
        case .freeText: return "free_text"
        }
    }
}

/// A piece of personal data in a text: bytes `start..<end`.
public struct PersonalSpan: Sendable, Equatable {
    /// The first byte.
    public var start: Int
    /// The byte behind the last.
    public var end: Int
    /// What it is.
    public var personalClass: PersonalClass

    /// A piece from its bounds and class.
    public init(start: Int, end: Int, personalClass: PersonalClass) {
        (self.start, self.end, self.personalClass) = (start, end, personalClass)
    }
}
