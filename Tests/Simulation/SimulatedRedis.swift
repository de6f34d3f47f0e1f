import Bytes
import CHiredis
import TestSupport

@testable import Storage

/// A Redis in memory that knows the commands of the live model, and forgets when told to.
final class SimulatedRedis {
    /// What a server may do wrong on purpose, so that a test can see the judge find it.
    enum Plant {
        case none
        /// Every position is said to be where the writer left it.
        case claimsToHaveLostNothing
    }

    struct Content {
        var hashes: [String: [String: [UInt8]]] = [:]
        var texts: [String: String] = [:]
        var ranks: [String: [String: Double]] = [:]
    }

    var content = Content()
    /// What the server would come back with after a crash.
    var saved = Content()
    var isUp = true
    var plant = Plant.none
    private(set) var problem: String?
    private(set) var commands = 0
    /// What was last written under each name, whatever was lost since; for `plant`.
    private var written: [String: String] = [:]

    /// Comes back with what was saved last.
    func crash() { content = saved }

    func save() { saved = content }

    func flushAll() { content = Content() }

    /// Executes one command and returns the answer's bytes.
    func execute(_ arguments: [[UInt8]]) -> String {
        commands += 1
        let words = arguments.map { String(decoding: $0, as: UTF8.self) }
        switch words[0] {
        case "HSET": return set(hash: words, arguments)
        case "PEXPIRE", "EXPIREAT", "PUBLISH": return ":1\r\n"
        case "UNLINK":
            for key in words.dropFirst() { content.hashes[key] = nil }
            return ":1\r\n"
        case "SET": return set(text: words)
        case "MGET": return array(words.dropFirst().map { held($0).map { Array($0.utf8) } })
        case "HMGET":
            return array(words.dropFirst(2).map { content.hashes[words[1]]?[$0] })
        default: return rank(words)
        }
    }

    private func set(hash words: [String], _ arguments: [[UInt8]]) -> String {
        for field in stride(from: 2, to: words.count, by: 2) {
            content.hashes[words[1], default: [:]][words[field]] = arguments[field + 1]
        }
        return ":0\r\n"
    }

    /// SET with NX or XX, and GET.
    private func set(text words: [String]) -> String {
        let (key, options) = (words[1], words.dropFirst(3))
        let found = held(key)
        let mayWrite =
            options.contains("NX")
            ? content.texts[key] == nil : !options.contains("XX") || content.texts[key] != nil
        if mayWrite || plant != .none {
            content.texts[key] = words[2]
            written[key] = words[2]
        }
        if options.contains("GET") { return bulk(found.map { Array($0.utf8) }) }
        return mayWrite ? "+OK\r\n" : "$-1\r\n"
    }

    private func held(_ key: String) -> String? {
        plant == .claimsToHaveLostNothing ? written[key] : content.texts[key]
    }

    private func rank(_ words: [String]) -> String {
        switch words[0] {
        case "ZADD":
            let isUpdate = words[2] == "XX"
            let (score, member) = (words[words.count - 2], words[words.count - 1])
            if isUpdate, content.ranks[words[1]]?[member] == nil { return ":0\r\n" }
            content.ranks[words[1], default: [:]][member] = Double(score) ?? 0
        case "ZREM": content.ranks[words[1]]?[words[2]] = nil
        case "ZRANGE", "ZREMRANGEBYRANK": return range(words)
        default: problem = "the simulated Redis does not know \(words[0])"
        }
        return ":1\r\n"
    }

    private func range(_ words: [String]) -> String {
        let ranks = content.ranks[words[1]] ?? [:]
        let all = ranks.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
        let (first, last) = (place(words[2], all.count), place(words[3], all.count))
        let chosen = first <= last ? all.indices.filter { $0 >= first && $0 <= last } : []
        if words[0] == "ZREMRANGEBYRANK" {
            for index in chosen { content.ranks[words[1]]?[all[index].key] = nil }
            return ":\(chosen.count)\r\n"
        }
        let withScores = words.contains("WITHSCORES")
        return array(
            chosen.flatMap { index in
                [Array(all[index].key.utf8)]
                    + (withScores ? [Array("\(all[index].value)".utf8)] : [])
            }
        )
    }

    private func place(_ word: String, _ count: Int) -> Int {
        let number = Int(word) ?? 0
        return number < 0 ? count + number : number
    }

    // MARK: - Answers

    private func bulk(_ bytes: [UInt8]?) -> String {
        guard let bytes else { return "$-1\r\n" }
        // Latin-1 keeps every byte one character; `answer` turns it back.
        return "$\(bytes.count)\r\n" + String(bytes.map { Character(UnicodeScalar($0)) }) + "\r\n"
    }

    private func array(_ elements: [[UInt8]?]) -> String {
        "*\(elements.count)\r\n" + elements.map(bulk).joined()
    }
}

/// One worker's connection to the simulated Redis: answers when the simulation says so, and loses
/// answers when it says so.
final class SimulatedPipe: RedisPipe {
    var onEvent: (RedisPipeEvent) -> Void = { _ in }
    var onReply: (UnsafeMutablePointer<RedisReply>) -> Void = { _ in }
    var onProblem: (String) -> Void = { _ in }

    private let server: SimulatedRedis
    private var isOpen = false
    private(set) var isReady = false
    /// Commands that were sent and not executed.
    private var waiting: [[[UInt8]]] = []
    private let reply = UnsafeMutablePointer<RedisReply>.allocate(capacity: 1)
    private let functions = UnsafeMutablePointer<redisReplyObjectFunctions>.allocate(capacity: 1)
    private let reader: UnsafeMutablePointer<redisReader>

    init(_ server: SimulatedRedis) {
        self.server = server
        reply.initialize(to: RedisReply())
        functions.initialize(to: RedisReplyFunctions.make())
        reader = redisReaderCreateWithFunctions(functions)
        reader.pointee.privdata = UnsafeMutableRawPointer(reply)
    }

    deinit {
        redisReaderFree(reader)
        reply.deinitialize(count: 1)
        reply.deallocate()
        functions.deallocate()
    }

    func start() { isOpen = true }

    func close() {
        isOpen = false
        isReady = false
        waiting = []
        onEvent = { _ in }
        onReply = { _ in }
    }

    func expectAnswer(_ isExpected: Bool) {}

    func abort(_ reason: String) { lose() }

    func send(_ commands: inout ByteBuffer) {
        let bytes = Array(commands.view.buffer)
        commands.reset()
        var position = 0
        while position < bytes.count { waiting.append(Self.command(bytes, &position)) }
    }

    private static func command(_ bytes: [UInt8], _ position: inout Int) -> [[UInt8]] {
        (0..<number(bytes, &position)).map { _ in
            let length = number(bytes, &position)
            defer { position += length + 2 }
            return Array(bytes[position..<position + length])
        }
    }

    /// The number in a line such as `*3` or `$12`.
    private static func number(_ bytes: [UInt8], _ position: inout Int) -> Int {
        position += 1
        var value = 0
        while bytes[position] != UInt8(ascii: "\r") {
            value = value * 10 + Int(bytes[position] - UInt8(ascii: "0"))
            position += 1
        }
        position += 2
        return value
    }

    // MARK: - What the simulation decides

    var isWaiting: Bool { !waiting.isEmpty }

    /// Connects, or answers the first `count` commands.
    func turn(answering count: Int) {
        guard isOpen else { return }
        guard server.isUp else { return lose() }
        guard isReady else {
            isReady = true
            return onEvent(.ready)
        }
        for _ in 0..<min(count, waiting.count) {
            // An answer may have ended the connection.
            guard isReady, !waiting.isEmpty else { return }
            answer(server.execute(waiting.removeFirst()))
        }
    }

    /// The server executes the first `count` commands, and nobody hears of it.
    func swallow(_ count: Int) {
        for command in waiting.prefix(count) { _ = server.execute(command) }
        lose()
    }

    func lose() {
        waiting = []
        guard isReady else { return }
        isReady = false
        onEvent(.lost)
    }

    private func answer(_ text: String) {
        let bytes = text.unicodeScalars.map { CChar(truncatingIfNeeded: Int($0.value)) }
        var found: UnsafeMutableRawPointer?
        redisReaderFeed(reader, bytes, bytes.count)
        guard redisReaderGetReply(reader, &found) == REDIS_OK, found != nil else { return lose() }
        onReply(reply)
        reply.pointee.reset()
    }
}
