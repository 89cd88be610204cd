/// Why a model folder cannot be used.
package enum ModelError: Error, Equatable, CustomStringConvertible {
    /// The folder lacks something it must have.
    case missingFile(path: String, purpose: String)
    /// A file is not what its name says.
    case badFile(path: String, reason: String)
    /// A configuration value this program does not know or cannot serve.
    case unsupported(path: String, field: String, value: String, expected: String)
    case missingTensor(name: String, file: String)
    case wrongShape(name: String, file: String, expected: [Int], found: [Int])

    package var description: String {
        switch self {
        case .missingFile(let path, let purpose): "\(path): not found; \(purpose)"
        case .badFile(let path, let reason): "\(path): \(reason)"
        case .unsupported(let path, let field, let value, let expected):
            "\(path): \(field) is \(value), expected \(expected)"
        case .missingTensor(let name, let file): "\(file): tensor \(name) is missing"
        case .wrongShape(let name, let file, let expected, let found):
            "\(file): tensor \(name) has shape \(found), expected \(expected)"
        }
    }
}
