import CKernels
import Testing

struct SHA256Tests {
    /// Those with instructions for several blocks at a time.
    static let instructionSets = [FS_ISA_PORTABLE, FS_ISA_AVX2, FS_ISA_AVX512].filter {
        $0.rawValue <= fs_best_isa().rawValue && digests(blocks, by: $0) != nil
    }

    /// Of a group of blocks of three message blocks each, as Python's hashlib computes them.
    private static let expected = [
        "5f13852288869b65f52db3d0f2cc4d3c3183daeb96107e184e07d8494f35cbbd",
        "d312c3fb3f3a8c3b167fd6efa47d503c4cf7c41396616eabe90300ee5b50fd16",
        "12f35e9c55d695597adc03602780573ef1c3991f0e67710952068647a347e74f",
        "eba3d3e69a494af791ec3e0a2e97046ade14949d0d525a082f9e683c58ad8a5e",
        "d4e32dd305b6cb05b01baf52eec68ca87a160f5afb726e6742b3713ef97a696f",
        "34b674ab9e88b35e42315f0e130ba34a6422586363af22fca45d599737fb0f38",
        "462602749803e347546f7c03749c32513ffd190171b9c993df551149ed405dfc",
        "6fce22589384b3758da7b9ac1b8c72cad77d17a0a8c7107b431548d10730f81c",
        "93a643bbbb24450c12fd6b7abc2a957327cbcb608eaf1a708a5ee706db9a3687",
        "58b8f4e73c2abeef7b23f74567fa69f8a5f28d83a60fa58b899c2a801c63d5d5",
        "ddcf075db84394a0d91c51f6d323bbd834a095b4851ea0b53c90e92d26a69498",
        "9753ecb8205659ffe7e15ff7f80ee306a53212ec5eb0f86d301bc0e2dc3cf47d",
        "ed6d57655948fec0565607e763a892d3ea9833f987f0214708905936c2679e21",
        "c782e97a17ba830d2c0226d77365732a05a70bf0fb98df809032630b1d540640",
        "9ae48295a4bde1ca5479a0096f5d947c60cf7a4e3d89899357b227fe610c7eb7",
        "e7a58eecd99a945792c0f18299ddb353fe7334fe33f4dc0b7a54e0b3dc93a600",
    ]

    private static let blocks = (0..<Int(FS_SHA256_BLOCKS)).flatMap { block in
        (0..<192).map { UInt8(truncatingIfNeeded: block * 131 + $0 * 7 + $0 >> 3) }
    }

    /// In hexadecimal, of whole groups; nil where the CPU has no such instructions.
    private static func digests(_ bytes: [UInt8], by isa: fs_isa) -> [String]? {
        let groupCount = bytes.count / blocks.count
        var digests = [UInt8](repeating: 0, count: groupCount * Int(FS_SHA256_BLOCKS * FS_SHA256_BYTES))
        guard unsafe fs_sha256_blocks(isa, bytes, 192, groupCount, &digests) != 0 else { return nil }
        return stride(from: 0, to: digests.count, by: Int(FS_SHA256_BYTES)).map { start in
            digests[start..<start + Int(FS_SHA256_BYTES)].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
                .joined()
        }
    }

    @Test(arguments: instructionSets)
    func `blocks hashed at a time have the hashes that they have alone`(_ isa: fs_isa) {
        #expect(Self.digests(Self.blocks, by: isa) == Self.expected)
        #expect(Self.digests(Self.blocks + Self.blocks, by: isa) == Self.expected + Self.expected)
    }
}
