import Tensors

/// One tensor of a safetensors file.
struct SafetensorsEntry {
    let type: SafetensorsType
    let shape: [Int]
    /// Where its numbers lie, counted from the file's first byte.
    let range: Range<Int>
}

/// The checked table of contents of a safetensors file.
///
/// Format: 8 bytes little-endian N, then N bytes of JSON, then the numbers without gaps
/// (https://huggingface.co/docs/safetensors, "Format").
struct SafetensorsHeader {
    let metadata: [String: String]
    let entries: [String: SafetensorsEntry]

    /// Bytes of JSON beyond which the format's reference implementation refuses a file.
    static let largestByteCount = 100_000_000

    /// Reads and checks the header of `file` completely: a header that exists describes bytes that exist.
    init(of file: MappedFile) throws(CheckpointError) {
        guard file.byteCount >= 8 else {
            throw .truncated(path: file.path, expected: 8, found: file.byteCount)
        }
        let length = file.bytes(0..<8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(Self.largestByteCount) else {
            throw .badHeader(path: file.path, reason: "a header of \(length) bytes is too long")
        }
        let start = 8 + Int(length)
        guard start <= file.byteCount else {
            throw .truncated(path: file.path, expected: start, found: file.byteCount)
        }
        let bytes = file.bytes(8..<start)
        guard bytes.first == UInt8(ascii: "{") else {
            throw .badHeader(path: file.path, reason: "the header does not begin with '{'")
        }

        var reading = HeaderReading(path: file.path, dataStart: start)
        do {
            var scanner = HeaderScanner(bytes)
            try reading.readAll(from: &scanner)
        } catch let flaw as HeaderFlaw {
            throw .badHeader(path: file.path, reason: flaw.reason)
        } catch let error as CheckpointError {
            throw error
        } catch {
            throw .badHeader(path: file.path, reason: "\(error)")
        }
        metadata = reading.metadata ?? [:]
        entries = reading.entries

        var end = start
        for (name, entry) in entries.sorted(by: { Self.precedes($0.value.range, $1.value.range) }) {
            guard entry.range.lowerBound == end else {
                let kind = entry.range.lowerBound < end ? "overlaps the tensor before it" : "leaves a gap"
                throw .badHeader(path: file.path, reason: "tensor '\(name)' \(kind)")
            }
            end = entry.range.upperBound
        }
        guard end <= file.byteCount else {
            throw .truncated(path: file.path, expected: end, found: file.byteCount)
        }
        guard end == file.byteCount else {
            let surplus = file.byteCount - end
            throw .badHeader(path: file.path, reason: "\(surplus) bytes lie behind the last tensor")
        }
    }

    /// Empty tensors may begin where another one does; they come first.
    private static func precedes(_ left: Range<Int>, _ right: Range<Int>) -> Bool {
        (left.lowerBound, left.upperBound) < (right.lowerBound, right.upperBound)
    }
}

/// What has been read of a header so far.
private struct HeaderReading {
    let path: String
    let dataStart: Int
    var metadata: [String: String]?
    var entries: [String: SafetensorsEntry] = [:]

    mutating func readAll(from scanner: inout HeaderScanner) throws {
        try scanner.beginObject()
        while let name = try scanner.nextKey(isFirst: metadata == nil && entries.isEmpty) {
            if name == "__metadata__" {
                guard metadata == nil else { throw scanner.flaw("there are two '__metadata__'") }
                metadata = try readMetadata(from: &scanner)
            } else {
                guard entries[name] == nil else { throw scanner.flaw("there are two tensors '\(name)'") }
                entries[name] = try readEntry(named: name, from: &scanner)
            }
        }
        try scanner.end()
    }

    private func readMetadata(from scanner: inout HeaderScanner) throws -> [String: String] {
        var texts: [String: String] = [:]
        try scanner.beginObject()
        while let key = try scanner.nextKey(isFirst: texts.isEmpty) {
            guard texts.updateValue(try scanner.string(), forKey: key) == nil else {
                throw scanner.flaw("the metadata has two values for '\(key)'")
            }
        }
        return texts
    }

    private func readEntry(
        named name: String,
        from scanner: inout HeaderScanner
    ) throws -> SafetensorsEntry {
        var typeName: String?
        var shape: [Int]?
        var offsets: [Int]?
        try scanner.beginObject()
        var isFirst = true
        while let key = try scanner.nextKey(isFirst: isFirst) {
            isFirst = false
            switch key {
            case "dtype" where typeName == nil: typeName = try scanner.string()
            case "shape" where shape == nil: shape = try scanner.integers()
            case "data_offsets" where offsets == nil: offsets = try scanner.integers()
            default: throw scanner.flaw("tensor '\(name)' has an unknown or a second '\(key)'")
            }
        }
        guard let typeName, let shape, let offsets, offsets.count == 2 else {
            throw scanner.flaw("tensor '\(name)' lacks dtype, shape or two data_offsets")
        }
        guard let type = SafetensorsType(rawValue: typeName) else {
            throw CheckpointError.unknownType(path: path, tensor: name, type: typeName)
        }
        guard let byteCount = Self.byteCount(of: shape, type) else {
            throw scanner.flaw("tensor '\(name)' of shape \(shape) is too large")
        }
        let end = offsets[1].addingReportingOverflow(dataStart)
        guard offsets[0] <= offsets[1], !end.overflow, offsets[1] - offsets[0] == byteCount else {
            throw scanner.flaw("tensor '\(name)' of \(byteCount) bytes has offsets \(offsets)")
        }
        return SafetensorsEntry(type: type, shape: shape, range: dataStart + offsets[0]..<end.partialValue)
    }

    /// Bytes of a tensor; nil when even the product of its non-zero extents overflows.
    private static func byteCount(of shape: [Int], _ type: SafetensorsType) -> Int? {
        var product = type.byteCount
        for extent in shape where extent > 0 {
            let (partial, overflow) = product.multipliedReportingOverflow(by: extent)
            if overflow { return nil }
            product = partial
        }
        return shape.contains(0) ? 0 : product
    }
}
