import Bytes

/// A run of digits and how it hangs together with the one before.
struct DigitGroup {
    var start: Int
    var end: Int
    /// What stands between it and the group before; 0 when that is no separator of one number.
    var separator: UInt8
    var touchesLetterBefore: Bool
    var touchesLetterBehind: Bool

    var count: Int { end - start }
}

// Numbers of digits alone: social security, cards, phones, and whatever was announced.

extension TextScanner {
    /// Groups that one number may have, and digits.
    private static let groupsMaximum = 9
    private static let digitsMaximum = 24

    mutating func findNumbers(_ range: Range<Int>, _ context: TextContext) {
        gatherGroups(range, context)
        var first = 0
        while first < groups.count {
            first = findNumber(first, range, context) ?? first + 1
        }
    }

    private mutating func gatherGroups(_ range: Range<Int>, _ context: TextContext) {
        groups.removeAll(keepingCapacity: true)
        for index in 0..<tokens.count where tokens[index].kind == .digits {
            let (start, end) = (Int(tokens[index].start), Int(tokens[index].end))
            groups.append(
                DigitGroup(
                    start: start,
                    end: end,
                    separator: separator(before: start, range, context),
                    touchesLetterBefore: start > range.lowerBound && isLetter(byte(start - 1)),
                    touchesLetterBehind: end < range.upperBound && isLetter(byte(end))
                )
            )
        }
    }

    private func isLetter(_ byte: UInt8) -> Bool { Characters.isLetter(byte) }

    /// At most three of space, dash, dot, slash, bracket and plus join two groups; 0 for anything
    /// else.
    private func separator(
        before start: Int,
        _ range: Range<Int>,
        _ context: TextContext
    ) -> UInt8 {
        guard let last = groups.last else { return 0 }
        let gap = start - last.end
        guard gap >= 1, gap <= 3 else { return 0 }
        var kind: UInt8 = 0
        for index in last.end..<start {
            let byte = byte(index)
            switch byte {
            case 32: if kind == 0 { kind = 32 }
            case UInt8(ascii: "+"):
                // A plus with something before it begins a number; alone it stands for a space.
                if gap > 1, index == start - 1, self.byte(index - 1) != 41 { return 0 }
                if kind == 0 { kind = 32 }
            case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "("), UInt8(ascii: ")"):
                kind = byte
            case UInt8(ascii: "/"):
                if context.isPath { return 0 }
                kind = byte
            default: return 0
            }
        }
        return kind
    }

    /// The longest number that begins with a group; returns the group behind it.
    private mutating func findNumber(
        _ first: Int,
        _ range: Range<Int>,
        _ context: TextContext
    ) -> Int? {
        if groups[first].touchesLetterBefore { return nil }
        var (last, count) = (first, groups[first].count)
        while last + 1 < groups.count, last - first + 1 < Self.groupsMaximum,
            groups[last + 1].separator != 0, count + groups[last + 1].count <= Self.digitsMaximum
        {
            last += 1
            count += groups[last].count
        }
        let announced = announced(at: groups[first].start, context)
        while last >= first {
            let run = NumberRun(groups, first, last)
            steps += last - first + 1
            if run.digits <= Self.digitsMaximum,
                let one = classify(run, announced.strong, announced.weak, context)
            {
                add(extended(run, one), one)
                return last + 1
            }
            last -= 1
        }
        return nil
    }

    /// A plus or an opening bracket belongs to the number.
    private func extended(_ run: NumberRun, _ one: PersonalClass) -> Range<Int> {
        var start = run.start
        if byte(start - 1) == UInt8(ascii: "(") { start -= 1 }
        if one == .phone, byte(start - 1) == UInt8(ascii: "+") { start -= 1 }
        return start..<run.end
    }

    // MARK: - What a number is

    private mutating func classify(
        _ run: NumberRun,
        _ strong: PersonalClasses,
        _ weak: PersonalClasses,
        _ context: TextContext
    ) -> PersonalClass? {
        if let last = groups[safe: run.last], last.touchesLetterBehind { return nil }
        if let one = socialSecurity(run, strong, weak) { return one }
        readDigits(run)
        if let one = card(run, strong, context) { return one }
        if isStrongNational(run) { return .nationalID }
        if let one = phoneByShape(run, context) { return one }
        if strong.has(.birthDate), isDate(run) { return .birthDate }
        if let one = announcedNumber(run, strong, weak) { return one }
        return nil
    }

    private mutating func readDigits(_ run: NumberRun) {
        digits.removeAll(keepingCapacity: true)
        for group in run.first...run.last {
            for index in groups[group].start..<groups[group].end { digits.append(byte(index) - 48) }
        }
    }

    /// By shape alone `ddd-dd-dddd`; announced in any writing. No value is too wrong to count.
    private func socialSecurity(
        _ run: NumberRun,
        _ strong: PersonalClasses,
        _ weak: PersonalClasses
    ) -> PersonalClass? {
        let isAnnounced =
            strong.has(.usSSN) || strong.has(.usITIN) || weak.has(.usSSN) || weak.has(.usITIN)
        if run.hasLengths(3, 2, 4) {
            let isDashed = run.separators(all: UInt8(ascii: "-"))
            guard isAnnounced || isDashed && isAlone(run) else { return nil }
            return strong.has(.usITIN) && !strong.has(.usSSN) ? .usITIN : .usSSN
        }
        if strong.has(.usEIN), run.digits == 9, run.groups == 1 || run.hasLengths(2, 7) {
            return .usEIN
        }
        guard isAnnounced, run.digits == 9 else { return nil }
        return strong.has(.usITIN) && !strong.has(.usSSN) ? .usITIN : .usSSN
    }

    /// Neither end hangs on a further number or code.
    private func isAlone(_ run: NumberRun) -> Bool {
        let (before, behind) = (byte(run.start - 1), byte(run.end))
        if before == UInt8(ascii: "-") || before == UInt8(ascii: ".") {
            if Characters.isDigit(byte(run.start - 2)) { return false }
            if before == UInt8(ascii: "-"), isCodeBefore(run.start - 2) { return false }
        }
        if behind == UInt8(ascii: "-") || behind == UInt8(ascii: ".") {
            if Characters.isAlphanumeric(byte(run.end + 1)) { return false }
        }
        return !Characters.isAlphanumeric(before) && !Characters.isAlphanumeric(behind)
            && behind != UInt8(ascii: "_") && before < 0x80
    }

    /// Whether the letters that end at `index` are part of a code with digits, as in a UUID.
    private func isCodeBefore(_ index: Int) -> Bool {
        var index = index
        while index >= 0, Characters.isLetter(byte(index)) { index -= 1 }
        return Characters.isDigit(byte(index))
    }

    /// Issuer and check digit; numbers of 13 digits are articles unless they were announced.
    private func card(
        _ run: NumberRun,
        _ strong: PersonalClasses,
        _ context: TextContext
    ) -> PersonalClass? {
        guard run.digits >= 12, run.digits <= 19 else { return nil }
        if strong.has(.card) {
            return run.digits >= 13 || CheckDigits.luhn(digits) ? .card : nil
        }
        guard run.digits > 13, isCardGrouping(run), CardNumbers.isValid(digits), isAlone(run) else {
            return nil
        }
        return .card
    }

    private func isCardGrouping(_ run: NumberRun) -> Bool {
        switch run.groups {
        case 1: return true
        case 3: return run.hasLengths(4, 6, 5) || run.hasLengths(4, 6, 4)
        case 4, 5:
            for group in run.first..<run.last where groups[group].count != 4 { return false }
            return groups[run.last].count <= 4
        default: return false
        }
    }

    /// Formats that nothing else has, with their check: Brazil, Switzerland, China.
    private func isStrongNational(_ run: NumberRun) -> Bool {
        if run.hasLengths(3, 3, 3), run.groups == 4, groups[run.last].count == 2,
            groups[run.last].separator == UInt8(ascii: "-"),
            groups[run.first + 1].separator == UInt8(ascii: ".")
        {
            return NationalNumbers.isTaxBR(digits)
        }
        if run.groups == 4, run.hasLengths(3, 4, 4), groups[run.last].count == 2,
            run.separators(all: UInt8(ascii: "."))
        {
            return NationalNumbers.isPensionCH(digits)
        }
        if run.groups == 1, run.digits == 18, isAlone(run) {
            return NationalNumbers.isResidentCN(digits.map { $0 + 48 })
        }
        return false
    }

    private func phoneByShape(_ run: NumberRun, _ context: TextContext) -> PersonalClass? {
        if hasPlus(run), (8...15).contains(run.digits), !isFraction(run) { return .phone }
        if context.key.isSafe, context.key.isEmpty { return nil }
        let offset = run.groups == 4 && groups[run.first].count == 1 && digits[0] == 1 ? 1 : 0
        guard run.groups == 3 + offset, run.digits == 10 + offset else { return nil }
        guard groups[run.first + offset].count == 3, groups[run.first + offset + 1].count == 3,
            isAlone(run)
        else { return nil }
        let (second, third) = (
            groups[run.first + offset + 1].separator, groups[run.last].separator
        )
        let dash = UInt8(ascii: "-")
        if second == dash, third == dash { return .phone }
        if second == UInt8(ascii: ")"), third == dash || third == UInt8(ascii: ".") || third == 32 {
            return .phone
        }
        let dot = UInt8(ascii: ".")
        let isPlausible = digits[offset] > 1 && digits[offset + 3] > 1
        return second == dot && third == dot && isPlausible ? .phone : nil
    }

    private func hasPlus(_ run: NumberRun) -> Bool {
        var index = run.start - 1
        if byte(index) == UInt8(ascii: "(") { index -= 1 }
        guard byte(index) == UInt8(ascii: "+") else { return false }
        return !Characters.isAlphanumeric(byte(index - 1)) || run.digits >= 10
    }

    /// `+1234.5678` is a number of mathematics.
    private func isFraction(_ run: NumberRun) -> Bool {
        run.groups == 2 && groups[run.last].separator == UInt8(ascii: ".")
            && groups[run.last].count > 4
    }

    /// What was announced, whatever its writing.
    private func announcedNumber(
        _ run: NumberRun,
        _ strong: PersonalClasses,
        _ weak: PersonalClasses
    ) -> PersonalClass? {
        if strong.has(.phone) || weak.has(.phone), isDialled(run) { return .phone }
        if strong.has(.nationalID), (6...18).contains(run.digits) { return .nationalID }
        if weak.has(.nationalID), NationalNumbers.isValid(digits.map({ $0 + 48 })) {
            return .nationalID
        }
        if strong.has(.passport), (6...12).contains(run.digits) { return .passport }
        if strong.has(.driverLicence), (6...16).contains(run.digits) { return .driverLicence }
        if strong.has(.ukNINO), run.digits >= 6 { return .ukNINO }
        if strong.has(.iban), (8...24).contains(run.digits) { return .iban }
        return nil
    }

    /// 7 to 15 digits (E.164, with a prefix 17) that are no date and no sum of money.
    private func isDialled(_ run: NumberRun) -> Bool {
        guard (7...17).contains(run.digits), run.groups <= 8 else { return false }
        if run.hasLengths(4, 2, 2), run.groups >= 3, digits[0] == 1 || digits[0] == 2 {
            return false
        }
        if run.groups == 2, groups[run.last].separator == UInt8(ascii: "."),
            groups[run.last].count <= 2
        {
            return false
        }
        return byte(run.end) != UInt8(ascii: ":") && byte(run.start - 1) != UInt8(ascii: ":")
            || run.digits >= 9 || byte(run.start - 1) == UInt8(ascii: ":")
    }
}

/// Neighbouring groups taken as one number.
struct NumberRun {
    let first: Int
    let last: Int
    let start: Int
    let end: Int
    let digits: Int
    private let lengths: (Int, Int, Int)
    private let separator: UInt8

    var groups: Int { last - first + 1 }

    init(_ groups: [DigitGroup], _ first: Int, _ last: Int) {
        (self.first, self.last) = (first, last)
        (start, end) = (groups[first].start, groups[last].end)
        var (sum, common): (Int, UInt8) = (groups[first].count, 0)
        for index in first..<last {
            sum += groups[index + 1].count
            let separator = groups[index + 1].separator
            common = common == 0 || common == separator ? separator : 255
        }
        (digits, separator) = (sum, common)
        lengths = (
            groups[first].count, first < last ? groups[first + 1].count : 0,
            first + 1 < last ? groups[first + 2].count : 0
        )
    }

    /// Whether there are groups of these lengths, and no others; a fourth is not looked at.
    func hasLengths(_ first: Int, _ second: Int, _ third: Int = 0) -> Bool {
        guard lengths == (first, second, third) else { return false }
        if first == 3, second == 2 || second == 7 { return groups == 3 }
        return third > 0 ? groups >= 3 : groups == 2
    }

    /// Whether all separators are the same.
    func separators(all one: UInt8) -> Bool { separator == one }
}

extension [DigitGroup] {
    fileprivate subscript(safe index: Int) -> DigitGroup? {
        indices.contains(index) ? self[index] : nil
    }
}
