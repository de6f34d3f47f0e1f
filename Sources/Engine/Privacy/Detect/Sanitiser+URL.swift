public import Bytes

// URLs: no user information, no fragment, of the query what somebody declared harmless, and no personal
// data in what is left.

extension Sanitiser {
    /// Appends the reduced form of a URL in plain UTF-8, at most `limit` bytes; longer ones lose
    /// parameters as a whole, then the path's end, never half an escape.
    ///
    /// Campaign parameters stay, click identifiers if the policy says so, and those that `keeps` names;
    /// a parameter that holds personal data goes all the same. `Findings.parametersRemoved` counts
    /// those that went, `isShortened` tells that the limit was reached.
    public mutating func append(
        url: ByteView,
        policy: SanitisePolicy,
        limit: Int,
        into output: inout ByteBuffer,
        keeps: (ByteView) -> Bool
    ) -> Findings {
        begin(policy)
        let start = output.count
        isRewritten = false
        appendParts(url, start + limit, into: &output, keeps)
        if isRewritten { settle(from: start, start + limit, in: &output, keeps) }
        return findings
    }

    private mutating func appendParts(
        _ url: ByteView,
        _ limit: Int,
        into output: inout ByteBuffer,
        _ keeps: (ByteView) -> Bool
    ) {
        let parts = URLParts(url)
        countHidden(url, parts)
        guard appendOrigin(url, parts, into: &output) else { return }
        appendPath(url[parts.path], limit, into: &output)
        appendQuery(url[parts.query], limit, into: &output, keeps)
    }

    /// Where no page's address was, what is gone, or stands for it, may bring other parts together: all is
    /// read again until it stays as it is. What does not is not kept.
    private mutating func settle(
        from start: Int,
        _ limit: Int,
        in output: inout ByteBuffer,
        _ keeps: (ByteView) -> Bool
    ) {
        for _ in 1..<Self.roundsMaximum {
            whole.reset()
            whole.append(output.view[start..<output.count])
            output.truncate(to: start)
            appendParts(whole.view, limit, into: &output, keeps)
            if output.view[start..<output.count].equals(whole.view) { return }
        }
        output.truncate(to: start)
        findings.add(.unscanned)
    }

    /// Appends the path of a URL alone, sanitised: no origin, no query, no fragment.
    public mutating func append(
        pathOf url: ByteView,
        policy: SanitisePolicy,
        limit: Int,
        into output: inout ByteBuffer
    ) -> Findings {
        begin(policy)
        let parts = URLParts(url)
        appendPath(url[parts.path], output.count + limit, into: &output)
        return findings
    }

    /// What goes unread is counted by class all the same, so that operators see what leaks.
    private mutating func countHidden(_ url: ByteView, _ parts: URLParts) {
        if !parts.userInformation.isEmpty { findings.add(.credential) }
        guard !parts.fragment.isEmpty else { return }
        let fragment = url[parts.fragment]
        guard fragment.firstIndex(of: UInt8(ascii: "=")) != nil || fragment[0] == 47 else { return }
        detector.scan(fragment, at: .path)
        for span in detector.spans { findings.add(span.personalClass) }
    }

    // MARK: - Origin

    /// False when nothing behind the scheme may be kept: only what has a host is a page's address.
    private mutating func appendOrigin(
        _ url: ByteView,
        _ parts: URLParts,
        into output: inout ByteBuffer
    ) -> Bool {
        for index in parts.scheme { output.append(asciiLowercase(url[index])) }
        guard parts.hasAuthority else { return parts.scheme.isEmpty }
        output.append("//")
        key.reset()
        let host = Self.withoutUsualPort(url[parts.host], scheme: url[parts.scheme])
        text.reset()
        for index in 0..<host.count { text.append(asciiLowercase(host[index])) }
        guard detector.scan(text.view, at: .freeText) else {
            output.append(text.view)
            return true
        }
        isRewritten = true
        rewrite(text.view, at: .freeText)
        output.append(once.view)
        return true
    }

    private static func withoutUsualPort(_ host: ByteView, scheme: ByteView) -> ByteView {
        var host = host
        if scheme.equalsIgnoringCase("http:") {
            while host.ends(with: ":80") { host = host[0..<host.count - 3] }
        } else if scheme.equalsIgnoringCase("https:") {
            while host.ends(with: ":443") { host = host[0..<host.count - 4] }
        }
        return host
    }

    // MARK: - Path

    private mutating func appendPath(
        _ path: ByteView,
        _ limit: Int,
        into output: inout ByteBuffer
    ) {
        key.reset()
        twice.reset()
        takeWithoutMatrix(path)
        if twice.count < path.count { isRewritten = true }
        text.reset()
        text.append(twice.view)
        if detector.scan(text.view, at: .path) {
            isRewritten = true
            rewrite(text.view, at: .path)
        } else {
            once.reset()
            once.append(text.view)
        }
        // What stands for a whole path must not be read as the end of its host.
        if path.starts(with: "/"), !once.view.starts(with: "/"), output.count < limit {
            output.append(UInt8(ascii: "/"))
        }
        let room = max(0, limit - output.count)
        let length = Self.escapedPrefixLength(once.view, limit: room)
        if length < once.count { findings.isShortened = true }
        output.append(once.view[0..<length])
    }

    /// Matrix parameters (RFC 3986 section 3.3) are undeclared parameters like any other.
    private mutating func takeWithoutMatrix(_ path: ByteView) {
        var position = 0
        while let start = path.firstIndex(of: UInt8(ascii: ";"), from: position) {
            let end = path.firstIndex(of: UInt8(ascii: "/"), from: start) ?? path.count
            let pair = path[start..<end]
            twice.append(path[position..<start])
            if pair.firstIndex(of: UInt8(ascii: "=")) != nil {
                findings.parametersRemoved += 1
            } else {
                twice.append(pair)
            }
            position = end
        }
        twice.append(path[position..<path.count])
    }

    /// The longest front of at most `limit` bytes that cuts neither a character nor an escape.
    private static func escapedPrefixLength(_ path: ByteView, limit: Int) -> Int {
        var length = JSONText.plainPrefixLength(path, limit: limit)
        guard length < path.count else { return length }
        for back in 1...2 where length >= back && path[length - back] == UInt8(ascii: "%") {
            length -= back
            break
        }
        return length
    }

    // MARK: - Query

    private mutating func appendQuery(
        _ query: ByteView,
        _ limit: Int,
        into output: inout ByteBuffer,
        _ keeps: (ByteView) -> Bool
    ) {
        var separator = UInt8(ascii: "?")
        var start = 0
        while start < query.count {
            let end = query.firstIndex(of: UInt8(ascii: "&"), from: start) ?? query.count
            let pair = query[start..<end]
            start = end + 1
            if pair.isEmpty { continue }
            guard isKept(pair, keeps) else {
                findings.parametersRemoved += 1
                continue
            }
            guard output.count + pair.count + 1 <= limit else {
                findings.isShortened = true
                continue
            }
            output.append(separator)
            output.append(pair)
            separator = UInt8(ascii: "&")
        }
    }

    private mutating func isKept(_ pair: ByteView, _ keeps: (ByteView) -> Bool) -> Bool {
        let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.count
        let name = pair[0..<equals]
        if ClickIdentifiers.holds(name) { return policy.keepsClickIDs }
        // What hands a visitor on to another host of the owner's is for that host's script alone,
        // whatever a site's settings list.
        if name.equals("_hg") { return false }
        guard name.starts(with: "utm_") || name.equals("_hgl") || keeps(name) else { return false }
        guard equals < pair.count else { return true }
        // Pieces behind semicolons would be parameters of their own to other readers.
        detector.scan(pair[equals + 1..<pair.count], at: .queryValue, key: name)
        for span in detector.spans { findings.add(span.personalClass) }
        return detector.spans.isEmpty
    }
}

extension ByteView {
    fileprivate func ends(with literal: StaticString) -> Bool {
        let suffix = ByteView(literal)
        return count >= suffix.count && self[count - suffix.count..<count].equals(suffix)
    }
}
