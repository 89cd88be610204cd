import Checkpoints
import Foundation
import Tensors
import Testing

struct SafetensorsRefusalTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func `every truncation of a file is refused`() throws {
        for count in 0..<golden.bytes.count {
            let path = try folder.write(golden.bytes.prefix(count), to: "cut-\(count).safetensors")
            #expect(throws: CheckpointError.self, "\(count) bytes") { try SafetensorsFile(path: path) }
        }
    }

    @Test func `a file cut in its numbers says how long it should be`() throws {
        let path = try folder.write(golden.bytes.dropLast(3), to: "cut.safetensors")
        #expect(throws: CheckpointError.truncated(path: path, expected: 462, found: 459)) {
            try SafetensorsFile(path: path)
        }
    }

    @Test func `no flipped bit of a header traps`() throws {
        var writer = SafetensorsWriter(metadata: ["k": "v"])
        writer.add("a", Tensor([1, 2], shape: [2]))
        writer.add("b", Tensor([3, 4], shape: [1, 2]), as: .float16)
        let whole = writer.bytes
        let headerBitCount = (whole.count - 12) * 8
        var refused = 0
        for bit in 0..<headerBitCount {
            var bytes = whole
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            if try isRefused(bytes) { refused += 1 }
        }
        #expect(refused > headerBitCount / 2 && refused < headerBitCount)
    }

    @Test func `no random damage of a header traps`() throws {
        var state: UInt64 = 20_251_118
        func random(below limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        let tokens = ["\"", "{", "}", "[", "]", ",", ":", "0", "9223372036854775807", "\\u", "F32", "shape"]
        var refused = 0
        for _ in 0..<800 {
            var header = Array(golden.bytes[8..<408])
            for _ in 0...random(below: 2) {
                let start = random(below: header.count)
                let end = min(header.count, start + random(below: 8))
                header.replaceSubrange(start..<end, with: Array(tokens[random(below: tokens.count)].utf8))
            }
            let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
            if try isRefused(length + header + golden.bytes[408...]) { refused += 1 }
        }
        #expect(refused > 600)
    }

    @Test(arguments: [
        ("", "does not begin"),
        ("[]", "does not begin"),
        (#"{"#, "ends too early"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}x"#, "behind the header's end"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},}"#, "'\"' expected"),
        (#"{"a":{"dtype":"F32","shape":[1,],"data_offsets":[0,4]}}"#, "integer expected"),
        (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, "integer expected"),
        (#"{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#, "expected"),
        (#"{"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}"#, "begins with 0"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"data_offsets":[0,4]}}"#, "second"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"stride":[1]}}"#, "unknown"),
        (#"{"a":{"dtype":"F32","shape":[1]}}"#, "lacks"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}"#, "lacks"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, "has offsets"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, "has offsets"),
        (#"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}"#, "too large"),
        (
            #"{"a":{"dtype":"F32","shape":[4611686018427387904,4611686018427387904],"data_offsets":[0,4]}}"#,
            "too large"
        ),
        (#"{"a":{"dtype":"F32","shape":[0,9223372036854775807],"data_offsets":[0,0]}}"#, "too large"),
        (
            #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[9223372036854775806,9223372036854775807]}}"#,
            "has offsets"
        ),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "leaves a gap"),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"#
                + #""a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "two tensors 'a'"
        ),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"#
                + #""b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "overlaps"
        ),
        (
            #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
                + #""b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "overlaps"
        ),
        (#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}"#, "5 bytes lie behind"),
        (#"{"__metadata__":{},"__metadata__":{}}"#, "two '__metadata__'"),
        (#"{"__metadata__":{"a":"1","a":"2"}}"#, "two values"),
        (#"{"__metadata__":{"a":1}}"#, "'\"' expected"),
        (#"{"__metadata__":{"\ud83d":""}}"#, "surrogate"),
        (#"{"__metadata__":{"\ud83d\u0041":""}}"#, "surrogate"),
        (#"{"__metadata__":{"\q":""}}"#, "unknown escape"),
        (#"{"__metadata__":{"\u00g0":""}}"#, "hexadecimal"),
        ("{\"__metadata__\":{\"a\nb\":\"\"}}", "control character"),
    ])
    func `a header that breaks the format is refused, saying why`(header: String, reason: String) throws {
        let path = try folder.write(safetensors(header: header, dataByteCount: 8), to: "bad.safetensors")
        #expect {
            try SafetensorsFile(path: path)
        } throws: { error in
            guard case CheckpointError.badHeader(path, let found) = error else { return false }
            return found.contains(reason)
        }
    }

    @Test(arguments: [UInt64.max, 1 << 63, 100_000_001])
    func `a header of absurd length is refused before it is read`(length: UInt64) throws {
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) }
        let path = try folder.write(bytes + [UInt8](repeating: 0x20, count: 64), to: "long.safetensors")
        #expect(
            throws: CheckpointError.badHeader(path: path, reason: "a header of \(length) bytes is too long")
        ) { try SafetensorsFile(path: path) }
    }

    @Test func `a header longer than its file is refused`() throws {
        let path = try folder.write([100, 0, 0, 0, 0, 0, 0, 0] + Array("{}".utf8), to: "short.safetensors")
        #expect(throws: CheckpointError.truncated(path: path, expected: 108, found: 10)) {
            try SafetensorsFile(path: path)
        }
    }

    @Test func `a missing tensor, a wrong shape and a wrong type are named`() throws {
        let path = try folder.write(golden.bytes, to: "golden.safetensors")
        let file = try SafetensorsFile(path: path)
        #expect(throws: CheckpointError.missingTensor(path: path, tensor: "c")) {
            try file.tensor(named: "c")
        }
        #expect(
            throws: CheckpointError.shapeMismatch(
                path: path,
                tensor: "b.weight",
                expected: [3, 2],
                found: [2, 3]
            )
        ) { try file.tensor(named: "b.weight", shape: [3, 2]) }
        #expect(
            throws: CheckpointError.unsupportedType(
                path: path,
                tensor: "ids",
                expected: "F32, F16 or BF16",
                found: "I64"
            )
        ) { try file.tensor(named: "ids") }
        #expect(throws: CheckpointError.self) { try file.integers(named: "half") }
    }

    @Test func `a known type nothing is made from does no harm to its neighbours`() throws {
        let header = """
            {"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]},\
            "b":{"dtype":"F32","shape":[],"data_offsets":[4,8]}}
            """
        let path = try folder.write(safetensors(header: header, dataByteCount: 8), to: "x.safetensors")
        let file = try SafetensorsFile(path: path)
        #expect(try file.tensor(named: "b").count == 1)
        #expect(throws: CheckpointError.self) { try file.tensor(named: "a") }
    }

    @Test func `an unknown type is named`() throws {
        let header = #"{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}"#
        let path = try folder.write(safetensors(header: header, dataByteCount: 4), to: "x.safetensors")
        let expected = CheckpointError.unknownType(path: path, tensor: "a", type: "F31")
        #expect(throws: expected) { try SafetensorsFile(path: path) }
        #expect(expected.description == "\(path): tensor 'a' has unknown type 'F31'")
    }

    @Test func `a file that is not there is named`() {
        let path = folder.path + "/none.safetensors"
        #expect(throws: CheckpointError.unreadable(path: path, reason: "No such file or directory")) {
            try SafetensorsFile(path: path)
        }
    }

    @Test func `a name is added once`() async {
        await #expect(processExitsWith: .failure) {
            var writer = SafetensorsWriter()
            writer.add("a", Tensor(scalar: 1))
            writer.add("a", Tensor(scalar: 2))
        }
    }

    /// Opens a file of `bytes` and reads all in it; true if the header was refused.
    ///
    /// The file is new each time, because rewriting one waits for the disk.
    private func isRefused(_ bytes: [UInt8]) throws -> Bool {
        let path = try folder.write(bytes, to: "damaged-\(UUID()).safetensors")
        do {
            let file = try SafetensorsFile(path: path)
            for name in file.names {
                do {
                    _ = try file.tensor(named: name).values
                } catch .unsupportedType {
                    _ = try file.shape(of: name)
                }
            }
            return false
        } catch {
            return true
        }
    }
}
