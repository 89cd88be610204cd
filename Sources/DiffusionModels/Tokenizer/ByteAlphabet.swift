/// The visible characters that stand for bytes in the files of a byte-level vocabulary (GPT-2's
/// `bytes_to_unicode`).
///
/// Printable Latin-1 characters stand for themselves; the other 68 bytes take the code points from U+0100 on,
/// in order. The files can then be split at spaces and newlines.
enum ByteAlphabet {
    /// The character of every byte, by its value.
    static let characters: [String] = {
        var next: UInt32 = 0x100
        return (UInt32(0)...255).map { byte in
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF:
                return Unicode.Scalar(byte).map { String(Character($0)) } ?? ""
            default:
                defer { next += 1 }
                return Unicode.Scalar(next).map { String(Character($0)) } ?? ""
            }
        }
    }()
}
