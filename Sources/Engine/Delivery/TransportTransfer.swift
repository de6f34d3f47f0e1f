import CCurl
import Glibc
import Telemetry
import Units

/// One request on its way. Owned by its transport; libcurl's callbacks see it while it is there.
final class Transfer {
    let handle: OpaqueCurl
    let whenAnswered: (Answer) -> Void
    private let body: [UInt8]
    private let options: TransportOptions
    private var headers: UnsafeMutablePointer<curl_slist>?
    /// Bytes of the body that libcurl has taken. Once there is one, the request may have arrived.
    private var bytesTaken = 0
    private var answerHeaders: [String: String] = [:]
    private var answerBody: [UInt8] = []
    private var isTooLarge = false

    init(
        _ request: OutgoingRequest,
        _ options: TransportOptions,
        _ whenAnswered: @escaping (Answer) -> Void
    ) {
        guard let made = curl_easy_init() else {
            invariantFailed("curl_easy_init failed: out of memory", #fileID, #line)
        }
        handle = made
        body = request.body
        self.options = options
        self.whenAnswered = whenAnswered
        setPlace(request)
        setSafety()
        setCallbacks()
    }

    func free() {
        curl_easy_cleanup(handle)
        curl_slist_free_all(headers)
        headers = nil
    }

    // MARK: - Asking

    private func setPlace(_ request: OutgoingRequest) {
        request.url.expose { text($0, CURLOPT_URL) }
        // Without `Expect:` libcurl would wait a second for leave to send a larger body.
        add(header: "Expect:")
        for (name, value) in request.headers { value.expose { add(header: "\(name): \($0)") } }
        hg_curl_set_headers(handle, headers)
        number(1, CURLOPT_POST)
        hg_curl_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
    }

    private func add(header: String) {
        // A line break would begin another header; none of ours has one, so such a header goes.
        guard !header.utf8.contains(where: { $0 < 32 && $0 != 9 }) else { return }
        headers = curl_slist_append(headers, header)
    }

    private func setSafety() {
        number(1, CURLOPT_NOSIGNAL)
        text(options.allowsPlain ? "https,http" : "https", CURLOPT_PROTOCOLS_STR)
        text("", CURLOPT_PROXY)
        number(0, CURLOPT_FOLLOWLOCATION)
        number(CURL_SSLVERSION_TLSv1_2, CURLOPT_SSLVERSION)
        number(1, CURLOPT_SSL_VERIFYPEER)
        number(2, CURLOPT_SSL_VERIFYHOST)
        if let file = options.authoritiesFile { text(file, CURLOPT_CAINFO) }
        number(CURL_HTTP_VERSION_2TLS, CURLOPT_HTTP_VERSION)
        number(options.connectMilliseconds, CURLOPT_CONNECTTIMEOUT_MS)
        number(options.totalMilliseconds, CURLOPT_TIMEOUT_MS)
        number(1, CURLOPT_TCP_KEEPALIVE)
    }

    private func setCallbacks() {
        let context = Unmanaged.passUnretained(self).toOpaque()
        hg_curl_set_pointer(handle, CURLOPT_PRIVATE, context)
        hg_curl_on_read(handle, giveBody, context)
        hg_curl_on_seek(handle, refuseRewind, context)
        hg_curl_on_write(handle, takeAnswer, context)
        hg_curl_on_header(handle, takeHeader, context)
        hg_curl_on_open(handle, openSocket, context)
    }

    private func number(_ value: Int, _ option: CURLoption) {
        invariant(hg_curl_set_number(handle, option, value) == CURLE_OK, "curl lacks an option")
    }

    private func text(_ value: String, _ option: CURLoption) {
        invariant(hg_curl_set_text(handle, option, value) == CURLE_OK, "curl lacks an option")
    }

    // MARK: - What libcurl asks meanwhile

    fileprivate func give(into memory: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(memory.count, body.count - bytesTaken)
        body.withUnsafeBytes { bytes in
            let piece = bytes[bytesTaken..<bytesTaken + count]
            memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: piece))
        }
        bytesTaken += count
        return count
    }

    /// The number of bytes taken: fewer than there are ends the transfer.
    fileprivate func take(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard answerBody.count + bytes.count <= options.answerBytesMaximum else {
            isTooLarge = true
            return 0
        }
        answerBody.append(contentsOf: bytes)
        return bytes.count
    }

    /// RFC 9112 section 5: a line with a colon is a field; others begin or end a head.
    fileprivate func take(headerLine bytes: UnsafeRawBufferPointer) {
        let line = String(decoding: bytes, as: UTF8.self)
        if line.hasPrefix("HTTP/") { return answerHeaders.removeAll() }
        guard let colon = line.firstIndex(of: ":"), answerHeaders.count < 64 else { return }
        let name = line[..<colon].lowercased()
        let value = line[line.index(after: colon)...].filter { !$0.isNewline }
        answerHeaders[name] = String(value.drop { $0 == " " }.prefix(1024))
    }

    fileprivate func open(_ address: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
        guard let bytes = SocketAddress.bytes(of: address), options.allows(bytes) else {
            return curl_socket_t(-1)
        }
        return hg_curl_open_socket(address)
    }

    // MARK: - The end

    func answer(_ result: CURLcode) -> Answer {
        if result == CURLE_OK {
            return .response(
                status: hg_curl_status(handle),
                headers: answerHeaders,
                body: answerBody
            )
        }
        let failure = isTooLarge ? .tooLarge : TransportFailure(result)
        return .failure(failure, mayHaveArrived: bytesTaken > 0 || body.isEmpty)
    }
}

extension TransportFailure {
    init(_ code: CURLcode) {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL:
            self = .nameNotFound
        case CURLE_COULDNT_CONNECT: self = .connectFailed
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR,
            CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS:
            self = .tlsFailed
        case CURLE_OPERATION_TIMEDOUT: self = .timedOut
        case CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE,
            CURLE_HTTP2, CURLE_HTTP2_STREAM, CURLE_SEND_FAIL_REWIND:
            self = .reset
        default: self = .malformedAnswer
        }
    }
}

/// Reads the address out of what libcurl is about to connect to.
enum SocketAddress {
    /// Four bytes of IPv4 or sixteen of IPv6, in network order; nil for anything else.
    static func bytes(of address: UnsafeMutablePointer<curl_sockaddr>) -> [UInt8]? {
        let place = UnsafeMutableRawPointer(address)
        let offset = MemoryLayout<curl_sockaddr>.offset(of: \.addr) ?? 0
        switch address.pointee.family {
        case AF_INET:
            let found = place.loadUnaligned(fromByteOffset: offset, as: sockaddr_in.self)
            return withUnsafeBytes(of: found.sin_addr) { Array($0) }
        case AF_INET6:
            // libcurl allocates as much as the address needs, more than its struct says.
            let found = place.loadUnaligned(fromByteOffset: offset, as: sockaddr_in6.self)
            return withUnsafeBytes(of: found.sin6_addr) { Array($0) }
        default: return nil
        }
    }
}

// MARK: - Callbacks: all on the loop's thread, from within libcurl

private func transfer(_ context: UnsafeMutableRawPointer) -> Transfer {
    Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
}

private func giveBody(
    _ bytes: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let bytes, let context else { return 0 }
    let memory = UnsafeMutableRawBufferPointer(start: bytes, count: size * count)
    return transfer(context).give(into: memory)
}

/// libcurl would send a request again, unasked, when a connection that it had used before breaks.
/// Whether that would count twice is ours to decide, so the body cannot be had a second time.
private func refuseRewind(_: UnsafeMutableRawPointer?, _: curl_off_t, _: Int32) -> Int32 {
    CURL_SEEKFUNC_FAIL
}

private func takeAnswer(
    _ bytes: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let bytes, let context else { return 0 }
    return transfer(context).take(UnsafeRawBufferPointer(start: bytes, count: size * count))
}

private func takeHeader(
    _ bytes: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let bytes, let context else { return 0 }
    transfer(context).take(headerLine: UnsafeRawBufferPointer(start: bytes, count: size * count))
    return size * count
}

private func openSocket(
    _ context: UnsafeMutableRawPointer?,
    _: curlsocktype,
    _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
    guard let context, let address else { return curl_socket_t(-1) }
    return transfer(context).open(address)
}
