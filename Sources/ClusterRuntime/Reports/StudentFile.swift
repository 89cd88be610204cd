package import Checkpoints
package import DiffusionModels
package import Distillation
import FoundationEssentials

/// A trained student on disk, wherever a person points.
package enum StudentFile {
    /// The running mean of a run's student, in a checkpoint.
    static let averageName = "student_average.safetensors"
    /// The names a student has: exported, and in a checkpoint, the running mean before the last state.
    private static let names = [
        AdapterFile.name, averageName, "student.safetensors",
        "\(StudentExport.transformerName)/\(MergedTransformer.weightsName)", MergedTransformer.weightsName,
    ]

    /// The file that `path` means: itself, or one in that folder: a checkpoint's, an exported student's or a transformer's.
    package static func locate(_ path: String) throws(CheckpointError) -> String {
        var isFolder = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw .unreadable(path: path, reason: "there is no such file")
        }
        guard isFolder else { return path }
        let candidates = names.map { "\(path)/\($0)" }
        guard let file = candidates.first(where: FileManager.default.fileExists(atPath:)) else {
            throw .unreadable(path: path, reason: "the folder has no \(names.joined(separator: " and no "))")
        }
        return file
    }

    /// How the student that `path` means is sampled; as FlowSteer's are where its file says nothing of it.
    package static func sampling(_ path: String) throws -> StudentSampling {
        let file = try locate(path)
        guard let sampling = StudentSampling(metadata: try SafetensorsFile(path: file).metadata) else {
            throw CheckpointError.unreadable(
                path: file,
                reason: "its metadata say nothing sensible of sampling"
            )
        }
        return sampling
    }

    /// Reads the student that `path` means, for the model it was trained on; adapters that other programs saved, too.
    package static func read(_ path: String, for model: ModelFolder) throws -> Student {
        try Student(path: locate(path), of: model.weights, layerCount: model.configuration.layerCount)
    }
}
