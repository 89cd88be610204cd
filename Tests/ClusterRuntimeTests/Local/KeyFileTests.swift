import ClusterRuntime
import Foundation
import Testing
import ZeroMQ

struct KeyFileTests {
    private let folder = TemporaryRun()

    private func mode(of path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? NSNumber).intValue & 0o777
    }

    @Test func `a new pair is two files, of which only the owner may read the secret`() throws {
        let prefix = "\(folder.path)/keys/node"
        let keys = try KeyFile.generate(prefix: prefix)
        #expect(try mode(of: "\(prefix).key") == 0o600)
        #expect(try mode(of: "\(prefix).pub") == 0o644)
        #expect(try KeyFile.readPair("\(prefix).key") == keys)
        #expect(try KeyFile.readPublic("\(prefix).pub") == keys.publicKey)
        #expect(try KeyFile.readPublic(keys.publicKey.text) == keys.publicKey)
    }

    @Test func `a key is never written over another`() throws {
        let prefix = "\(folder.path)/node"
        let keys = try KeyFile.generate(prefix: prefix)
        #expect(throws: KeyFileError.exists(path: "\(prefix).key")) { try KeyFile.generate(prefix: prefix) }
        #expect(try KeyFile.readPair("\(prefix).key") == keys)
    }

    @Test(arguments: [0o640, 0o604, 0o660, 0o644])
    func `a secret that others may read is refused`(mode: Int) throws {
        let keys = try CurveKeyPair.generate()
        let path = try folder.file("open.key", keys.secretKey + "\n", mode: mode)
        #expect(throws: KeyFileError.tooOpen(path: path, mode: mode)) { try KeyFile.readPair(path) }
    }

    @Test func `a file that is no key is refused without repeating it`() throws {
        let path = try folder.file("bad.key", "s3cret-but-too-short\n", mode: 0o600)
        let error = #expect(throws: KeyFileError.self) { try KeyFile.readPair(path) }
        let text = try #require(error).description
        #expect(text.hasPrefix(path + ": ") && !text.contains("s3cret"))
        #expect(throws: KeyFileError.self) { try KeyFile.readPublic("\(folder.path)/none.pub") }
    }
}
