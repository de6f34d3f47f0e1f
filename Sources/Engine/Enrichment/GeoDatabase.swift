public import Bytes
import CMaxMind
import Glibc
public import Settings

/// A MaxMind database (GeoLite2, GeoIP2, DB-IP and others of that format) that tells where an
/// address lies: opened once, never changed, closed when the last holder lets go.
///
/// A new file is taken by opening another instance and handing that to the listeners. The file is
/// mapped into memory: whoever updates it must rename the new one into place, not write into it.
@safe
public final class GeoDatabase: Sendable {
    /// Sendable because: after `init` libmaxminddb only reads through it, which it allows from
    /// any thread, and `deinit` runs when no thread holds the database any more.
    private nonisolated(unsafe) let handle: UnsafeMutablePointer<MMDB_s>
    /// What the file calls itself, such as `GeoLite2-City`.
    public let type: String
    /// When the file was made, in seconds since 1970.
    public let builtAt: UInt64

    /// Opens the database at `path`; refuses what is no MaxMind database or has no networks.
    public init(path: String) throws(SettingsError) {
        let handle = UnsafeMutablePointer<MMDB_s>.allocate(capacity: 1)
        unsafe handle.initialize(to: MMDB_s())
        let status = unsafe MMDB_open(path, UInt32(MMDB_MODE_MMAP), handle)
        guard status == MMDB_SUCCESS else {
            unsafe handle.deallocate()
            throw Self.failure(path, unsafe String(cString: MMDB_strerror(status)))
        }
        guard unsafe handle.pointee.metadata.node_count > 0 else {
            unsafe MMDB_close(handle)
            unsafe handle.deallocate()
            throw Self.failure(path, "the database holds no networks")
        }
        unsafe self.handle = handle
        type = unsafe String(cString: handle.pointee.metadata.database_type)
        builtAt = unsafe handle.pointee.metadata.build_epoch
    }

    deinit {
        unsafe MMDB_close(handle)
        unsafe handle.deallocate()
    }

    private static func failure(_ path: String, _ reason: String) -> SettingsError {
        SettingsError(
            problems: [
                SettingsProblem(file: path, line: 1, reason: "no MaxMind database: \(reason)")
            ]
        )
    }

    /// Appends country (`co`), region (`rg`) and city (`ci`) of an address of 4 or 16 bytes to an
    /// open JSON object; nothing for an address that the database does not know.
    public func appendPlace(_ address: ByteView, into buffer: inout ByteBuffer) {
        guard var entry = unsafe entry(Self.withoutMapping(address)) else { return }
        for (key, paths) in Self.members {
            for path in paths where unsafe append(key, path, &entry, into: &buffer) { break }
        }
    }

    /// Where the members lie: in MaxMind's own files, then in flat ones.
    private static let members: [(StaticString, [[StaticString]])] = [
        ("co", [["country", "iso_code"], ["country_code"], ["country"]]),
        ("rg", [["subdivisions", "0", "iso_code"], ["region_code"]]),
        ("ci", [["city", "names", "en"], ["city"]]),
    ]

    /// RFC 4291 section 2.5.5.2: an IPv4 address in an IPv6 socket is looked up as what it is.
    private static func withoutMapping(_ address: ByteView) -> ByteView {
        guard address.count == 16, address.load(UInt64.self, at: 0) == 0,
            address.load(UInt32.self, at: 8) == 0xffff_0000
        else { return address }
        return address[12..<16]
    }

    private func entry(_ address: ByteView) -> MMDB_entry_s? {
        var status: Int32 = 0
        switch address.count {
        case 4:
            var socket = sockaddr_in()
            socket.sin_family = sa_family_t(AF_INET)
            // Network byte order, as the bytes already are.
            socket.sin_addr.s_addr = address.load(UInt32.self, at: 0).littleEndian
            return unsafe withUnsafePointer(to: &socket) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe found(MMDB_lookup_sockaddr(handle, $0, &status), status)
                }
            }
        case 16:
            var socket = sockaddr_in6()
            socket.sin6_family = sa_family_t(AF_INET6)
            unsafe withUnsafeMutableBytes(of: &socket.sin6_addr) {
                unsafe $0.copyMemory(from: address.buffer)
            }
            return unsafe withUnsafePointer(to: &socket) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe found(MMDB_lookup_sockaddr(handle, $0, &status), status)
                }
            }
        default: return nil
        }
    }

    private func found(_ result: MMDB_lookup_result_s, _ status: Int32) -> MMDB_entry_s? {
        unsafe status == MMDB_SUCCESS && result.found_entry ? result.entry : nil
    }

    private func append(
        _ key: StaticString,
        _ path: [StaticString],
        _ entry: inout MMDB_entry_s,
        into buffer: inout ByteBuffer
    ) -> Bool {
        guard let text = unsafe text(path, &entry), !text.isEmpty,
            text.count <= Limits.placeNameBytesMaximum, Self.isText(text)
        else { return false }
        buffer.openMember(key)
        JSONText.appendQuoted(text, into: &buffer)
        return true
    }

    /// The file comes from outside, and what it says goes into JSON.
    private static func isText(_ bytes: ByteView) -> Bool {
        var index = 0
        while index < bytes.count {
            let length = bytes[index] < 0x80 ? 1 : UTF8Check.sequenceLength(bytes, at: index)
            guard let length else { return false }
            index &+= length
        }
        return true
    }

    /// The text at `path`, in the mapped file.
    private func text(_ path: [StaticString], _ entry: inout MMDB_entry_s) -> ByteView? {
        var data = unsafe MMDB_entry_data_s()
        let status = unsafe withUnsafeTemporaryAllocation(
            of: UnsafePointer<CChar>?.self,
            capacity: path.count + 1
        ) { names in
            for index in path.indices {
                unsafe names[index] = UnsafeRawPointer(path[index].utf8Start)
                    .assumingMemoryBound(to: CChar.self)
            }
            unsafe names[path.count] = nil
            return unsafe MMDB_aget_value(&entry, &data, names.baseAddress)
        }
        guard status == MMDB_SUCCESS, unsafe data.has_data,
            unsafe data.type == UInt32(MMDB_DATA_TYPE_UTF8_STRING),
            let bytes = unsafe data.utf8_string
        else { return nil }
        return unsafe ByteView(base: UnsafeRawPointer(bytes), count: Int(data.data_size))
    }
}
