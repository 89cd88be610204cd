import Checkpoints
import Foundation
import Testing

struct CheckpointManifestTests {
    let folder: TemporaryFolder
    let manifest: CheckpointManifest

    init() throws {
        folder = try TemporaryFolder()
        manifest = try store(folder).publish(origin(round: 3), files: files(round: 3)).manifest
    }

    @Test func `a manifest comes back from its bytes`() throws {
        let bytes = try manifest.encoded()
        #expect(try CheckpointManifest(decoding: bytes, path: "m") == manifest)
        #expect(manifest.origin == origin(round: 3))
        #expect(manifest.origin.roles == ["discriminator", "student"])
        #expect(manifest.files.map(\.name) == ["student.safetensors", "constants.bin"])
        #expect(manifest.files[1].chunkChecksums.count == 4)
        #expect(manifest.byteCount == manifest.files[0].byteCount + 1000)
    }

    @Test func `keys are sorted, so that equal manifests have equal bytes`() throws {
        let text = String(decoding: try manifest.encoded(), as: UTF8.self)
        #expect(text.hasPrefix(#"{"files":[{"byteCount":"#))
        let keys = ["build", "configurationHash", "ledgerCursor", "parameterHash", "roles", "round", "runID"]
        let places = keys.compactMap { text.range(of: "\"\($0)\":")?.lowerBound }
        #expect(places.count == keys.count && places == places.sorted())
        #expect(text.hasSuffix("\n"))
    }

    @Test(arguments: [
        "../student.safetensors", "..", ".", "", "/etc/passwd", "a/b", "a\\b", ".hidden", "a\u{0}", "a\nb",
    ])
    func `a name that could lead out of the folder is refused`(name: String) throws {
        let bytes = try edited { $0["name"] = name }
        #expect(throws: CheckpointError.badFileName(name)) {
            try CheckpointManifest(decoding: bytes, path: "m")
        }
    }

    @Test(arguments: [
        ("byteCount", -1), ("byteCount", 4_000_000), ("byteCount", .max), ("chunkByteCount", 0),
        ("chunkByteCount", -256), ("chunkByteCount", 1 << 25), ("chunkByteCount", .max),
    ])
    func `sizes that contradict each other are refused`(key: String, value: Int) throws {
        let bytes = try edited { $0[key] = value }
        #expect {
            try CheckpointManifest(decoding: bytes, path: "m")
        } throws: { error in
            guard case CheckpointError.badManifest("m", let reason) = error else { return false }
            return reason.contains("contradict")
        }
    }

    @Test(arguments: ["constants.bin", "manifest.json", "manifest.sha256"])
    func `two files cannot have one name`(name: String) throws {
        let bytes = try edited { $0["name"] = name }
        #expect(throws: CheckpointError.self) { try CheckpointManifest(decoding: bytes, path: "m") }
    }

    @Test(arguments: ["", "{}", "[", "null", #"{"formatVersion":1,"files":[]}"#])
    func `what is no manifest is refused`(text: String) {
        #expect(throws: CheckpointError.self) {
            try CheckpointManifest(decoding: Array(text.utf8), path: "m")
        }
    }

    @Test func `a later format is refused, not guessed at`() throws {
        let text = String(decoding: try manifest.encoded(), as: UTF8.self)
        let later = text.replacingOccurrences(of: #""formatVersion":1"#, with: #""formatVersion":2"#)
        let error = CheckpointError.badManifest(path: "m", reason: "format version 2 is not known")
        #expect(throws: error) { try CheckpointManifest(decoding: Array(later.utf8), path: "m") }
    }

    @Test func `no truncation and no flipped bit traps`() throws {
        let bytes = try manifest.encoded()
        for count in 0..<bytes.count - 1 where count % 7 == 0 {
            #expect(throws: CheckpointError.self) {
                try CheckpointManifest(decoding: Array(bytes.prefix(count)), path: "m")
            }
        }
        var changed = 0
        for bit in stride(from: 0, to: bytes.count * 8, by: 11) {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            do {
                let read = try CheckpointManifest(decoding: damaged, path: "m")
                if read != manifest { changed += 1 }
            } catch {
                changed += 1
            }
        }
        #expect(changed > bytes.count / 2)
    }

    /// The manifest's bytes with its first file's description changed.
    private func edited(_ change: (inout [String: Any]) -> Void) throws -> [UInt8] {
        let object = try JSONSerialization.jsonObject(with: Data(manifest.encoded()))
        var top = try #require(object as? [String: Any])
        var files = try #require(top["files"] as? [[String: Any]])
        change(&files[0])
        top["files"] = files
        return Array(try JSONSerialization.data(withJSONObject: top))
    }
}
