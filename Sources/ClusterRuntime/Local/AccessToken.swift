import Foundation

/// The word that whoever commands the run over HTTP must know.
package struct AccessToken: Sendable, Equatable {
    /// The word: letters, digits, `-` and `_`.
    package let text: String

    private static let alphabet = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

    /// A new one of 256 random bits.
    package static func random() -> AccessToken {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<4).flatMap { _ in withBytes(of: generator.next() as UInt64) }
        let text = Data(bytes).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        return AccessToken(text: text)
    }

    /// Reads a file of mode 0600 that holds one word.
    package init(readingFrom path: String) throws(KeyFileError) {
        let text: String
        do { text = try KeyFile.readSecret(path) } catch .malformed { throw .noToken(path: path) }
        guard (32...256).contains(text.count), text.allSatisfy(Self.alphabet.contains) else {
            throw .noToken(path: path)
        }
        self.text = text
    }

    /// The token of a file, which is made with a new one where it is not there yet.
    package init(at path: String) throws(KeyFileError) {
        if !FileManager.default.fileExists(atPath: path) {
            try KeyFile.write(Self.random().text, to: path, mode: 0o600)
        }
        try self.init(readingFrom: path)
    }

    private init(text: String) { self.text = text }

    /// Whether somebody's word is this one; how long that takes tells nothing about where they differ.
    package func matches(_ word: some StringProtocol) -> Bool {
        let (mine, theirs) = (Array(text.utf8), Array(word.utf8))
        var difference = mine.count ^ theirs.count
        for (index, byte) in mine.enumerated() {
            difference |= Int(byte ^ (index < theirs.count ? theirs[index] : 0))
        }
        return difference == 0
    }

    private static func withBytes(of number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
}
