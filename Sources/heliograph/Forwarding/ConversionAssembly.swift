import Delivery
import Foundation
import Records
import Storage

/// Makes the conversion that a destination is told from the rows that the archive stored and the sealed
/// blocks that go with them.
struct ConversionAssembly {
    /// Opens a sealed block of a site's visitor; nil when its day key is gone.
    let open: (_ block: [UInt8], _ site: String, _ visitor: String) -> [UInt8]?

    /// The conversion of a claimed row; nil when it is gone.
    func conversion(of row: OutboxRow) -> Conversion? {
        guard let stored = row.conversion else { return nil }
        var made = Conversion()
        made.site = row.site
        made.id = row.conversionID
        made.name = stored.name
        made.occurredAtMilliseconds = stored.occurredAtMilliseconds
        // A later choice takes away, and never gives what was not given then.
        made.consent = Consent(rawValue: stored.consent & (stored.consentSince ?? 0xff))
        made.flags = Slice.Flags(rawValue: stored.flags)
        made.isSensitive = stored.isSensitive
        made.isBot = stored.isBot
        made.visitor = row.visitor
        made.user = stored.user
        made.value = stored.value
        made.currency = stored.currency.nonEmpty
        made.orderID = stored.orderID.nonEmpty
        made.pageURL = stored.pageURL.nonEmpty
        made.referrer = stored.referrer.nonEmpty
        made.title = stored.title.nonEmpty
        made.details = Self.details(stored.details)
        made.contact = contact(of: row)
        return made
    }

    // MARK: - Details

    private struct StoredDetails: Decodable {
        var items: [StoredItem]?
        var coupon, affiliation, searchTerm, method, status, plan: String?
        var contentName, contentCategory, formId, storeId: String?
        var tax, shipping, predictedLtv, engagementMilliseconds: Double?
        var extras: [String: StoredScalar]?
    }

    private struct StoredItem: Decodable {
        var id, name, brand, category, variant, coupon: String?
        var price, quantity, discount: Double?
    }

    private enum StoredScalar: Decodable {
        case value(ConversionDetails.ExtraValue)
        case other

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {
                self = .value(.flag(flag))
            } else if let number = try? container.decode(Double.self) {
                self = .value(.number(number))
            } else if let text = try? container.decode(String.self) {
                self = .value(.text(text))
            } else {
                self = .other
            }
        }
    }

    private static func details(_ text: String) -> ConversionDetails {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        var made = ConversionDetails()
        guard let stored = try? decoder.decode(StoredDetails.self, from: Data(text.utf8)) else {
            return made
        }
        made.items = (stored.items ?? []).map(item)
        (made.coupon, made.affiliation) = (stored.coupon, stored.affiliation)
        (made.tax, made.shipping) = (stored.tax, stored.shipping)
        made.predictedLifetimeValue = stored.predictedLtv
        (made.searchTerm, made.method) = (stored.searchTerm, stored.method)
        (made.status, made.plan) = (stored.status, stored.plan)
        (made.contentName, made.contentCategory) = (stored.contentName, stored.contentCategory)
        (made.formID, made.storeID) = (stored.formId, stored.storeId)
        made.engagementMilliseconds = stored.engagementMilliseconds.flatMap { Int64(exactly: $0) }
        made.extras = extras(text)
        return made
    }

    private static func item(_ stored: StoredItem) -> ConversionItem {
        var made = ConversionItem()
        (made.id, made.name, made.brand) = (stored.id, stored.name, stored.brand)
        (made.category, made.variant) = (stored.category, stored.variant)
        (made.price, made.quantity) = (stored.price, stored.quantity)
        (made.coupon, made.discount) = (stored.coupon, stored.discount)
        return made
    }

    /// With their keys as they are: the site has named them.
    private static func extras(_ text: String) -> [(String, ConversionDetails.ExtraValue)] {
        struct Named: Decodable { var extras: [String: StoredScalar]? }
        let named = try? JSONDecoder().decode(Named.self, from: Data(text.utf8))
        return (named?.extras ?? [:]).sorted { $0.key < $1.key }.compactMap { name, scalar in
            guard case .value(let value) = scalar else { return nil }
            return (name, value)
        }
    }

    // MARK: - Sealed blocks

    /// See Sources/Engine/Delivery/README.md.
    private struct PageBlock: Decodable {
        var ip, ua, fbp, fbc, ga: String?
        var gs: [String: String]?
    }

    private struct IdentifyBlock: Decodable {
        var m: [String: [String]]?
        var g: [String: [String]]?
    }

    private struct ClickBlock: Decodable {
        var fbclid: String
        var at: Int64
    }

    private func contact(of row: OutboxRow) -> Contact {
        let own = block(0, row, PageBlock.self)
        let page = block(1, row, PageBlock.self)
        let identify = block(2, row, IdentifyBlock.self)
        var made = Contact()
        made.address = own?.ip ?? page?.ip
        made.userAgent = own?.ua ?? page?.ua
        made.fbp = page?.fbp ?? own?.fbp
        made.fbc = page?.fbc ?? own?.fbc
        made.gaClientID = page?.ga ?? own?.ga
        made.gaSessions = page?.gs ?? own?.gs ?? [:]
        made.metaHashes = identify?.m ?? [:]
        made.googleFields = identify?.g ?? [:]
        made.fbclid = block(3, row, ClickBlock.self).map { ($0.fbclid, $0.at) }
        return made
    }

    private func block<Block: Decodable>(
        _ index: Int,
        _ row: OutboxRow,
        _ type: Block.Type
    ) -> Block? {
        guard row.seals.indices.contains(index), !row.seals[index].isEmpty,
            let text = open(row.seals[index], row.site, row.visitor)
        else { return nil }
        return try? JSONDecoder().decode(type, from: Data(text))
    }
}

extension String {
    fileprivate var nonEmpty: String? { isEmpty ? nil : self }
}
