import Foundation

/// The SHA-256 of bytes that come in pieces (FIPS 180-4), for systems without CryptoKit too.
public struct SHA256Digest {
    private var state: [UInt32] = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
    private var pending: [UInt8] = []
    private var length: UInt64 = 0

    public init() {
        pending.reserveCapacity(64)
    }

    /// The digest of `data` in hexadecimal digits.
    public static func hex(_ data: Data) -> String {
        var digest = SHA256Digest()
        digest.update(data)
        return digest.finish()
    }

    /// Takes more bytes in.
    public mutating func update(_ bytes: some Sequence<UInt8>) {
        let done: Void? = bytes.withContiguousStorageIfAvailable { absorb($0) }
        if done == nil { Array(bytes).withUnsafeBufferPointer { absorb($0) } }
    }

    /// Takes whole blocks from where they lie; only what is left of one is copied.
    private mutating func absorb(_ bytes: UnsafeBufferPointer<UInt8>) {
        length += UInt64(bytes.count)
        var place = 0
        if !pending.isEmpty {
            place = min(64 - pending.count, bytes.count)
            pending.append(contentsOf: bytes[0..<place])
            guard pending.count == 64 else { return }
            let block = pending
            block.withUnsafeBufferPointer { compress($0) }
            pending.removeAll(keepingCapacity: true)
        }
        while bytes.count - place >= 64 {
            compress(UnsafeBufferPointer(rebasing: bytes[place..<place + 64]))
            place += 64
        }
        pending.append(contentsOf: bytes[place...])
    }

    /// The digest in hexadecimal digits; nothing can be added after it.
    public mutating func finish() -> String {
        let bits = length * 8
        update([0x80])
        while pending.count != 56 { update([0]) }
        update((0..<8).map { UInt8(truncatingIfNeeded: bits >> (56 - 8 * UInt64($0))) })
        return state.map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }

    /// Written with plain loops over pointers: a Debug build optimizes nothing, and there iterators and checked
    /// subscripts cost a hundred times the arithmetic.
    private mutating func compress(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let block = bytes.baseAddress else { return }
        let before = state
        state = withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { allocation in
            guard let words = allocation.baseAddress else { return before }
            var index = 0
            while index < 16 {
                let byte = block + index * 4
                words[index] = UInt32(byte[0]) << 24 | UInt32(byte[1]) << 16 | UInt32(byte[2]) << 8 | UInt32(byte[3])
                index &+= 1
            }
            while index < 64 {
                let (early, late) = (words[index &- 15], words[index &- 2])
                let first = (early >> 7 | early << 25) ^ (early >> 18 | early << 14) ^ (early >> 3)
                let second = (late >> 17 | late << 15) ^ (late >> 19 | late << 13) ^ (late >> 10)
                words[index] = words[index &- 16] &+ first &+ words[index &- 7] &+ second
                index &+= 1
            }
            return Self.constants.withUnsafeBufferPointer { Self.mixed(before, words, $0) }
        }
    }

    /// The state after the 64 rounds over a block's schedule.
    private static func mixed(
        _ state: [UInt32], _ words: UnsafeMutablePointer<UInt32>, _ constants: UnsafeBufferPointer<UInt32>
    ) -> [UInt32] {
        guard let constants = constants.baseAddress else { return state }
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        var (e, f, g, h) = (state[4], state[5], state[6], state[7])
        var index = 0
        while index < 64 {
            let turnedE = (e >> 6 | e << 26) ^ (e >> 11 | e << 21) ^ (e >> 25 | e << 7)
            let first = h &+ turnedE &+ ((e & f) ^ (~e & g)) &+ constants[index] &+ words[index]
            let turnedA = (a >> 2 | a << 30) ^ (a >> 13 | a << 19) ^ (a >> 22 | a << 10)
            let second = turnedA &+ ((a & b) ^ (a & c) ^ (b & c))
            h = g
            g = f
            f = e
            e = d &+ first
            d = c
            c = b
            b = a
            a = first &+ second
            index &+= 1
        }
        return [
            state[0] &+ a, state[1] &+ b, state[2] &+ c, state[3] &+ d, state[4] &+ e, state[5] &+ f, state[6] &+ g,
            state[7] &+ h,
        ]
    }

    /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
    private static let constants: [UInt32] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ]
}
