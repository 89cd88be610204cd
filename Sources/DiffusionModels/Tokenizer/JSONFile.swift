import Foundation

/// A JSON file decoded as a whole, its errors in this module's terms.
enum JSONFile {
    static func decode<Value: Decodable>(
        _ type: Value.Type,
        path: String,
        purpose: String
    ) throws(ModelError) -> Value {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .missingFile(path: path, purpose: purpose)
        }
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch let error as DecodingError {
            throw .badFile(path: path, reason: Self.reason(error))
        } catch {
            throw .badFile(path: path, reason: "\(error)")
        }
    }

    /// Where and why decoding failed, in one line.
    private static func reason(_ error: DecodingError) -> String {
        let context: DecodingError.Context
        switch error {
        case .typeMismatch(_, let found), .valueNotFound(_, let found), .keyNotFound(_, let found),
            .dataCorrupted(let found):
            context = found
        @unknown default:
            return "cannot be decoded"
        }
        let field = context.codingPath.map(\.stringValue).joined(separator: ".")
        let detail = context.underlyingError.map { " (\(($0 as NSError).localizedDescription))" } ?? ""
        return (field.isEmpty ? "" : "\(field): ") + context.debugDescription + detail
    }
}
