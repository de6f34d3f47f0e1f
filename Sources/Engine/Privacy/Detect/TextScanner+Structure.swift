import Bytes

// Texts that are built of named values: JSON inside a string, forms, and URLs inside values. Each
// value is scanned under the meaning of its own name; the rest as text.

extension TextScanner {
    /// Scans `range` by its structure. False when it has none.
    mutating func scanStructure(
        _ range: Range<Int>,
        _ context: TextContext,
        depth: Int
    ) -> Bool {
        guard !range.isEmpty else { return false }
        if let origin = originEnd(range) {
            scanURL(range, origin, context, depth: depth)
            return true
        }
        let first = byte(range.lowerBound)
        if first == UInt8(ascii: "{") || opensMembers(first) && hasColon(range) {
            scanObject(range, context, depth: depth)
            return true
        }
        if !context.isPath, isForm(range) {
            scanPairs(range, context, depth: depth)
            return true
        }
        return false
    }

    /// A list, or a piece of an object that was cut.
    private func opensMembers(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "[") || byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}")
            || isQuoteOrComma(byte)
    }

    private func isQuoteOrComma(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\"") || byte == UInt8(ascii: ",")
    }

    private func hasColon(_ range: Range<Int>) -> Bool {
        for index in range where byte(index) == UInt8(ascii: ":") {
            if byte(index - 1) == UInt8(ascii: "\"") { return true }
        }
        return false
    }

    // MARK: - JSON

    /// Walks `"key": value` wherever it stands; nesting needs no stack, names alone matter.
    private mutating func scanObject(
        _ range: Range<Int>,
        _ context: TextContext,
        depth: Int
    ) {
        var index = range.lowerBound
        var name = range.lowerBound..<range.lowerBound
        while index < range.upperBound {
            steps += 1
            if byte(index) == UInt8(ascii: "\"") {
                let end = quoteEnd(index + 1, range.upperBound)
                if isColon(end + 1, range.upperBound) {
                    name = index + 1..<end
                    scanMemberName(name)
                } else {
                    scanMember(index + 1..<min(end, range.upperBound), name, context, depth)
                }
                index = end + 1
            } else if isScalar(byte(index)) {
                let end = scalarEnd(index, range.upperBound)
                scanMember(index..<end, name, context, depth)
                index = end
            } else {
                index += 1
            }
        }
    }

    private mutating func scanMemberName(_ name: Range<Int>) {
        var context = TextContext()
        context.place = .propertyName
        scanText(name, context)
    }

    private mutating func scanMember(
        _ value: Range<Int>,
        _ name: Range<Int>,
        _ context: TextContext,
        _ depth: Int
    ) {
        var inner = TextContext()
        inner.place = .propertyValue
        inner.key = name.isEmpty ? context.key : meaning(of: name)
        scan(value, inner, depth: depth + 1)
    }

    private func quoteEnd(_ start: Int, _ end: Int) -> Int {
        var index = start
        while index < end, byte(index) != UInt8(ascii: "\"") {
            index += byte(index) == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(index, end)
    }

    private func isColon(_ start: Int, _ end: Int) -> Bool {
        var index = start
        while index < end, index < start + 4, byte(index) == UInt8(ascii: " ") { index += 1 }
        return index < end && byte(index) == UInt8(ascii: ":")
    }

    private func isScalar(_ byte: UInt8) -> Bool {
        Characters.isAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte >= 0x80
            || byte == UInt8(ascii: "+")
    }

    private func scalarEnd(_ start: Int, _ end: Int) -> Int {
        var index = start
        while index < end {
            let byte = byte(index)
            if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}")
                || byte == UInt8(ascii: "]") || byte == UInt8(ascii: "\"")
            {
                break
            }
            index += 1
        }
        return index
    }

    // MARK: - Forms

    /// Whether a text is `name=value`, once or with `&` or `;` between, and no sentence.
    private func isForm(_ range: Range<Int>) -> Bool {
        var index = range.lowerBound
        while index < range.upperBound, index < range.lowerBound + 64 {
            let byte = byte(index)
            if byte == UInt8(ascii: "=") {
                return index > range.lowerBound && !isPadding(index, range)
            }
            if !Characters.isAlphanumeric(byte), byte < 0x80, byte != UInt8(ascii: "_"),
                byte != UInt8(ascii: "-"), byte != UInt8(ascii: "."), byte != UInt8(ascii: "["),
                byte != UInt8(ascii: "]"), byte != UInt8(ascii: "$")
            {
                return false
            }
            index += 1
        }
        return false
    }

    /// Signs of equality at the end of base64.
    private func isPadding(_ index: Int, _ range: Range<Int>) -> Bool {
        index + 2 >= range.upperBound && byte(range.upperBound - 1) == UInt8(ascii: "=")
    }

    /// Scans `name=value` pairs.
    mutating func scanPairs(_ range: Range<Int>, _ context: TextContext, depth: Int) {
        var start = range.lowerBound
        while start < range.upperBound {
            var end = start
            while end < range.upperBound, !isPairEnd(byte(end)) { end += 1 }
            scanPair(start..<end, context, depth)
            start = end + 1
        }
    }

    private func isPairEnd(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "&") || byte == UInt8(ascii: ";") || byte == UInt8(ascii: "?")
            || byte == UInt8(ascii: "#")
    }

    private mutating func scanPair(_ pair: Range<Int>, _ context: TextContext, _ depth: Int) {
        var inner = TextContext()
        inner.place = .queryValue
        for index in pair where byte(index) == UInt8(ascii: "=") {
            let name = pair.lowerBound..<index
            inner.key = meaning(of: name)
            scanMemberName(name)
            if !inner.key.isClickID { scan(index + 1..<pair.upperBound, inner, depth: depth + 1) }
            return
        }
        inner.key = context.key
        scanText(pair, inner)
    }

    /// What a name inside the text says.
    mutating func meaning(of name: Range<Int>) -> KeyMeaning {
        self.name.reset()
        text.append(name.lowerBound..<min(name.upperBound, name.lowerBound + 256), to: &self.name)
        return keys.meaning(of: self.name.view)
    }

    // MARK: - URLs inside texts

    /// Where the authority of a URL begins that the whole range is; nil when it is none.
    private func originEnd(_ range: Range<Int>) -> Int? {
        var index = range.lowerBound
        while index < range.upperBound, index < range.lowerBound + 24,
            Characters.isAlphanumeric(byte(index)) || byte(index) == UInt8(ascii: "-")
                || byte(index) == UInt8(ascii: "+") || byte(index) == UInt8(ascii: ".")
        { index += 1 }
        guard index > range.lowerBound, matches("://", at: index), index + 3 < range.upperBound
        else { return nil }
        for later in index..<range.upperBound where byte(later) == 32 { return nil }
        return index + 3
    }

    private mutating func scanURL(
        _ range: Range<Int>,
        _ origin: Int,
        _ context: TextContext,
        depth: Int
    ) {
        var path = origin
        while path < range.upperBound, !isAuthorityEnd(byte(path)) { path += 1 }
        scanAuthority(origin..<path)
        var query = path
        while query < range.upperBound, byte(query) != UInt8(ascii: "?"),
            byte(query) != UInt8(ascii: "#")
        { query += 1 }
        var inner = TextContext()
        inner.place = .path
        scanText(path..<query, inner)
        if query < range.upperBound { scanPairs(query + 1..<range.upperBound, inner, depth: depth) }
    }

    private func isAuthorityEnd(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#")
    }

    /// RFC 3986 section 3.2: user information before the last `@`, then host and port.
    mutating func scanAuthority(_ range: Range<Int>) {
        var host = range.lowerBound
        for index in range where byte(index) == UInt8(ascii: "@") { host = index + 1 }
        if host > range.lowerBound + 1 { add(range.lowerBound..<host - 1, .credential) }
        findInternetAddresses(host..<range.upperBound, TextContext())
    }
}
