import Checkpoints
import ClusterMessages

extension ChunkSource {
    /// Bytes sent for one request at most, whatever credit it states.
    private static let replyByteCount = 4 << 20
    private static let pieceByteCount = 1 << 19

    /// What a holder says to a request for a part of a file.
    func answers(to request: Message.ChunkRequest) -> [Message] {
        let digest = ContentDigest(request.hash)
        guard let total = byteCount(of: digest) else {
            let text = "no checkpoint has this file, or none has it any more"
            return [.fetchError(.init(hash: request.hash, code: .notFound, text: text))]
        }
        guard request.offset < total else {
            let text = "byte \(request.offset) of \(total)"
            return [.fetchError(.init(hash: request.hash, code: .tooLarge, text: text))]
        }
        let end = min(total, request.offset + min(request.creditByteCount, Self.replyByteCount))
        return stride(from: request.offset, to: end, by: Self.pieceByteCount).compactMap { start in
            let count = min(end - start, Self.pieceByteCount)
            guard let bytes = try? chunk(of: digest, at: start, byteCount: count) else { return nil }
            return .chunk(.init(hash: request.hash, offset: start, totalByteCount: total, payload: bytes))
        }
    }
}
