import Checkpoints
import Foundation
import Tensors
import Testing

struct SafetensorsRoundTripTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(arguments: ScalarType.allCases)
    func `tensors of every floating-point type come back as written`(type: ScalarType) throws {
        let path = folder.path + "/weights.safetensors"
        let values: [Float] = [0, -0.0, 1, -2.5, 0.125, 96, .infinity, -.infinity]
        var writer = SafetensorsWriter(metadata: ["format": "pt"])
        writer.add("matrix", Tensor(values, shape: [2, 4]), as: type)
        writer.add("scalar", Tensor(scalar: -0.5), as: type)
        writer.add("nothing", Tensor([], shape: [3, 0]), as: type)
        try writer.write(to: path)

        let file = try SafetensorsFile(path: path)
        #expect(file.names == ["matrix", "nothing", "scalar"])
        #expect(file.metadata == ["format": "pt"])
        #expect(try file.scalarType(of: "matrix") == type)
        let matrix = try file.tensor(named: "matrix", shape: [2, 4])
        #expect(matrix.values.map(\.bitPattern) == values.map(\.bitPattern))
        #expect(try file.tensor(named: "scalar", shape: []).scalar == -0.5)
        #expect(try file.tensor(named: "nothing").shape == [3, 0])
        #expect(try file.tensors().keys.sorted() == file.names)
        #expect(try folder.entries == ["weights.safetensors"])
    }

    @Test func `32-bit floats keep every bit`() throws {
        let path = folder.path + "/weights.safetensors"
        let bits: [UInt32] = [0x7FC0_1234, 0x0000_0001, 0x3F80_0001, 0xFF80_0000, 0x8000_0000]
        let tensor = Tensor(bits.map(Float.init(bitPattern:)), shape: [5])
        try SafetensorsWriter(["x": tensor]).write(to: path)
        #expect(try SafetensorsFile(path: path).tensor(named: "x").values.map(\.bitPattern) == bits)
    }

    @Test func `integers come back as written`() throws {
        let path = folder.path + "/ids.safetensors"
        var writer = SafetensorsWriter()
        writer.add("ids", integers: [0, -1, .max, .min, 49_407, 7], shape: [2, 3])
        try writer.write(to: path)
        let file = try SafetensorsFile(path: path)
        #expect(try file.integers(named: "ids") == [0, -1, .max, .min, 49_407, 7])
        #expect(try file.shape(of: "ids") == [2, 3])
    }

    @Test(
        arguments: [
            ("BOOL", [0, 1, 2], [0, 1, 1]), ("U8", [0, 0x7F, 0x80], [0, 127, 128]),
            ("I8", [0, 0x7F, 0x80], [0, 127, -128]), ("I16", [0xFF, 0x7F, 0, 0x80], [32767, -32768]),
            ("U16", [0xFF, 0x7F, 0, 0x80], [32767, 32768]),
            ("I32", [0xFE, 0xFF, 0xFF, 0xFF, 1, 2, 0, 0], [-2, 513]),
            ("U32", [0xFE, 0xFF, 0xFF, 0xFF, 1, 2, 0, 0], [4_294_967_294, 513]),
        ] as [(String, [UInt8], [Int])]
    )
    func `narrow integers are read with their signs`(type: String, data: [UInt8], expected: [Int]) throws {
        let header = """
            {"x":{"dtype":"\(type)","shape":[\(expected.count)],"data_offsets":[0,\(data.count)]}}
            """
        let path = try folder.write(safetensors(header: header) + data, to: "x.safetensors")
        #expect(try SafetensorsFile(path: path).integers(named: "x") == expected)
    }

    @Test func `the bytes are those of the reference implementation`() throws {
        let path = folder.path + "/golden.safetensors"
        try golden.writer.write(to: path)
        #expect(try folder.bytes(of: "golden.safetensors") == golden.bytes)
        #expect(golden.writer.bytes == golden.bytes)
    }

    @Test func `a file of the reference implementation is read`() throws {
        let file = try SafetensorsFile(path: try folder.write(golden.bytes, to: "golden.safetensors"))
        #expect(file.names == ["a.weight", "b.weight", "empty", "half", "ids", "scalar"])
        #expect(file.metadata == ["form\"at": "pt\n"])
        #expect(try file.tensor(named: "b.weight", shape: [2, 3]).values == [1, 2, 3, 4, 5, 6])
        #expect(try file.tensor(named: "half").values == [1.5, -2, 0])
        #expect(try file.tensor(named: "scalar").scalar == 3.25)
        #expect(try file.integers(named: "ids") == [-1, 7])
    }

    @Test func `the order of adding does not matter`() {
        var reversed = SafetensorsWriter(metadata: ["b": "2", "a": "1"])
        var straight = SafetensorsWriter(metadata: ["a": "1", "b": "2"])
        for number in 0..<20 { straight.add("t\(number)", Tensor(scalar: Float(number))) }
        for number in (0..<20).reversed() { reversed.add("t\(number)", Tensor(scalar: Float(number))) }
        #expect(straight.bytes == reversed.bytes)
        #expect(straight.bytes.prefix(8).first.map { $0 % 8 } == 0)
    }

    @Test func `names and metadata keep any characters`() throws {
        let odd = "quote\" backslash\\ tab\t bell\u{07} é 猫 😀 /slash"
        let path = folder.path + "/odd.safetensors"
        try SafetensorsWriter([odd: Tensor(scalar: 2)], metadata: [odd: odd]).write(to: path)
        let file = try SafetensorsFile(path: path)
        #expect(file.names == [odd])
        #expect(file.metadata == [odd: odd])
    }

    @Test func `escapes in a header are read`() throws {
        let header = #"""
             {"__metadata__" : { "k\u00e9\/" : "\ud83d\ude00\b\f\n\r\t" } ,
              "a\u0062" : {"shape" : [ ] , "data_offsets" : [ 0 , 4 ], "dtype" : "F32"} }
            """#
        let path = try folder.write(
            safetensors(header: header.trimmingCharacters(in: .whitespaces), dataByteCount: 4),
            to: "x.safetensors"
        )
        let file = try SafetensorsFile(path: path)
        #expect(file.names == ["ab"])
        #expect(file.metadata == ["ké/": "😀\u{08}\u{0C}\n\r\t"])
    }

    @Test func `a tensor outlives its file's name`() throws {
        let path = folder.path + "/weights.safetensors"
        try SafetensorsWriter(["x": Tensor([1, 2, 3], shape: [3])]).write(to: path)
        let tensor = try SafetensorsFile(path: path).tensor(named: "x")
        try SafetensorsWriter(["x": Tensor([4, 5, 6], shape: [3])]).write(to: path)
        #expect(tensor.values == [1, 2, 3])
        #expect(try SafetensorsFile(path: path).tensor(named: "x").values == [4, 5, 6])
    }

    @Test func `a folder that is not there is named`() {
        let path = folder.path + "/nowhere/x.safetensors"
        #expect {
            try SafetensorsWriter().write(to: path)
        } throws: { error in
            guard case CheckpointError.unwritable(let named, "No such file or directory") = error else {
                return false
            }
            return named.hasPrefix(path)
        }
    }
}

/// A file made by `safetensors.numpy.save` 0.8.0, and what it was made from.
let golden = (
    writer: {
        var writer = SafetensorsWriter(metadata: ["form\"at": "pt\n"])
        writer.add("half", Tensor([1.5, -2, 0], shape: [3]), as: .float16)
        writer.add("b.weight", Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3]))
        writer.add("a.weight", Tensor([0.5], shape: [1]))
        writer.add("ids", integers: [-1, 7], shape: [1, 2])
        writer.add("scalar", Tensor(scalar: 3.25))
        writer.add("empty", Tensor([], shape: [0, 4]))
        return writer
    }(),
    bytes: [0x90, 0x01, 0, 0, 0, 0, 0, 0]
        + Array(
            (#"{"__metadata__":{"form\"at":"pt\n"},"#
                + #""ids":{"dtype":"I64","shape":[1,2],"data_offsets":[0,16]},"#
                + #""a.weight":{"dtype":"F32","shape":[1],"data_offsets":[16,20]},"#
                + #""b.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[20,44]},"#
                + #""empty":{"dtype":"F32","shape":[0,4],"data_offsets":[44,44]},"#
                + #""scalar":{"dtype":"F32","shape":[],"data_offsets":[44,48]},"#
                + #""half":{"dtype":"F16","shape":[3],"data_offsets":[48,54]}}  "#).utf8
        )
        + [
            0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0x3F, 0, 0, 0x80, 0x3F, 0, 0, 0, 0x40, 0, 0, 0x40, 0x40, 0, 0, 0x80, 0x40,
            0, 0, 0xA0, 0x40, 0, 0, 0xC0, 0x40, 0, 0, 0x50, 0x40, 0, 0x3E, 0, 0xC0, 0, 0,
        ]
)
