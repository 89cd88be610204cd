import Foundation

/// What is read of a `spiece.model`: SentencePiece's `ModelProto` (sentencepiece_model.proto).
struct SentencePieceModel {
    static let name = "spiece.model"

    /// Larger files than this are not vocabularies.
    private static let largestFile = 1 << 28
    private static let mostPieces = 1 << 22

    /// `SentencePiece.Type`, the kinds told apart here.
    enum Kind: UInt64 {
        case unknown = 2
        case control = 3
        case userDefined = 4
    }

    let vocabulary: UnigramVocabulary
    /// Pieces that are looked for in the text as a whole, by their number.
    let wholePieces: [Int: String]
    /// The rules of the model's normalization; nil for none.
    let characterMap: [UInt8]?

    init(path: String) throws(ModelError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .missingFile(path: path, purpose: "a T5 tokenizer has its pieces there")
        }
        guard data.count <= Self.largestFile else {
            throw .badFile(path: path, reason: "\(data.count) bytes are no SentencePiece model")
        }
        do {
            self = try Self([UInt8](data)[...])
        } catch {
            throw .badFile(path: path, reason: "byte \(error.byte): \(error.text)")
        }
    }

    private typealias Problem = ProtocolBufferReader.Problem

    private init(_ file: ArraySlice<UInt8>) throws(Problem) {
        var pieces: [UnigramVocabulary.Piece] = []
        var wholePieces: [Int: String] = [:]
        var unknown: Int?
        var trainer = Trainer()
        var characterMap: [UInt8]?
        var reader = ProtocolBufferReader(file)
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (1, .bytes(let message)):
                let piece = try StoredPiece(message)
                guard pieces.count < Self.mostPieces else {
                    throw Problem(byte: message.startIndex, text: "more than \(Self.mostPieces) pieces")
                }
                switch piece.kind {
                case .unknown: unknown = unknown ?? pieces.count
                case .control, .userDefined: wholePieces[pieces.count] = piece.text
                case nil: break
                }
                pieces.append(UnigramVocabulary.Piece(text: Array(piece.text.utf8), score: piece.score))
            case (2, .bytes(let message)): trainer = try Trainer(message)
            case (3, .bytes(let message)): characterMap = try Self.characterMap(message)
            default: break
            }
        }
        guard !pieces.isEmpty else { throw Problem(byte: file.startIndex, text: "the model has no pieces") }
        guard trainer.modelType == 1 else {
            let text = "trainer_spec.model_type is \(trainer.modelType), expected 1, a unigram model"
            throw Problem(byte: file.startIndex, text: text)
        }
        vocabulary = UnigramVocabulary(
            pieces: pieces,
            unknown: unknown,
            fallsBackToBytes: trainer.fallsBackToBytes
        )
        self.wholePieces = wholePieces
        self.characterMap = characterMap
    }

    /// `SentencePiece`: the text (1), the score (2) and the type (3).
    private struct StoredPiece {
        var text = ""
        var score = 0.0
        var kind: Kind?

        init(_ message: ArraySlice<UInt8>) throws(Problem) {
            var reader = ProtocolBufferReader(message)
            while let (field, value) = try reader.next() {
                switch (field, value) {
                case (1, .bytes(let bytes)):
                    guard let text = String(validating: bytes, as: UTF8.self) else {
                        throw Problem(byte: bytes.startIndex, text: "a piece is not UTF-8")
                    }
                    self.text = text
                case (2, .bits(let bits)):
                    score = Double(Float(bitPattern: bits))
                    guard score.isFinite else {
                        throw Problem(byte: message.startIndex, text: "the score of \"\(text)\" is no number")
                    }
                case (3, .number(let number)): kind = Kind(rawValue: number)
                default: break
                }
            }
        }
    }

    /// `TrainerSpec`: the model's type (3) and whether unknown characters become bytes (35).
    private struct Trainer {
        var modelType: UInt64 = 1
        var fallsBackToBytes = false

        init() {}

        init(_ message: ArraySlice<UInt8>) throws(Problem) {
            var reader = ProtocolBufferReader(message)
            while let (field, value) = try reader.next() {
                switch (field, value) {
                case (3, .number(let number)): modelType = number
                case (35, .number(let number)): fallsBackToBytes = number != 0
                default: break
                }
            }
        }
    }

    /// `NormalizerSpec.precompiled_charsmap` (2).
    private static func characterMap(_ message: ArraySlice<UInt8>) throws(Problem) -> [UInt8]? {
        var map: [UInt8]?
        var reader = ProtocolBufferReader(message)
        while let (field, value) = try reader.next() {
            if case (2, .bytes(let bytes)) = (field, value), !bytes.isEmpty { map = Array(bytes) }
        }
        return map
    }
}
