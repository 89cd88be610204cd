import Foundation
import Glibc
package import ZeroMQ

/// What is wrong with a file of keys.
package enum KeyFileError: Error, Equatable {
    case unreadable(path: String, reason: String)
    /// Others than its owner may read a secret.
    case tooOpen(path: String, mode: Int)
    case malformed(path: String, reason: String)
    /// A token's file holds none.
    case noToken(path: String)
    /// A key is never written over another.
    case exists(path: String)
    case unwritable(path: String)
}

extension KeyFileError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path): cannot be read: \(reason)"
        case .tooOpen(let path, let mode):
            "\(path): others may use this secret (mode 0\(String(mode, radix: 8))): expected 0600, chmod 600 it"
        case .malformed(let path, let reason): "\(path): \(reason): expected 40 characters of Z85 in one line"
        case .noToken(let path):
            "\(path): holds no token: expected one word of 32 to 256 letters, digits, - and _"
        case .exists(let path): "\(path): is there already: expected a name that is free"
        case .unwritable(let path): "\(path): cannot be written"
        }
    }
}

/// CURVE keys as files: `PREFIX.key` is the secret, which only its owner may read, `PREFIX.pub` the public key.
package enum KeyFile {
    /// Makes a new pair and writes both files.
    package static func generate(prefix: String) throws -> CurveKeyPair {
        let keys = try CurveKeyPair.generate()
        _ = try write(keys, prefix: prefix)
        return keys
    }

    /// Writes both files of a pair; returns the path of the secret.
    static func write(_ keys: CurveKeyPair, prefix: String) throws -> String {
        let (secret, open) = ("\(prefix).key", "\(prefix).pub")
        for path in [secret, open] where FileManager.default.fileExists(atPath: path) {
            throw KeyFileError.exists(path: path)
        }
        try LocalRunFolder.create(folder(of: prefix))
        try write(keys.secretKey, to: secret, mode: 0o600)
        try write(keys.publicKey.text, to: open, mode: 0o644)
        return secret
    }

    /// Reads a secret; the public key follows from it.
    package static func readPair(_ path: String) throws(KeyFileError) -> CurveKeyPair {
        let text = try readSecret(path)
        do {
            return try CurveKeyPair(secretKey: text)
        } catch {
            throw .malformed(path: path, reason: "\(error)")
        }
    }

    /// Reads the one word of a file that only its owner may use.
    static func readSecret(_ path: String) throws(KeyFileError) -> String {
        let text = try line(of: path)
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard let mode = (attributes?[.posixPermissions] as? NSNumber)?.intValue else {
            throw .unreadable(path: path, reason: "its mode is unknown")
        }
        guard mode & 0o077 == 0 else { throw .tooOpen(path: path, mode: mode & 0o777) }
        return text
    }

    /// Reads a public key given as its 40 characters, or as the file that holds them.
    package static func readPublic(_ textOrPath: String) throws(KeyFileError) -> CurvePublicKey {
        let isFile = FileManager.default.fileExists(atPath: textOrPath)
        if !isFile, let key = try? CurvePublicKey(textOrPath) { return key }
        do {
            return try CurvePublicKey(try line(of: textOrPath))
        } catch let error as KeyFileError {
            throw error
        } catch {
            throw .malformed(path: textOrPath, reason: "\(error)")
        }
    }

    private static func line(of path: String) throws(KeyFileError) -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            let isThere = FileManager.default.fileExists(atPath: path)
            throw .unreadable(
                path: path,
                reason: isThere ? "not permitted" : "there is no such file; flowsteer keygen makes keys"
            )
        }
        let lines = String(decoding: data.prefix(4096), as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard lines.count == 1 else { throw .malformed(path: path, reason: "\(lines.count) words") }
        return String(lines[0])
    }

    static func write(_ text: String, to path: String, mode: mode_t) throws(KeyFileError) {
        // From the first byte on the file is as closed as it is meant to be.
        let previous = umask(~mode & 0o777)
        defer { umask(previous) }
        guard FileManager.default.createFile(atPath: path, contents: Data((text + "\n").utf8)) else {
            throw .unwritable(path: path)
        }
        do {
            try FileManager.default.setAttributes(
                [.posixPermissions: NSNumber(value: mode)],
                ofItemAtPath: path
            )
        } catch {
            throw .unwritable(path: path)
        }
    }
}
