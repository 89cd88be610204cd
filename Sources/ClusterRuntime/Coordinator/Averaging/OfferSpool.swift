import ClusterMessages
import Foundation
import Tensors

/// The bytes of one offer, on the disk: an offer may be left out of a round after all of it has come, so what came is
/// kept, but not in memory.
///
/// The file loses its name as soon as it is open, so it is gone with whoever holds it, however that ends. It is written
/// by its one owner and read when all of it is there.
struct OfferSpool: Sendable {
    private let path: String
    private let file: FileHandle

    /// - Parameter folder: of the run, on whose disk the bytes lie.
    init(folder: String) throws(CoordinatorError) {
        path = "\(folder)/offer-\(UUID().uuidString)"
        do {
            try Data().write(to: URL(filePath: path))
            file = try FileHandle(forUpdating: URL(filePath: path))
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw .unwritable(path: path, reason: "\(error)")
        }
    }

    /// Writes bytes behind all others.
    func append(_ bytes: [UInt8]) throws(CoordinatorError) {
        do {
            try file.seekToEnd()
            try file.write(contentsOf: Data(bytes))
        } catch {
            throw .unwritable(path: path, reason: "\(error)")
        }
    }

    /// Reads bytes that were written.
    func read(_ range: Range<Int>) throws(CoordinatorError) -> [UInt8] {
        let bytes: Data?
        do {
            try file.seek(toOffset: UInt64(range.lowerBound))
            bytes = try file.read(upToCount: range.count)
        } catch {
            throw .unwritable(path: path, reason: "\(error)")
        }
        guard let bytes, bytes.count == range.count else {
            throw .unwritable(path: path, reason: "it does not have the bytes \(range) that were written")
        }
        return Array(bytes)
    }
}

/// A complete offer.
struct SpooledOffer: Sendable {
    private let spool: OfferSpool
    /// Each segment and its first byte.
    private var places: [String: (segment: Message.ParameterSegment, start: Int)] = [:]

    init(_ segments: [Message.ParameterSegment], in spool: OfferSpool) {
        self.spool = spool
        var start = 0
        for segment in segments {
            places[segment.name] = (segment, start)
            start += segment.byteCount
        }
    }

    /// Numbers of a segment; nil when the offer does not have it.
    ///
    /// - Parameters:
    ///   - range: begins at a multiple of ``ByteBlocks/numberCount`` and ends at one, or with the segment.
    ///   - base: the numbers at the same places that the offered ones began as.
    func values(of name: String, _ range: Range<Int>, base: Tensor) throws(CoordinatorError) -> Tensor? {
        guard let (segment, start) = places[name] else { return nil }
        let encoding = segment.encoding
        let first = start + encoding.byteCount(of: range.lowerBound)
        let bytes = try spool.read(first..<first + encoding.byteCount(of: range.count))
        return Difference.values(bytes, encoding, base: base)
    }
}
