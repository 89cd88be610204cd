import Checkpoints
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
            throw .badFile(path: path, reason: error.reason)
        } catch {
            throw .badFile(path: path, reason: "\(error)")
        }
    }
}
