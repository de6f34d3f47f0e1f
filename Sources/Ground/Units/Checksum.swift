import CShims

/// CRC-32C (Castagnoli), the checksum of journal records and checkpoints.
public enum Checksum {
    /// The checksum of `bytes`, continuing from `seed` (0 to begin).
    public static func crc32c(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
        guard let base = bytes.baseAddress else { return seed }
        return unsafe hg_crc32c(seed, base, bytes.count)
    }

    /// CRC-16/XMODEM over `bytes`: Redis Cluster's key-slot function.
    public static func crc16(_ bytes: UnsafeRawBufferPointer) -> UInt16 {
        var crc: UInt16 = 0
        for index in 0..<bytes.count {
            let byte = unsafe bytes[index]
            crc = (crc &<< 8) ^ crc16Table[Int(UInt8(truncatingIfNeeded: crc &>> 8) ^ byte)]
        }
        return crc
    }

    private static let crc16Table: [UInt16] = (0..<256).map { index in
        var crc = UInt16(index) << 8
        for _ in 0..<8 { crc = crc & 0x8000 != 0 ? (crc << 1) ^ 0x1021 : crc << 1 }
        return crc
    }
}
