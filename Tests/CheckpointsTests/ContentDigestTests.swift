import Checkpoints
import Foundation
import Tensors
import Testing

struct ContentDigestTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// FIPS 180-4's example.
    private let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    @Test func `bytes hash as the standard's example says`() throws {
        let digest = ContentDigest(of: Array("abc".utf8))
        #expect(digest.hex == abc)
        #expect(digest.bytes.count == 32)
        #expect(ContentDigest(hex: abc) == digest)
        #expect(ContentDigest(hex: abc.uppercased()) == digest)
        #expect(ContentDigest(bytes: digest.bytes) == digest)
        let coded = try JSONEncoder().encode([digest])
        #expect(String(decoding: coded, as: UTF8.self) == "[\"\(abc)\"]")
        #expect(try JSONDecoder().decode([ContentDigest].self, from: coded) == [digest])
    }

    @Test(arguments: ["", "ba78", String(repeating: "g", count: 64), String(repeating: "é", count: 64)])
    func `what is not a hash is refused`(text: String) {
        #expect(ContentDigest(hex: text) == nil)
        #expect(ContentDigest(bytes: Array(text.utf8.prefix(31))) == nil)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([ContentDigest].self, from: JSONEncoder().encode([text]))
        }
    }

    @Test func `tensors hash over names, shapes and numbers`() {
        let tensors = ["b.weight": Tensor([1, -2], shape: [2, 1]), "a": Tensor(scalar: 0.5)]
        let digest = ContentDigest(ofTensors: tensors)
        #expect(digest.hex == "360277f319af693cf8dc53a69a525a8e9d8c90f2135bc1fa53374d36a02a8d02")
        var renamed = tensors
        renamed["c"] = renamed.removeValue(forKey: "a")
        var reshaped = tensors
        reshaped["b.weight"] = Tensor([1, -2], shape: [1, 2])
        var changed = tensors
        changed["a"] = Tensor(scalar: Float(0.5).nextUp)
        #expect(Set([tensors, renamed, reshaped, changed].map(ContentDigest.init(ofTensors:))).count == 4)
    }

    @Test func `a file hashes as its bytes`() throws {
        let bytes = (0..<1_100_001).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(try ContentDigest(ofFile: folder.write(bytes, to: "big")) == ContentDigest(of: bytes))
        #expect(try ContentDigest(ofFile: folder.write([], to: "empty")) == ContentDigest(of: []))
    }

    @Test func `a folder hashes over the paths and files below it`() throws {
        try folder.write(Array("alpha".utf8), to: "model/a.txt")
        try folder.write([0, 1], to: "model/sub/b.bin")
        try folder.write([9], to: "model/.cache/ignored")
        let digest = try ContentDigest(ofFolder: folder.path + "/model")
        #expect(digest.hex == "d98311d1203f60e646d13eb9606b8b4b6f64a401d0174fb1855dd27c03c39c7c")
        try folder.write([0, 2], to: "model/sub/b.bin")
        #expect(try ContentDigest(ofFolder: folder.path + "/model") != digest)
    }

    @Test func `a folder with a dangling link has no hash`() throws {
        try folder.write([1], to: "model/a.txt")
        let link = folder.path + "/model/b.txt"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "nowhere")
        #expect(throws: CheckpointError.unreadable(path: link, reason: "the link leads nowhere")) {
            try ContentDigest(ofFolder: folder.path + "/model")
        }
    }
}
