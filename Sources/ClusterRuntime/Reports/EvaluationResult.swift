package import Evaluation
import Foundation
package import ImageFiles

/// What an evaluation found: numbers, and pictures where the model draws pixels.
package struct EvaluationResult: Sendable {
    package let rows: [EvaluationRow]
    package let sheet: Picture?

    /// Runs every method of an evaluation, saying before each which one it is.
    ///
    /// - Parameter progress: receives the names of methods.
    package init(
        of evaluation: StudentEvaluation,
        drawsPixels: Bool,
        progress: AsyncStream<String>.Continuation? = nil
    ) {
        progress?.yield(evaluation.reference.name)
        let reference = evaluation.endpoints(of: evaluation.reference)
        let endpoints = evaluation.methods.map { method in
            progress?.yield(method.name)
            return evaluation.endpoints(of: method)
        }
        rows = evaluation.rows(endpoints, reference: reference)
        sheet = drawsPixels ? evaluation.sheet(endpoints, reference: reference) : nil
    }

    /// `{"evaluation": [{"method", "functionEvaluations", "distanceToTeacher", …}]}`, indented.
    package func json() throws -> [UInt8] { try ReportCoding.encoded(["evaluation": rows]) }
}

/// How reports are written as JSON: for people to read, keys in order.
enum ReportCoding {
    static func encoded(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf",
            negativeInfinity: "-inf",
            nan: "nan"
        )
        return Array(try encoder.encode(value)) + [UInt8(ascii: "\n")]
    }

    /// Reads what ``encoded(_:)`` wrote.
    static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf",
            negativeInfinity: "-inf",
            nan: "nan"
        )
        return decoder
    }
}
