import CZeroMQ

/// A CURVE public key: 32 bytes written as 40 characters of Z85 (ZeroMQ RFC 32).
package struct CurvePublicKey: Sendable, Hashable {
    /// The key in Z85.
    package let text: String

    /// Accepts 40 characters of Z85; surrounding blanks are the caller's to remove.
    package init(_ text: String) throws(ZeroMQError) {
        try checkKey(text)
        self.text = text
    }

    /// Takes over the user id of a message, which only our own ``Authenticator`` sets.
    init(stated text: String) { self.text = text }

    /// Encodes the 32 raw bytes ZAP hands over; `nil` for any other count.
    init?(bytes: [UInt8]) {
        guard bytes.count == keyByteCount else { return nil }
        var encoded = [CChar](repeating: 0, count: keyTextCount + 1)
        guard unsafe zmq_z85_encode(&encoded, bytes, bytes.count) != nil else { return nil }
        text = textOfKey(encoded)
    }
}

extension CurvePublicKey: CustomStringConvertible, Comparable {
    package var description: String { text }

    package static func < (left: CurvePublicKey, right: CurvePublicKey) -> Bool { left.text < right.text }
}

/// A CURVE identity: a secret key and the public key that follows from it.
package struct CurveKeyPair: Sendable, Equatable {
    package let publicKey: CurvePublicKey
    /// The secret in Z85, for a key file and for libzmq only; it never appears in descriptions or errors.
    package let secretKey: String

    /// Restores an identity from its secret; the public key is derived, so the two always match.
    package init(secretKey: String) throws(ZeroMQError) {
        try checkKey(secretKey)
        var derived = [CChar](repeating: 0, count: keyTextCount + 1)
        guard unsafe zmq_curve_public(&derived, secretKey) == 0 else { throw .last("zmq_curve_public") }
        publicKey = try CurvePublicKey(textOfKey(derived))
        self.secretKey = secretKey
    }

    private init(publicKey: CurvePublicKey, secretKey: String) {
        self.publicKey = publicKey
        self.secretKey = secretKey
    }

    /// Makes a new identity from the system's random numbers.
    package static func generate() throws(ZeroMQError) -> CurveKeyPair {
        var publicText = [CChar](repeating: 0, count: keyTextCount + 1)
        var secretText = publicText
        guard unsafe zmq_curve_keypair(&publicText, &secretText) == 0 else {
            throw .last("zmq_curve_keypair")
        }
        return CurveKeyPair(
            publicKey: try CurvePublicKey(textOfKey(publicText)),
            secretKey: textOfKey(secretText)
        )
    }
}

extension CurveKeyPair: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "CURVE identity \(publicKey)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["publicKey": publicKey]) }
}

private let keyByteCount = 32
private let keyTextCount = 40
private let z85Alphabet = Set(
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#".utf8
)

private func checkKey(_ text: String) throws(ZeroMQError) {
    guard text.utf8.count == keyTextCount else {
        throw .malformedKey("\(text.utf8.count) characters where Z85 has \(keyTextCount)")
    }
    guard text.utf8.allSatisfy(z85Alphabet.contains) else {
        throw .malformedKey("a character outside the Z85 alphabet")
    }
    // Five characters can write more than 32 bits; only the decoder sees that.
    var decoded = [UInt8](repeating: 0, count: keyByteCount)
    guard unsafe zmq_z85_decode(&decoded, text) != nil else { throw .malformedKey("a group exceeds 32 bits") }
}

private func textOfKey(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix(keyTextCount).map(UInt8.init(bitPattern:)), as: UTF8.self)
}
