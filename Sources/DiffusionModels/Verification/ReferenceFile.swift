package import Checkpoints
package import Tensors

/// A component's inputs and what another program made of them, in one safetensors file
/// (`Scripts/reference/make_reference.py` writes such files).
///
/// Inputs carry the names of diffusers' and transformers' arguments, outputs `expected.<name>`. A reference that nothing
/// is compared with is an error, so that no misspelt one passes.
package struct ReferenceFile: Sendable {
    private static let prefix = "expected."
    private static let gradientPrefix = "expected.grad."
    private static let parameterPrefix = "expected.grad.param."

    package let file: SafetensorsFile

    package init(path: String) throws(CheckpointError) {
        file = try SafetensorsFile(path: path)
    }

    package var path: String { file.path }

    /// What the file expects, without `expected.`, sorted; at least one.
    ///
    /// - Parameter component: gives `outputs`, and gradients if `hasGradients`.
    package func outputs(
        of component: ModelComponent,
        givenBy outputs: [String],
        gradientsOf inputs: [String] = [],
        ofParameters: Bool = false
    ) throws -> Set<String> {
        let expected = file.names.filter { $0.hasPrefix(Self.prefix) }
        guard !expected.isEmpty else {
            throw ModelError.badFile(
                path: path,
                reason: "expects nothing (no tensor is named \(Self.prefix)…)"
            )
        }
        let known = Set(outputs.map { Self.prefix + $0 } + inputs.map { Self.gradientPrefix + $0 })
        for name in expected where !known.contains(name) {
            guard ofParameters, name.hasPrefix(Self.parameterPrefix) else {
                throw ModelError.badFile(
                    path: path,
                    reason: "\(name) is nothing that can be compared for \(component.rawValue); known: "
                        + known.sorted().joined(separator: ", ")
                )
            }
        }
        return Set(expected.map { String($0.dropFirst(Self.prefix.count)) })
    }

    /// The parameters whose gradients the file expects.
    package var parameterNames: [String] {
        file.names.filter { $0.hasPrefix(Self.parameterPrefix) }
            .map { String($0.dropFirst(Self.parameterPrefix.count)) }
    }

    /// An input of so many axes; an extent that is given must be met.
    package func input(_ name: String, shape: [Int?]) throws -> Tensor {
        let found = try file.shape(of: name)
        let fits =
            found.count == shape.count && !found.contains(0)
            && zip(found, shape).allSatisfy { found, wanted in wanted.map { $0 == found } ?? true }
        guard fits else {
            let wanted = shape.map { $0.map(String.init) ?? "any" }.joined(separator: ", ")
            throw ModelError.badFile(
                path: path,
                reason: "\(name) has shape \(found), expected [\(wanted)]"
            )
        }
        let tensor = try file.tensor(named: name)
        guard tensor.isFinite else {
            throw ModelError.badFile(path: path, reason: "\(name) has elements that are not finite")
        }
        return tensor
    }

    /// Numbers that may be stored as integers, as time steps sometimes are.
    package func numbers(_ name: String) throws -> [Float] {
        try file.holdsIntegers(name)
            ? file.integers(named: name).map(Float.init) : file.tensor(named: name).values
    }

    /// Compares an output with `expected.<name>`.
    package func comparison(_ name: String, with found: Tensor, scale: Double = 0) throws -> TensorComparison
    {
        let key = Self.prefix + name
        let shape = try file.shape(of: key)
        // A scalar may have been stored with an axis.
        guard shape == found.shape || (found.count == 1 && shape.reduce(1, *) == 1) else {
            throw ModelError.wrongShape(name: key, file: path, expected: found.shape, found: shape)
        }
        let expected = try file.tensor(named: key).reshaped(found.shape)
        return TensorComparison(key, found, expected: expected, scale: scale)
    }
}
