import Checkpoints
import Foundation
import Tensors
import Testing

struct SafetensorsFolderTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ name: String, _ tensors: [String: Float]) throws {
        try SafetensorsWriter(tensors.mapValues { Tensor(scalar: $0) }).write(to: "\(folder.path)/\(name)")
    }

    private func writeIndex(_ shards: [String: String], name: String = "model.safetensors.index.json") throws
    {
        let index: [String: Any] = ["metadata": ["total_size": 8], "weight_map": shards]
        try folder.write(try JSONSerialization.data(withJSONObject: index), to: name)
    }

    @Test func `one file is a folder's weights`() throws {
        try write("model.safetensors", ["a": 1, "b": 2])
        let weights = try SafetensorsFolder(path: folder.path)
        #expect(weights.names == ["a", "b"])
        #expect(try weights.tensor(named: "b", shape: []).scalar == 2)
        #expect(weights.contains("a") && !weights.contains("c"))
    }

    @Test func `integers beside the weights are left out of the weights`() throws {
        var writer = SafetensorsWriter(["a": Tensor(scalar: 1)])
        writer.add("position_ids", integers: [0, 1, 2], shape: [1, 3])
        try writer.write(to: folder.path + "/model.safetensors")
        let weights = try SafetensorsFolder(path: folder.path)
        #expect(try weights.tensors().keys.sorted() == ["a"])
        #expect(try weights.holdsIntegers("position_ids"))
        #expect(try weights.integers(named: "position_ids") == [0, 1, 2])
        #expect(try weights.shape(of: "position_ids") == [1, 3])
    }

    @Test func `an index finds tensors over shards`() throws {
        let shards = (1...2).map { "diffusion_pytorch_model-0000\($0)-of-00002.safetensors" }
        try write(shards[0], ["a": 1, "b": 2])
        try write(shards[1], ["c": 3])
        try writeIndex(
            ["a": shards[0], "b": shards[0], "c": shards[1]],
            name: "diffusion_pytorch_model.safetensors.index.json"
        )
        let weights = try SafetensorsFolder(path: folder.path)
        #expect(weights.names == ["a", "b", "c"])
        #expect(try weights.tensors().mapValues(\.scalar) == ["a": 1, "b": 2, "c": 3])
        #expect(throws: CheckpointError.missingTensor(path: folder.path, tensor: "d")) {
            try weights.tensor(named: "d")
        }
    }

    @Test func `a missing shard is named`() throws {
        try write("model-1.safetensors", ["a": 1])
        try writeIndex(["a": "model-1.safetensors", "b": "model-2.safetensors"])
        let index = folder.path + "/model.safetensors.index.json"
        #expect(throws: CheckpointError.missingShard(index: index, shard: "model-2.safetensors")) {
            try SafetensorsFolder(path: folder.path)
        }
    }

    @Test func `a shard that lacks what its index says is named`() throws {
        try write("model-1.safetensors", ["a": 1])
        try writeIndex(["a": "model-1.safetensors", "b": "model-1.safetensors"])
        let shard = folder.path + "/model-1.safetensors"
        #expect(throws: CheckpointError.missingTensor(path: shard, tensor: "b")) {
            try SafetensorsFolder(path: folder.path)
        }
    }

    @Test(arguments: ["../model.safetensors", "/etc/passwd", "a/b.safetensors", "", ".hidden", "a\u{0}b"])
    func `an index cannot lead out of its folder`(name: String) throws {
        try writeIndex(["a": name])
        #expect(throws: CheckpointError.badFileName(name)) { try SafetensorsFolder(path: folder.path) }
    }

    @Test func `an index that is not one is refused`() throws {
        try folder.write(Array(#"{"weights":{}}"#.utf8), to: "model.safetensors.index.json")
        #expect(throws: CheckpointError.self) { try SafetensorsFolder(path: folder.path) }
    }

    @Test func `the usual name is preferred to variants beside it`() throws {
        try write("model.fp16.safetensors", ["a": 16])
        try write("model.safetensors", ["a": 32])
        #expect(try SafetensorsFolder(path: folder.path).tensor(named: "a").scalar == 32)
    }

    @Test func `shards of a variant alone are found by its index`() throws {
        try write("model.fp16-00001-of-00002.safetensors", ["a": 1])
        try write("model.fp16-00002-of-00002.safetensors", ["b": 2])
        try writeIndex(
            ["a": "model.fp16-00001-of-00002.safetensors", "b": "model.fp16-00002-of-00002.safetensors"],
            name: "model.safetensors.index.fp16.json"
        )
        let weights = try SafetensorsFolder(path: folder.path)
        #expect(weights.names == ["a", "b"])
        #expect(try weights.tensor(named: "b").scalar == 2)
    }

    @Test func `any only file will do, and several are refused`() throws {
        try write("student.safetensors", ["a": 1])
        #expect(try SafetensorsFolder(path: folder.path).names == ["a"])
        try write("teacher.safetensors", ["a": 1])
        let reason = "holds several weights: student.safetensors, teacher.safetensors"
        #expect(throws: CheckpointError.badIndex(path: folder.path, reason: reason)) {
            try SafetensorsFolder(path: folder.path)
        }
    }

    @Test(arguments: [
        ("{\"weight_map\": ", "The given data was not valid JSON."),
        ("{\"weight_map\": {\"a\": 1}}", "weight_map.a: "),
        ("{}", "weight_map"),
    ])
    func `an index that cannot be read is refused in one line that says where`(
        _ text: String,
        _ reason: String
    ) throws {
        try folder.write(Data(text.utf8), to: "model.safetensors.index.json")
        #expect {
            try SafetensorsFolder(path: folder.path)
        } throws: { error in
            guard case CheckpointError.badIndex(_, let actual) = error else { return false }
            let isOneLine = !actual.contains("\n") && !actual.contains("DecodingError")
            return isOneLine && actual.contains("is not an index of shards: ") && actual.contains(reason)
        }
    }

    @Test func `an empty folder is refused`() {
        let reason = "holds no *.safetensors and no *.safetensors.index.json"
        #expect(throws: CheckpointError.badIndex(path: folder.path, reason: reason)) {
            try SafetensorsFolder(path: folder.path)
        }
    }
}
