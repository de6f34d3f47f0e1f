import Admission
import Bytes
import Delivery
import Privacy
import Records
import Settings
import Telemetry
import Wire

/// What visitors wrote, on its way into the slice: personal data is taken out here, before the journal, and
/// what platforms may know of it is sealed.
extension BeaconRoute {
    /// The name of a custom event, escapes resolved; it is stored apart from the properties.
    mutating func name(of event: borrowing BeaconEventReader) throws(EventRefusal) -> ByteView {
        guard event.kind == .custom else { return .empty }
        for index in 0..<event.fieldCount {
            let field = event.field(index)
            guard EventSchema.isName(event.kind, field.key), field.kind == .string else { continue }
            let raw = field.value[1..<field.value.count - 1]
            // Storable before it is unescaped: PostgreSQL's text has no NUL either.
            scrubbed.reset()
            JSONText.appendStorable(value: raw, into: &scrubbed)
            unescaped.reset()
            JSONText.unescape(scrubbed.view, into: &unescaped)
            text.reset()
            let found = sanitiser.append(
                text: unescaped.view,
                at: .freeText,
                policy: policy,
                into: &text
            )
            findings.add(found)
            let length = JSONText.plainPrefixLength(text.view, limit: Limits.nameBytesMaximum)
            if length > 0 { return text.view[0..<length] }
        }
        throw EventRefusal(problem: .eventFieldMissing)
    }

    mutating func writeOther(
        _ field: EventField,
        _ kind: EventKind,
        _ rule: FieldRule
    ) throws(EventRefusal) {
        if field.value.count > rule.bytesMaximum {
            throw EventRefusal(problem: .eventPropertiesExceeded)
        }
        switch field.kind {
        case .object: try writeObject(field, kind)
        case .array where holdsText(field.value):
            findings.add(Self.append(field, &sanitiser, policy, into: &writer.buffer))
        default: JSONText.appendStorable(value: field.value, into: &writer.buffer)
        }
    }

    /// Measures are numbers; only what has quotes in it can be anybody's words.
    private func holdsText(_ array: ByteView) -> Bool {
        array.firstIndex(of: UInt8(ascii: "\"")) != nil
    }

    private static func append(
        _ field: EventField,
        _ sanitiser: inout Sanitiser,
        _ policy: SanitisePolicy,
        into output: inout ByteBuffer
    ) -> Findings {
        sanitiser.append(
            value: field.value,
            kind: field.kind,
            key: .empty,
            policy: policy,
            into: &output
        )
    }

    private mutating func writeObject(
        _ field: EventField,
        _ kind: EventKind
    ) throws(EventRefusal) {
        guard PropertyCount.isWithinLimit(field.value) else {
            throw EventRefusal(problem: .eventPropertiesExceeded)
        }
        if kind == .identify { return writeTraits(field.value) }
        guard let rule = self.rule else {
            return findings.add(Self.append(field, &sanitiser, policy, into: &writer.buffer))
        }
        scrubbed.reset()
        findings.add(Self.append(field, &sanitiser, policy, into: &scrubbed))
        do {
            try PropertyCheck.append(
                scrubbed.view,
                rule: rule,
                of: sites.rules,
                into: &writer.buffer
            )
            self.rule = nil
        } catch {
            throw EventRefusal(problem: BeaconProblems.problem(of: error))
        }
    }

    /// What describes a person is left out of the row; platforms have got its hashes already.
    private mutating func writeTraits(_ traits: ByteView) {
        writer.buffer.append(UInt8(ascii: "{"))
        let found = sanitiser.appendMembers(
            of: traits,
            .person,
            policy: policy,
            into: &writer.buffer
        )
        findings.add(found)
        writer.buffer.append(UInt8(ascii: "}"))
    }

    mutating func writeString(
        _ raw: ByteView,
        _ key: ByteView,
        _ kind: EventKind,
        _ rule: FieldRule
    ) {
        let length = JSONText.prefixLength(raw, limit: rule.bytesMaximum)
        if length < raw.count { tally.textsShortened += 1 }
        writer.buffer.append(UInt8(ascii: "\""))
        if let place = Self.place(kind, key) {
            let found = sanitiser.append(
                rawText: raw[0..<length],
                at: place,
                policy: policy,
                into: &writer.buffer
            )
            findings.add(found)
        } else {
            JSONText.appendStorable(value: raw[0..<length], into: &writer.buffer)
        }
        writer.buffer.append(UInt8(ascii: "\""))
    }

    /// Where a text of the SDK's own fields stands; nil for words that the SDK chooses itself.
    private static func place(_ kind: EventKind, _ key: ByteView) -> TextPlace? {
        switch kind {
        case .pageView: return key.equals("ti") ? .title : nil
        case .click, .form: return .freeText
        case .identify: return .propertyValue
        case .consent: return key.equals("src") ? .freeText : nil
        case .pageSummary, .navigation, .custom: return nil
        }
    }

    mutating func writeURL(
        _ raw: ByteView,
        _ rule: FieldRule,
        _ site: Int,
        isReferrer: Bool
    ) {
        text.reset()
        JSONText.unescape(raw, into: &text)
        scrubbed.reset()
        if rule.treatment == .path {
            let found = sanitiser.append(
                pathOf: text.view,
                policy: policy,
                limit: rule.bytesMaximum,
                into: &scrubbed
            )
            take(found)
        } else {
            if sealing.isAllowed, !isReferrer { sealer.noteClick(in: text.view) }
            let sites = sites
            let found = sanitiser.append(
                url: text.view,
                policy: policy,
                limit: rule.bytesMaximum,
                into: &scrubbed
            ) { sites.keeps(parameter: $0, site: site) }
            take(found)
        }
        let stored = scrubbed.view
        if isReferrer { pageReferrer.append(stored) } else { pageURL.append(stored) }
        text.reset()
        JSONText.appendQuoted(stored, into: &text)
        JSONText.appendStorable(value: text.view, into: &writer.buffer)
    }

    private mutating func take(_ found: Findings) {
        if found.isShortened { tally.textsShortened += 1 }
        findings.add(found)
    }

    /// Which kinds of personal data were taken out, by name, so that an operator can find the page
    /// that leaks without seeing what it leaked.
    mutating func writeFindings() {
        guard !findings.isEmpty else { return }
        tally.findings.add(findings)
        if findings.isSensitive { writer.markEvent(.sensitive) }
        writer.buffer.appendNames(of: findings)
    }
}

extension ByteBuffer {
    /// Appends the classes of what was found as the last member of an object that is not yet closed.
    mutating func appendNames(of findings: Findings) {
        let isFirst = count == 0 || view[count - 1] == UInt8(ascii: "{")
        append(isFirst ? "\"$pii\":\"" : ",\"$pii\":\"")
        var isNext = false
        for one in PersonalClass.allCases where findings.classes.has(one) {
            if isNext { append(",") }
            isNext = true
            append(one.name)
        }
        append("\"")
    }
}
