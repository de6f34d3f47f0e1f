import Bytes

// Dates of birth, where they were announced.

extension TextScanner {
    /// Whether a number's groups make a date: in any order, also eight digits in a row.
    func isDate(_ run: NumberRun) -> Bool {
        if run.groups == 1 { return isPackedDate(run) }
        guard run.groups == 3 else { return false }
        let (first, second, third) = (
            value(run.first), value(run.first + 1), value(run.last)
        )
        let counts = (
            groups[run.first].count, groups[run.first + 1].count, groups[run.last].count
        )
        guard counts.1 <= 2 else { return false }
        if counts.0 == 4, counts.2 <= 2 { return isYear(first) && isDayAndMonth(second, third) }
        guard counts.0 <= 2, counts.2 == 4 || counts.2 == 2 else { return false }
        return (counts.2 == 2 || isYear(third)) && isDayAndMonth(first, second)
    }

    private func isPackedDate(_ run: NumberRun) -> Bool {
        guard run.digits == 8 || run.digits == 6 else { return false }
        let start = run.start
        if run.digits == 6 {
            return isDayAndMonth(two(start), two(start + 2))
                || isDayAndMonth(two(start + 2), two(start + 4))
        }
        let leading = two(start) * 100 + two(start + 2)
        if isYear(leading), isDayAndMonth(two(start + 4), two(start + 6)) { return true }
        return isYear(two(start + 4) * 100 + two(start + 6))
            && isDayAndMonth(two(start), two(start + 2))
    }

    private func two(_ index: Int) -> Int { Int(byte(index) - 48) * 10 + Int(byte(index + 1) - 48) }

    private func value(_ group: Int) -> Int {
        groups[group].count > 4
            ? Int.max
            : (groups[group].start..<groups[group].end).reduce(0) { $0 * 10 + Int(byte($1) - 48) }
    }

    /// Someone born then may live.
    private func isYear(_ year: Int) -> Bool { (1890...2039).contains(year) }

    private func isDayAndMonth(_ left: Int, _ right: Int) -> Bool {
        (1...12).contains(left) && (1...31).contains(right)
            || (1...12).contains(right) && (1...31).contains(left)
    }

    /// `12 April 1985`, `April 12, 1985`, `1985年4月12日`: a month between digits, announced.
    mutating func findWrittenDates(_ range: Range<Int>, _ context: TextContext) {
        guard tokens.count >= 2 else { return }
        for index in 0..<tokens.count where month(index) != 0 {
            steps += 1
            guard let date = writtenDate(index), !isFound(date) else { continue }
            if announced(at: date.lowerBound, context).strong.has(.birthDate) {
                add(date, .birthDate)
            }
        }
    }

    private func month(_ index: Int) -> UInt8 {
        let token = tokens[index]
        if token.kind == .unspaced {
            return token.letters == 1 && index > 0 && isEastAsian(index) ? 13 : 0
        }
        return token.kind == .word ? words.single(token.hash)?.month ?? 0 : 0
    }

    /// `年` or `년` behind a year.
    private func isEastAsian(_ index: Int) -> Bool {
        let start = Int(tokens[index].start)
        return (matches("年", at: start) || matches("년", at: start))
            && tokens[index - 1].kind == .digits && tokens[index - 1].letters == 4
    }

    private func writtenDate(_ index: Int) -> Range<Int>? {
        var (first, last) = (index, index)
        while first > 0, index - first < 3, isDatePart(first - 1, first) { first -= 1 }
        while last + 1 < tokens.count, last - index < 5, isDatePart(last + 1, last + 1) {
            last += 1
        }
        while first < index, tokens[first].kind != .digits { first += 1 }
        while last > index, tokens[last].kind == .word { last -= 1 }
        var hasYear = false
        var numbers = 0
        for part in first...last where tokens[part].kind == .digits {
            numbers += 1
            if tokens[part].letters == 4 || numbers == 2 { hasYear = true }
        }
        guard numbers >= 2, hasYear else { return nil }
        return Int(tokens[first].start)..<Int(tokens[last].end)
    }

    /// Days, years, and the short words between them: *th, of, de, den, 月, 日*.
    private func isDatePart(_ index: Int, _ right: Int) -> Bool {
        let gap = tokens[right].start - tokens[right - 1].end
        guard gap <= 2 else { return false }
        let token = tokens[index]
        switch token.kind {
        case .digits: return token.letters <= 4 && token.letters != 3
        case .word: return token.letters <= 3 && words.single(token.hash)?.month ?? 0 == 0
        case .unspaced: return token.letters == 1
        }
    }
}
