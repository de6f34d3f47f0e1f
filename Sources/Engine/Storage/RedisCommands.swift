public import Bytes

/// Commands as Redis reads them: vectors of arguments with their lengths, written straight into the
/// buffer that is sent. No text is parsed again, so no value can become a command.
extension ByteBuffer {
    /// Begins a command of `count` arguments, its name included.
    mutating func command(_ count: Int) {
        append(UInt8(ascii: "*"))
        append(decimal: Int64(count))
        append("\r\n")
    }

    private mutating func length(_ count: Int) {
        append(UInt8(ascii: "$"))
        append(decimal: Int64(count))
        append("\r\n")
    }

    mutating func argument(_ bytes: ByteView) {
        length(bytes.count)
        append(bytes)
        append("\r\n")
    }

    mutating func argument(_ literal: StaticString) { argument(ByteView(literal)) }

    /// For cold paths.
    mutating func argument(text: String) {
        length(text.utf8.count)
        append(text: text)
        append("\r\n")
    }

    mutating func argument(decimal number: Int64) {
        length(Decimal.digits(number))
        append(decimal: number)
        append("\r\n")
    }

    /// A number from 0 to `UInt32.max` with `places` digits behind the point.
    mutating func argument(fixed number: Double, places: Int) {
        length(Decimal.length(fixed: number, places: places))
        append(fixed: number, places: places)
        append("\r\n")
    }

    /// Appends a number with `places` digits behind the point; what is no number counts as 0.
    public mutating func append(fixed number: Double, places: Int) {
        let scaled = Decimal.scaled(number, places)
        let unit = Decimal.unit(places)
        append(decimal: scaled / unit)
        append(UInt8(ascii: "."))
        var rest = scaled % unit
        var divisor = unit / 10
        while divisor > 0 {
            append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest / divisor))
            rest %= divisor
            divisor /= 10
        }
    }

    /// Begins a key such as `hg:demo:v:{visitor}`; the parts follow with `append`.
    mutating func key(
        _ prefix: ByteView,
        _ site: ByteView,
        _ middle: StaticString,
        _ last: ByteView,
        _ end: StaticString
    ) {
        let middle = ByteView(middle)
        let end = ByteView(end)
        length(prefix.count &+ 3 &+ site.count &+ middle.count &+ last.count &+ end.count)
        append(prefix)
        append("hg:")
        append(site)
        append(middle)
        append(last)
        append(end)
        append("\r\n")
    }

    /// `hg:<site>:agg:<minutes since 1970>`.
    mutating func minuteKey(_ prefix: ByteView, _ site: ByteView, _ minute: UInt32) {
        let digits = Decimal.digits(Int64(minute))
        length(prefix.count &+ 3 &+ site.count &+ 5 &+ digits)
        append(prefix)
        append("hg:")
        append(site)
        append(":agg:")
        append(decimal: Int64(minute))
        append("\r\n")
    }

    /// `hg:pos:<partition>`.
    mutating func positionKey(_ prefix: ByteView, _ partition: Int) {
        length(prefix.count &+ 7 &+ Decimal.digits(Int64(partition)))
        append(prefix)
        append("hg:pos:")
        append(decimal: Int64(partition))
        append("\r\n")
    }
}

/// How long numbers are when written in decimal.
enum Decimal {
    static func digits(_ number: Int64) -> Int {
        var count = number < 0 ? 2 : 1
        var rest = number.magnitude / 10
        while rest > 0 {
            count &+= 1
            rest /= 10
        }
        return count
    }

    static func unit(_ places: Int) -> Int64 {
        var unit: Int64 = 1
        for _ in 0..<places { unit &*= 10 }
        return unit
    }

    static func scaled(_ number: Double, _ places: Int) -> Int64 {
        guard number > 0 else { return 0 }
        return Int64((min(number, 4_294_967_295) * Double(unit(places))).rounded())
    }

    static func length(fixed number: Double, places: Int) -> Int {
        digits(scaled(number, places) / unit(places)) &+ 1 &+ places
    }
}
