import Bytes
import Settings

/// The content categories of sites' own words, looked up without allocation: one table for all sites,
/// in which a key is a hash of site, kind and text.
///
/// A class, so that looking a word up copies no table.
final class CategoryTable: Sendable {
    /// What a text is.
    private enum Kind: UInt64 { case path = 1, beginning, heading }

    private struct Entry: BitwiseCopyable, Sendable {
        var key: UInt64 = 0
        /// 0 where the slot is free, else the category's index and one.
        var category: UInt8 = 0
    }

    /// Stands for the words of every site.
    private static let everySite: UInt64 = 0

    /// Whether nothing is looked up.
    let isEmpty: Bool
    private let entries: [Entry]

    init(_ rules: CategoryRules) {
        var keys = Self.keys(rules.all, Self.everySite)
        for (site, map) in rules.sites.sorted(by: { $0.key < $1.key }) {
            keys += Self.keys(map, WordHash.of(site))
        }
        var entries = [Entry](repeating: Entry(), count: Self.slots(keys.count))
        for (key, category) in keys {
            var slot = Int(truncatingIfNeeded: key) & (entries.count - 1)
            while entries[slot].category != 0 { slot = (slot + 1) & (entries.count - 1) }
            entries[slot] = Entry(key: key, category: UInt8(category + 1))
        }
        (isEmpty, self.entries) = (keys.isEmpty, entries)
    }

    /// A power of two, at most half full.
    private static func slots(_ count: Int) -> Int {
        var slots = 2
        while slots < 2 * count { slots *= 2 }
        return slots
    }

    private static func keys(_ map: CategoryRules.Map, _ site: UInt64) -> [(UInt64, Int)] {
        let paths = map.paths.sorted { $0.key < $1.key }.map { path, category in
            path.hasSuffix("/*")
                ? (key(WordHash.of(String(path.dropLast())), .beginning, site), category)
                : (key(WordHash.of(path), .path, site), category)
        }
        let headings = map.headings.sorted { $0.key < $1.key }
        return paths + headings.map { (key(WordHash.of($0.key), .heading, site), $0.value) }
    }

    private static func key(_ text: UInt64, _ kind: Kind, _ site: UInt64) -> UInt64 {
        let mixed = (text ^ site &* 0x9e37_79b9_7f4a_7c15 ^ kind.rawValue) &* 0xbf58_476d_1ce4_e5b9
        return mixed ^ mixed >> 31
    }

    /// What stands for a site in questions.
    func site(_ name: ByteView) -> UInt64 { isEmpty ? Self.everySite : WordHash.of(name) }

    /// The category of a page, by its whole path, else by the longest beginning; the site's own words
    /// are asked first.
    func page(_ path: ByteView, of site: UInt64) -> Int? {
        if isEmpty { return nil }
        return category(ofPath: path, site) ?? category(ofPath: path, Self.everySite)
    }

    /// The category of a section, by the first word of its name that is known.
    func section(_ name: ByteView, of site: UInt64) -> Int? {
        if isEmpty { return nil }
        return category(ofSection: name, site) ?? category(ofSection: name, Self.everySite)
    }

    private func category(ofPath path: ByteView, _ site: UInt64) -> Int? {
        var hash = WordHash()
        var found: Int?
        for index in 0..<path.count {
            hash.add(asciiLowercase(path[index]))
            if path[index] == UInt8(ascii: "/"), let longer = value(hash, .beginning, site) {
                found = longer
            }
        }
        if let whole = value(hash, .path, site) { return whole }
        // A page at the beginning itself stands without the slash.
        hash.add(UInt8(ascii: "/"))
        return value(hash, .beginning, site) ?? found
    }

    private func category(ofSection name: ByteView, _ site: UInt64) -> Int? {
        var word = WordHash()
        for index in 0..<name.count where !word.take(name[index]) {
            if word.isWord, let known = value(word, .heading, site) { return known }
            word = WordHash()
        }
        return word.isWord ? value(word, .heading, site) : nil
    }

    private func value(_ text: WordHash, _ kind: Kind, _ site: UInt64) -> Int? {
        let key = Self.key(text.value, kind, site)
        var slot = Int(truncatingIfNeeded: key) & (entries.count &- 1)
        while entries[slot].category != 0 {
            if entries[slot].key == key { return Int(entries[slot].category) &- 1 }
            slot = (slot &+ 1) & (entries.count &- 1)
        }
        return nil
    }
}
