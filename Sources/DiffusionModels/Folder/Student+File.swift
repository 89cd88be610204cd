package import Checkpoints
import NeuralNetwork
import Tensors

/// Students as files: adapters under PEFT's names, or weights under diffusers'.
extension Student {
    /// The file of a student in 32-bit floats.
    ///
    /// - Parameter metadata: what the file says beside what other programs look for.
    package func writer(metadata: [String: String] = [:]) -> SafetensorsWriter {
        switch self {
        case .adapters(let adapters):
            return AdapterFile.writer(adapters, metadata: metadata)
        case .weights(let set):
            var writer = SafetensorsWriter(metadata: metadata.merging(MergedTransformer.format) { $1 })
            for (name, tensor) in set.tensors { writer.add(name, tensor) }
            return writer
        }
    }

    /// Reads a student of a teacher: adapters that any program saved, or a transformer's weights, which may leave out
    /// those that do not learn.
    ///
    /// - Parameters:
    ///   - teacher: its transformer's weights.
    ///   - layerCount: of its blocks.
    package init(path: String, of teacher: Weights, layerCount: Int) throws {
        let file = try SafetensorsFile(path: path)
        let known = teacher.stored
        guard file.names.contains(where: { known[$0] != nil }) else {
            let adapters = try AdapterImport(path: path, for: teacher, layerCount: layerCount)
            self = .adapters(adapters.adapters(for: teacher))
            return
        }
        if let stranger = file.names.first(where: { known[$0] == nil }) {
            throw ModelError.badFile(path: path, reason: "\(stranger) is no weight of \(teacher.origin)")
        }
        let layout = teacher.layout { VelocityTransformer.isTrainable($0, layerCount: layerCount) }
        let set = ParameterSet(id: 0, layout: layout)
        for (name, tensor) in set.tensors {
            tensor.copy(from: try file.tensor(named: name, shape: tensor.shape))
        }
        self = .weights(set)
    }
}
