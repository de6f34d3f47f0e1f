import Bytes
import CHiredis

/// One answer of Redis, in memory that is reused: hiredis reports its parts through the functions
/// below instead of building a tree of objects.
struct RedisReply: ~Copyable {
    enum Kind {
        case none, null, status, integer, text, array, error
    }

    private(set) var kind = Kind.none
    private(set) var integer: Int64 = 0
    private var bytes = ByteBuffer(
        capacity: 16 * 1024,
        limit: StorageLimits.liveReplyBytesMaximum
    )
    private(set) var elementCount = 0

    mutating func reset() {
        kind = .none
        elementCount = 0
        bytes.reset()
    }

    fileprivate mutating func take(_ kind: Kind, isElement: Bool) {
        if !isElement { self.kind = kind }
    }

    fileprivate mutating func take(integer: Int64) { self.integer = integer }

    /// Elements are kept one behind the other, each with its length; -1 is null.
    fileprivate mutating func take(element: ByteView?) {
        elementCount &+= 1
        bytes.append(littleEndian: Int32(truncatingIfNeeded: element?.count ?? -1))
        if let element { bytes.append(element) }
    }

    /// Calls `body` with each element of an array, or with the one text of a plain answer. Calls it
    /// for nothing when the answer was larger than the limit.
    func forEachElement(_ body: (Int, ByteView?) -> Void) {
        if bytes.overflowed { return }
        let view = bytes.view
        var position = 0
        for index in 0..<elementCount {
            let length = Int(view.load(Int32.self, at: position))
            position += 4
            if length < 0 {
                body(index, nil)
            } else {
                body(index, view[position..<position + length])
                position += length
            }
        }
    }

    /// The first text of the answer.
    func withText<Result>(_ body: (ByteView?) -> Result) -> Result {
        guard elementCount > 0, !bytes.overflowed else { return body(nil) }
        let view = bytes.view
        let length = Int(view.load(Int32.self, at: 0))
        return body(length < 0 ? nil : view[4..<4 + length])
    }
}

private func reply(_ task: UnsafePointer<redisReadTask>?) -> UnsafeMutablePointer<RedisReply>? {
    task?.pointee.privdata?.assumingMemoryBound(to: RedisReply.self)
}

private func isElement(_ task: UnsafePointer<redisReadTask>?) -> Bool {
    task?.pointee.parent != nil
}

/// The functions that hiredis calls while it reads. Each returns something that is not null, which is
/// all that hiredis asks of an object; nothing is allocated and nothing is to be freed.
enum RedisReplyFunctions {
    static func make() -> redisReplyObjectFunctions {
        redisReplyObjectFunctions(
            createString: { task, text, length in
                guard let reply = reply(task) else { return nil }
                switch task?.pointee.type {
                case REDIS_REPLY_STATUS: reply.pointee.take(.status, isElement: isElement(task))
                case REDIS_REPLY_ERROR: reply.pointee.take(.error, isElement: isElement(task))
                default: reply.pointee.take(.text, isElement: isElement(task))
                }
                if task?.pointee.type == REDIS_REPLY_STATUS {
                    return UnsafeMutableRawPointer(reply)
                }
                reply.pointee.take(element: text.map { ByteView(base: $0, count: length) })
                return UnsafeMutableRawPointer(reply)
            },
            createArray: { task, _ in
                guard let reply = reply(task) else { return nil }
                reply.pointee.take(.array, isElement: isElement(task))
                return UnsafeMutableRawPointer(reply)
            },
            createInteger: { task, number in
                guard let reply = reply(task) else { return nil }
                reply.pointee.take(.integer, isElement: isElement(task))
                reply.pointee.take(integer: number)
                return UnsafeMutableRawPointer(reply)
            },
            createNil: { task in
                guard let reply = reply(task) else { return nil }
                reply.pointee.take(.null, isElement: isElement(task))
                reply.pointee.take(element: nil)
                return UnsafeMutableRawPointer(reply)
            },
            freeObject: { _ in }
        )
    }
}
