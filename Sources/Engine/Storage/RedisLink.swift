import Bytes
import CHiredis
import CLibuv
import Glibc
import Units

/// One connection to Redis on a libuv loop: connects, greets, reads answers, comes back after loss.
///
/// hiredis opens the socket and reads the protocol; commands are sent from the owner's own buffer, so
/// that nothing is copied or allocated on the way. Owned by the loop's thread; every call and every
/// callback happens there.
final class RedisLink: RedisPipe {
    let address: RedisAddress
    private let loop: UnsafeMutablePointer<uv_loop_t>
    /// Called on the loop's thread. Set once by the owner, cleared by `close`.
    var onEvent: (RedisPipeEvent) -> Void = { _ in }
    /// Called for each answer to what was sent while ready.
    var onReply: (UnsafeMutablePointer<RedisReply>) -> Void = { _ in }
    var onProblem: (String) -> Void = { _ in }

    private var state = RedisLinkState()
    private var context: UnsafeMutablePointer<redisContext>?
    private var poll: UnsafeMutablePointer<uv_poll_t>?
    private var timer: UnsafeMutablePointer<uv_timer_t>?
    private let reply = UnsafeMutablePointer<RedisReply>.allocate(capacity: 1)
    private let functions = UnsafeMutablePointer<redisReplyObjectFunctions>.allocate(capacity: 1)
    private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
    private var output = ByteBuffer(
        capacity: 256 * 1024,
        limit: StorageLimits.liveStagedBytesMaximum + 1024 * 1024
    )
    private var sent = 0
    private var isWatchingWrites = false
    private var greetingAnswers = 0
    private var random = SystemRandomNumberGenerator()

    init(address: RedisAddress, loop: UnsafeMutablePointer<uv_loop_t>) {
        self.address = address
        self.loop = loop
        reply.initialize(to: RedisReply())
        functions.initialize(to: RedisReplyFunctions.make())
    }

    deinit {
        invariant(timer == nil && context == nil, "a Redis link was dropped without close()")
        reply.deinitialize(count: 1)
        reply.deallocate()
        functions.deallocate()
        input.deallocate()
    }

    var isReady: Bool { state.phase == .ready }

    func start() {
        let timer = UnsafeMutablePointer<uv_timer_t>.allocate(capacity: 1)
        invariant(uv_timer_init(loop, timer) == 0, "a timer on a running loop")
        timer.pointee.data = Unmanaged.passUnretained(self).toOpaque()
        self.timer = timer
        perform(state.take(.start))
    }

    /// Lets go of the socket and the loop. No callback comes afterwards.
    func close() {
        onEvent = { _ in }
        onReply = { _ in }
        perform(state.take(.stop))
        guard let timer else { return }
        self.timer = nil
        uv_timer_stop(timer)
        uv_close(UnsafeMutableRawPointer(timer).assumingMemoryBound(to: uv_handle_t.self)) {
            $0.map { UnsafeMutableRawPointer($0).deallocate() }
        }
    }

    /// Drops the connection because of what the owner found in an answer, and tries again later.
    func abort(_ reason: String) { fail(reason) }

    private func fail(_ reason: String) {
        onProblem("redis \(address): \(reason)")
        perform(state.take(.failed(random: random.next())))
    }

    private func perform(_ action: RedisLinkState.Action) {
        switch action {
        case .none: break
        case .connect: connect()
        case .greet: greet()
        case .announce:
            stopTimer()
            onEvent(.ready)
        case .wait(let milliseconds, let wasReady):
            disconnect()
            startTimer(milliseconds)
            if wasReady { onEvent(.lost) }
        case .close: disconnect()
        }
    }

    // MARK: The socket

    private func connect() {
        switch address.route {
        case .unix(let path): context = redisConnectUnixNonBlock(path)
        case .network(let host, let port): context = redisConnectNonBlock(host, port)
        }
        guard let context, context.pointee.err == 0, context.pointee.fd >= 0 else {
            return fail(problem("cannot connect"))
        }
        context.pointee.reader.pointee.fn = functions
        context.pointee.reader.pointee.privdata = UnsafeMutableRawPointer(reply)
        // hiredis frees a large idle input buffer and allocates it anew; 0 keeps it.
        context.pointee.reader.pointee.maxbuf = 0
        setCloseOnExec(context.pointee.fd)
        let poll = UnsafeMutablePointer<uv_poll_t>.allocate(capacity: 1)
        guard uv_poll_init(loop, poll, context.pointee.fd) == 0 else {
            poll.deallocate()
            return fail("cannot watch the socket")
        }
        poll.pointee.data = Unmanaged.passUnretained(self).toOpaque()
        self.poll = poll
        startTimer(StorageLimits.liveReplyDeadlineMilliseconds)
        watch(writes: true)
    }

    private func setCloseOnExec(_ descriptor: Int32) {
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    private func problem(_ fallback: String) -> String {
        guard let context else { return fallback }
        let text = withUnsafeBytes(of: context.pointee.errstr) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        return text.isEmpty ? fallback : text
    }

    private func disconnect() {
        stopTimer()
        if let poll {
            uv_poll_stop(poll)
            uv_close(UnsafeMutableRawPointer(poll).assumingMemoryBound(to: uv_handle_t.self)) {
                $0.map { UnsafeMutableRawPointer($0).deallocate() }
            }
        }
        if let context { redisFree(context) }
        poll = nil
        context = nil
        output.reset()
        sent = 0
        reply.pointee.reset()
    }

    private func watch(writes: Bool) {
        guard let poll else { return }
        isWatchingWrites = writes
        let events = Int32(UV_READABLE.rawValue) | (writes ? Int32(UV_WRITABLE.rawValue) : 0)
        let status = uv_poll_start(poll, events) { handle, status, events in
            guard let data = handle?.pointee.data else { return }
            Unmanaged<RedisLink>.fromOpaque(data).takeUnretainedValue().socketChanged(
                status,
                events
            )
        }
        invariant(status == 0, "watching a socket that is watched already")
    }

    private func socketChanged(_ status: Int32, _ events: Int32) {
        if state.phase == .connecting { return finishConnecting(status) }
        if status < 0 { return fail("the connection broke") }
        if events & Int32(UV_WRITABLE.rawValue) != 0 { write() }
        if events & Int32(UV_READABLE.rawValue) != 0 { read() }
    }

    private func finishConnecting(_ status: Int32) {
        guard let context else { return }
        var error: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(context.pointee.fd, SOL_SOCKET, SO_ERROR, &error, &length)
        guard status >= 0, error == 0 else {
            return fail("cannot connect: " + String(cString: strerror(error)))
        }
        watch(writes: false)
        perform(state.take(.opened))
    }

    // MARK: Time

    private func startTimer(_ milliseconds: UInt64) {
        guard let timer else { return }
        uv_timer_start(
            timer,
            { handle in
                guard let data = handle?.pointee.data else { return }
                Unmanaged<RedisLink>.fromOpaque(data).takeUnretainedValue().timeIsUp()
            },
            milliseconds,
            0
        )
    }

    private func stopTimer() {
        if let timer { uv_timer_stop(timer) }
    }

    private func timeIsUp() {
        if state.phase == .waiting { return perform(state.take(.retry)) }
        fail("no answer in time")
    }

    /// The deadline of an answer; the owner sets it when it sends and clears it when answered.
    func expectAnswer(_ isExpected: Bool) {
        if isExpected {
            startTimer(StorageLimits.liveReplyDeadlineMilliseconds)
        } else {
            stopTimer()
        }
    }

    // MARK: Greeting

    private func greet() {
        greetingAnswers = 0
        if !address.password.isEmpty {
            output.command(address.user.isEmpty ? 2 : 3)
            output.argument("AUTH")
            if !address.user.isEmpty { output.argument(text: address.user) }
            output.argument(text: address.password)
            greetingAnswers += 1
        }
        if address.database != 0 {
            output.command(2)
            output.argument("SELECT")
            output.argument(decimal: Int64(address.database))
            greetingAnswers += 1
        }
        output.command(1)
        output.argument("PING")
        greetingAnswers += 1
        write()
    }

    private func takeGreeting() {
        if reply.pointee.kind == .error {
            let reason = reply.pointee.withText { $0?.text ?? "refused" }
            return fail("the server refuses: " + reason)
        }
        greetingAnswers -= 1
        if greetingAnswers == 0 { perform(state.take(.greeted)) }
    }

    // MARK: Bytes

    /// Takes the whole content of `commands`, leaving an empty buffer behind, and sends it.
    func send(_ commands: inout ByteBuffer) {
        invariant(isReady && sent == output.count, "a pipeline while one is in flight")
        output.reset()
        sent = 0
        swap(&output, &commands)
        commands.reset()
        write()
    }

    private func write() {
        guard let context else { return }
        while sent < output.count {
            let rest = output.view(from: sent)
            let count = Glibc.send(
                context.pointee.fd,
                rest.buffer.baseAddress,
                rest.count,
                Int32(MSG_NOSIGNAL)
            )
            if count < 0 && errno == EINTR { continue }
            if count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) { break }
            if count < 0 { return fail("cannot write: " + String(cString: strerror(errno))) }
            sent += count
        }
        let isUnfinished = sent < output.count
        if isUnfinished != isWatchingWrites { watch(writes: isUnfinished) }
    }

    private func read() {
        while let context {
            let count = recv(context.pointee.fd, input.baseAddress, input.count, 0)
            if count < 0 && errno == EINTR { continue }
            if count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) { return }
            if count < 0 { return fail("cannot read: " + String(cString: strerror(errno))) }
            if count == 0 { return fail("the server closed the connection") }
            let text = input.baseAddress?.assumingMemoryBound(to: CChar.self)
            redisReaderFeed(context.pointee.reader, text, count)
            drain()
            if count < input.count { return }
        }
    }

    /// Hands out every complete answer. An answer may end the connection, hence the fresh look at
    /// `context` each time.
    private func drain() {
        while let reader = context?.pointee.reader {
            var found: UnsafeMutableRawPointer?
            guard redisReaderGetReply(reader, &found) == REDIS_OK else {
                return fail("not the Redis protocol")
            }
            if found == nil { return }
            if state.phase == .ready { onReply(reply) } else { takeGreeting() }
            reply.pointee.reset()
        }
    }
}
