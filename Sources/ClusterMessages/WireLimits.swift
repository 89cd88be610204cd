/// How large the frames of a message may be, in bytes.
package struct WireLimits: Sendable, Hashable {
    /// Of a header.
    package let headerByteCount: Int
    /// Of a body.
    package let bodyByteCount: Int
    /// Of a body of the kinds of which ``Message/Kind/hasLargeBody`` is true.
    package let largeBodyByteCount: Int
    /// Of a payload.
    package let payloadByteCount: Int

    /// Limits of these numbers of bytes.
    package init(headerByteCount: Int, bodyByteCount: Int, largeBodyByteCount: Int, payloadByteCount: Int) {
        self.headerByteCount = headerByteCount
        self.bodyByteCount = bodyByteCount
        self.largeBodyByteCount = largeBodyByteCount
        self.payloadByteCount = payloadByteCount
    }

    /// 64 KiB of header and body, 1 MiB of large bodies and of payloads.
    package static let standard = WireLimits(
        headerByteCount: 4 << 10,
        bodyByteCount: 60 << 10,
        largeBodyByteCount: 1 << 20,
        payloadByteCount: 1 << 20
    )
}

extension WireLimits {
    func check(header: [UInt8]) throws(WireError) {
        try check(header, "header", of: "message", limit: headerByteCount)
    }

    func check(body: [UInt8], of kind: Message.Kind) throws(WireError) {
        let limit = kind.hasLargeBody ? largeBodyByteCount : bodyByteCount
        try check(body, "body", of: kind.description, limit: limit)
    }

    func check(payload: [UInt8], of kind: Message.Kind) throws(WireError) {
        try check(payload, "payload", of: kind.description, limit: payloadByteCount)
    }

    private func check(_ frame: [UInt8], _ part: String, of message: String, limit: Int) throws(WireError) {
        guard frame.count <= limit else {
            throw .frameTooLarge(message: message, part: part, byteCount: frame.count, limit: limit)
        }
    }
}
