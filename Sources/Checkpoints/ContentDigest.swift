import Crypto
import FoundationEssentials
package import Tensors

/// The SHA-256 (FIPS 180-4) of some bytes: the name by which files, parameters and teachers are compared.
package struct ContentDigest: Hashable, Sendable {
    /// 32 bytes.
    package let bytes: [UInt8]

    /// Takes a digest computed elsewhere; nil unless it has 32 bytes.
    package init?(bytes: [UInt8]) {
        guard bytes.count == SHA256.byteCount else { return nil }
        self.bytes = bytes
    }

    /// Reads 64 hexadecimal digits; nil if there are others.
    package init?(hex: String) {
        let digits = hex.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == 2 * SHA256.byteCount, digits.count == hex.utf8.count else { return nil }
        bytes = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// Hashes `bytes`.
    package init(of bytes: [UInt8]) {
        self.bytes = Array(SHA256.hash(data: bytes))
    }

    init(_ running: SHA256) {
        bytes = Array(running.finalize())
    }

    /// 64 lower-case hexadecimal digits.
    package var hex: String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}

extension ContentDigest: CustomStringConvertible {
    package var description: String { hex }
}

extension ContentDigest: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let digest = ContentDigest(hex: text) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "'\(text)' is not a SHA-256 in hexadecimal"
            )
        }
        self = digest
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hex)
    }
}

// MARK: - Of tensors, files and folders

extension ContentDigest {
    /// Hashes named tensors in the order of their names' UTF-8 bytes.
    ///
    /// Of each: byte count of the name, name, axis count, extents, then the elements as 32-bit floats; all
    /// numbers little-endian, counts and extents 64 bits wide. So two sets of parameters have one hash if and
    /// only if names, shapes and bits agree.
    package init(ofTensors tensors: [String: Tensor]) {
        var running = SHA256()
        for (name, tensor) in tensors.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            running.update(data: littleEndianBytes(name.utf8.count) + Array(name.utf8))
            running.update(data: littleEndianBytes(tensor.shape.count))
            for extent in tensor.shape { running.update(data: littleEndianBytes(extent)) }
            running.update(data: tensor.encoded(as: .float32))
        }
        self.init(running)
    }

    /// Hashes a file's bytes, as `sha256sum` does.
    package init(ofFile path: String) throws(CheckpointError) {
        var running = SHA256()
        let file = try MappedFile(opening: path)
        for range in file.ranges(of: 1 << 20) {
            running.update(data: file.bytes(range))
            file.forget(range)
        }
        self.init(running)
    }

    /// Hashes the files below a folder, hidden ones excepted, in the order of their paths' UTF-8 bytes.
    ///
    /// Of each: byte count of the relative path, the path, SHA-256 of the file.
    package init(ofFolder path: String) throws(CheckpointError) {
        var running = SHA256()
        for name in try Folder(path).filesBelow() {
            running.update(data: littleEndianBytes(name.utf8.count) + Array(name.utf8))
            running.update(data: try ContentDigest(ofFile: "\(path)/\(name)").bytes)
        }
        self.init(running)
    }
}

/// 64 bits of `number`, least significant byte first.
func littleEndianBytes(_ number: Int) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
}
