/// Why frames are not a message, or a message cannot be sent.
package enum WireError: Error, Sendable, Hashable {
    /// The message has another number of frames than its kind.
    case frameCount(message: String, expected: String, actual: Int)
    /// A frame is larger than permitted; it was not unpacked.
    case frameTooLarge(message: String, part: String, byteCount: Int, limit: Int)
    /// The peer writes a version of the protocol this program does not understand.
    case unsupportedVersion(UInt32, supported: ClosedRange<UInt32>)
    /// The kind is none this program knows; to be counted and dropped.
    case unknownKind(UInt32)
    /// The frame is not protobuf of its message, or needs far more memory than its size justifies.
    case malformed(message: String, byteCount: Int)
    /// A field is missing or holds what it must not.
    case invalidField(message: String, field: String, expected: String, actual: String)
    /// The payload's length is not the one its header declares.
    case payloadLength(message: String, declared: Int, actual: Int)
    /// The payload's CRC-32C is not the one its header declares.
    case payloadChecksum(message: String, declared: UInt32, actual: UInt32)
}

extension WireError: CustomStringConvertible {
    /// One line for a person.
    package var description: String {
        switch self {
        case .frameCount(let message, let expected, let actual):
            "\(message): expected \(expected) frames, got \(actual)"
        case .frameTooLarge(let message, let part, let byteCount, let limit):
            "\(message): the \(part) has \(byteCount) bytes, at most \(limit) are permitted"
        case .unsupportedVersion(let version, let supported):
            "the peer speaks protocol version \(version), this program speaks "
                + (supported.count == 1
                    ? "\(supported.lowerBound)" : "\(supported.lowerBound) to \(supported.upperBound)")
                + (version > supported.upperBound ? "; update this program" : "; update the peer")
        case .unknownKind(let number):
            "message kind \(number) is not known to this program"
        case .malformed(let message, let byteCount):
            "\(message): its \(byteCount) bytes are not a valid protobuf message"
        case .invalidField(let message, let field, let expected, let actual):
            "\(message).\(field): expected \(expected), got \(actual)"
        case .payloadLength(let message, let declared, let actual):
            "\(message): the header declares a payload of \(declared) bytes, got \(actual)"
        case .payloadChecksum(let message, let declared, let actual):
            "\(message): the payload's CRC-32C is \(hexadecimal(UInt64(actual)).suffix(8)), "
                + "the header declares \(hexadecimal(UInt64(declared)).suffix(8))"
        }
    }
}
