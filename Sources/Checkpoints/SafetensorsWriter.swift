package import Tensors

/// The contents of a safetensors file to be written.
///
/// Equal contents give equal bytes, those of the format's reference implementation: wider types come first,
/// then names in the order of their UTF-8, whatever the order of adding; the header is padded with spaces to
/// a multiple of 8.
package struct SafetensorsWriter: Sendable {
    private let metadata: [String: String]
    private var entries: [String: Entry] = [:]

    /// Begins without tensors; `metadata` becomes the header's `__metadata__`.
    package init(metadata: [String: String] = [:]) {
        self.metadata = metadata
    }

    /// All of `tensors` in one type.
    package init(
        _ tensors: [String: Tensor],
        as type: ScalarType = .float32,
        metadata: [String: String] = [:]
    ) {
        self.init(metadata: metadata)
        for (name, tensor) in tensors { add(name, tensor, as: type) }
    }

    /// Adds a tensor, to be rounded to nearest even where `type` is narrower; a name is added once.
    package mutating func add(_ name: String, _ tensor: Tensor, as type: ScalarType = .float32) {
        add(name, StoredTensor(tensor), as: type)
    }

    /// Adds numbers that are read when the file is written.
    package mutating func add(_ name: String, _ tensor: StoredTensor, as type: ScalarType) {
        insert(name, Entry(shape: tensor.shape, numbers: .tensor(tensor, type)))
    }

    /// Adds integers, row-major, stored as I64.
    package mutating func add(_ name: String, integers: [Int], shape: [Int]) {
        precondition(
            integers.count == shape.reduce(1, *),
            "shape \(shape) does not hold \(integers.count) integers"
        )
        insert(name, Entry(shape: shape, numbers: .integers(integers)))
    }

    /// Writes the file durably under a temporary name beside `path`, then gives it its name.
    package func write(to path: String) throws(CheckpointError) {
        try writeAtomically(pieces, to: path)
    }

    /// The whole file in memory.
    package var bytes: [UInt8] { pieces.reduce(into: []) { $0 += $1 } }

    private mutating func insert(_ name: String, _ entry: Entry) {
        precondition(name != "__metadata__", "no tensor is named __metadata__")
        precondition(entries[name] == nil, "tensor '\(name)' was added before")
        entries[name] = entry
    }
}

// MARK: - Layout

extension SafetensorsWriter {
    private struct Entry: Sendable {
        enum Numbers: Sendable {
            case tensor(StoredTensor, ScalarType)
            case integers([Int])
        }

        let shape: [Int]
        let numbers: Numbers

        var type: SafetensorsType {
            switch numbers {
            case .tensor(_, let type): SafetensorsType(type)
            case .integers: .signed64
            }
        }

        var byteCount: Int { shape.reduce(type.byteCount, *) }

        /// Numbers encoded at once.
        private static let pieceCount = 1 << 20

        /// The numbers, a few MiB at a time: a tensor may be as large as all else in memory.
        var ranges: [Range<Int>] {
            let count = shape.reduce(1, *)
            return stride(from: 0, to: count, by: Self.pieceCount).map {
                $0..<min(count, $0 + Self.pieceCount)
            }
        }

        func bytes(of places: Range<Int>) -> [UInt8] {
            switch numbers {
            case .tensor(let tensor, let type):
                tensor.reshaped([tensor.count]).rows(places).floats.encoded(as: type)
            case .integers(let integers): integers[places].flatMap(littleEndianBytes)
            }
        }
    }

    /// The file's bytes, header first and then tensor by tensor, each piece encoded when its turn comes.
    var pieces: some Sequence<[UInt8]> {
        let ordered = ordered
        let places = ordered.flatMap { tensor in tensor.entry.ranges.map { (entry: tensor.entry, range: $0) }
        }
        return (-1..<places.count).lazy.map { index in
            index < 0 ? header(of: ordered) : places[index].entry.bytes(of: places[index].range)
        }
    }

    private var ordered: [(name: String, entry: Entry)] {
        func rank(_ type: SafetensorsType) -> Int { SafetensorsType.allCases.firstIndex(of: type) ?? 0 }
        return entries.map { (name: $0.key, entry: $0.value) }.sorted { left, right in
            let (leftRank, rightRank) = (rank(left.entry.type), rank(right.entry.type))
            return leftRank == rightRank
                ? left.name.utf8.lexicographicallyPrecedes(right.name.utf8) : leftRank > rightRank
        }
    }

    private func header(of ordered: [(name: String, entry: Entry)]) -> [UInt8] {
        var members: [String] = []
        if !metadata.isEmpty {
            let texts = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
                .map { "\(quoted($0.key)):\(quoted($0.value))" }
            members.append("\"__metadata__\":{\(texts.joined(separator: ","))}")
        }
        var offset = 0
        for (name, entry) in ordered {
            let shape = entry.shape.map(String.init).joined(separator: ",")
            let end = offset + entry.byteCount
            let (type, offsets) = (entry.type.rawValue, "\(offset),\(end)")
            members.append(
                """
                \(quoted(name)):{"dtype":"\(type)","shape":[\(shape)],"data_offsets":[\(offsets)]}
                """
            )
            offset = end
        }
        var json = Array("{\(members.joined(separator: ","))}".utf8)
        json += [UInt8](repeating: UInt8(ascii: " "), count: (8 - json.count % 8) % 8)
        return littleEndianBytes(json.count) + json
    }

    /// A JSON string (RFC 8259 §7), only what must be escaped being escaped.
    private func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\u{08}": quoted += "\\b"
            case "\u{0C}": quoted += "\\f"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case "\0"..."\u{1F}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
