// Goal: a secret cannot be printed by accident. Method: every road from a value to text that Swift
// has, on the secret and on a struct, an array and an optional that hold it.
import Telemetry
import Testing

private struct Holder {
    let password = Secret("hunter2")
    let inner: Secret? = Secret("hunter2")
    let list = [Secret("hunter2")]
}

@Suite struct SecretLeakTests {
    private func roads<Value>(_ value: Value) -> [String] {
        var dumped = ""
        dump(value, to: &dumped)
        var printed = ""
        print(value, to: &printed)
        return [
            dumped, printed, "\(value)", String(describing: value), String(reflecting: value),
            "\(Mirror(reflecting: value).children.map { "\($0)" })",
        ]
    }

    @Test func noRoadLeadsToTheText() {
        for road in roads(Secret("hunter2")) + roads(Holder()) + roads([Secret("hunter2")]) {
            #expect(!road.contains("hunter2"))
        }
    }

    @Test func whoAsksGetsIt() {
        #expect(Secret("hunter2").expose { $0.count } == 7)
    }
}
