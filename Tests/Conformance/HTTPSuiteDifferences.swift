/// Cases that llhttp accepts and we refuse on purpose, by title, with the reason.
let stricter: [String: String] = [
    "Restarting when keep-alive is explicitly": "its second request has no Host",
    "Should parse multiple events": "its later requests have no Host",
    "M-SEARCH request": "`*` is for OPTIONS only (RFC 9112 section 3.2.4)",
    "SOURCE request with ICE": "another protocol",
    "OPTIONS request with RTSP": "another protocol",
    "ANNOUNCE request with RTSP": "another protocol",
    "No HTTP version": "HTTP/0.9 is not spoken here",
    "`host:port` and basic auth": "no user information in an address (RFC 9110 section 4.2.4)",
    "POST with `chunked` as last transfer-encoding": "no other coding can be decoded here",
    "POST with `chunked` as last transfer-encoding (multiple headers)":
        "no other coding can be decoded here",
]

/// Cases that llhttp refuses and we accept rightly, by title, with the reason.
let laxer: [String: String] = [:]
