import Bytes
import Glibc
import Units

/// Megabytes per second of the JSON cursor over texts such as beacons carry: to be read by people
/// who change the cursor, not asserted.
@main
enum Speed {
    static func main() {
        for (name, text) in [
            ("batch of 10", batch), ("page summary", summary), ("Cyrillic", cyrillic),
        ] {
            let bytes = Array(text.utf8)
            let best = (0..<7).map { _ in megabytesPerSecond(bytes) }.max() ?? 0
            print("\(name): \(bytes.count) bytes, \(Int(best)) MB/s")
        }
    }

    private static func megabytesPerSecond(_ bytes: [UInt8]) -> Double {
        let rounds = 40_000_000 / bytes.count
        let start = TimeSource.real.monotonicNanoseconds()
        var good = 0
        bytes.withUnsafeBytes { buffer in
            for _ in 0..<rounds { good += isAccepted(ByteView(buffer)) ? 1 : 0 }
        }
        let nanoseconds = TimeSource.real.monotonicNanoseconds() - start
        guard good == rounds else { return 0 }
        return Double(rounds * bytes.count) * 1000 / Double(nanoseconds)
    }

    @inline(never)
    private static func isAccepted(_ view: ByteView) -> Bool {
        var cursor = JSONCursor(view)
        do throws(JSONError) {
            _ = try cursor.skip()
            try cursor.end()
            return true
        } catch { return false }
    }

    /// Ten small custom events, about 1.3 KB.
    private static let batch: String = {
        let events = (1...10).map { number in
            #"{"t":"cu","n":\#(number),"p":1,"o":\#(number * 137),"nm":"add_to_cart","#
                + #""pr":{"sku":"SKU-\#(1000 + number)","price":19.99,"qty":2,"list":"summer"}}"#
        }
        return #"{"v":1,"k":"hg_demo","b":"b-0192f3a4-7c1d","w":"w7Kq2","a":"u_5f1c9a0e7b","#
            + #""s":"s_77","c":63,"st":1760000000000,"e":["#
            + events.joined(separator: ",") + "]}"
    }()

    /// A page summary: short keys, many numbers.
    private static let summary =
        #"{"v":1,"k":"hg_demo","b":"b-1","w":"w7Kq2","a":"u_5f1c9a0e7b","s":"s_77","c":63,"#
        + #""st":1760000000000,"e":[{"t":"ps","n":7,"p":3,"o":15230,"ac":12100,"sc":[0.12,0.55,"#
        + #"0.91,1.0],"sv":{"n":42,"m":812.5,"s":120.25},"cu":{"n":310,"e":0.93,"d":48211},"#
        + #""se":[{"i":"hero","m":3200,"v":2},{"i":"pricing","m":5400,"v":3},{"i":"faq","m":900,"#
        + #""v":1}],"ck":{"n":4,"r":0,"d":1},"fm":{"n":3,"f":0.66,"h":2},"kb":{"n":24,"m":182.1},"#
        + #""hv":{"buy":640,"demo":120},"tb":1,"er":false}]}"#

    private static let cyrillic =
        #"{"nm":"добавить в корзину","pr":{"название":"Летняя коллекция, рубашка льняная","n":1}}"#
}
