import Foundation

extension DecodingError {
    /// Where and why decoding failed, in one line.
    package var reason: String {
        let context: Context
        switch self {
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
