import Tensors

/// A number type of the safetensors format, in the order of the format's reference implementation.
enum SafetensorsType: String, CaseIterable {
    case bool = "BOOL"
    case unsigned8 = "U8"
    case signed8 = "I8"
    case float8E5M2 = "F8_E5M2"
    case float8E4M3 = "F8_E4M3"
    case signed16 = "I16"
    case unsigned16 = "U16"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case signed32 = "I32"
    case unsigned32 = "U32"
    case float32 = "F32"
    case float64 = "F64"
    case signed64 = "I64"
    case unsigned64 = "U64"

    init(_ type: ScalarType) {
        switch type {
        case .float32: self = .float32
        case .float16: self = .float16
        case .bfloat16: self = .bfloat16
        }
    }

    /// Bytes of one number.
    var byteCount: Int {
        switch self {
        case .bool, .unsigned8, .signed8, .float8E5M2, .float8E4M3: 1
        case .signed16, .unsigned16, .float16, .bfloat16: 2
        case .signed32, .unsigned32, .float32: 4
        case .float64, .signed64, .unsigned64: 8
        }
    }

    /// The type a tensor can be made from; nil for the others.
    var scalar: ScalarType? { ScalarType(rawValue: rawValue) }

    /// True when every value fits a Swift `Int`.
    var isInteger: Bool {
        switch self {
        case .bool, .unsigned8, .signed8, .signed16, .unsigned16, .signed32, .unsigned32, .signed64: true
        case .float8E5M2, .float8E4M3, .float16, .bfloat16, .float32, .float64, .unsigned64: false
        }
    }

    /// The integers in little-endian `bytes`; a Boolean is 0 or 1.
    func integers(in bytes: [UInt8]) -> [Int] {
        precondition(isInteger, "\(rawValue) is not an integer type that fits")
        return stride(from: 0, to: bytes.count, by: byteCount).map { start in
            let bits = (0..<byteCount).reduce(0) { $0 | Int(bytes[start + $1]) << (8 * $1) }
            return switch self {
            case .bool: bits == 0 ? 0 : 1
            case .signed8: Int(Int8(truncatingIfNeeded: bits))
            case .signed16: Int(Int16(truncatingIfNeeded: bits))
            case .signed32: Int(Int32(truncatingIfNeeded: bits))
            default: bits
            }
        }
    }
}
