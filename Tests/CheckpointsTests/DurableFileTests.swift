import Foundation
import Tensors
import Testing

struct DurableFileTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func `bytes are appended and written in place`() throws {
        var file = try DurableFile(creating: folder.path + "/a")
        try file.append([1, 2])
        try file.append([])
        try file.append([3])
        try file.write([9], at: 1)
        try file.close()
        #expect(try folder.bytes(of: "a") == [1, 9, 3])
    }

    @Test func `an updated file has its length from the start and keeps what it held`() throws {
        let path = try folder.write([1, 2, 3, 4, 5], to: "a")
        var file = try DurableFile(updating: path, byteCount: 4)
        try file.write([8], at: 2)
        try file.close()
        #expect(try folder.bytes(of: "a") == [1, 2, 8, 4])
        file = try DurableFile(updating: path, byteCount: 6)
        try file.close()
        #expect(try folder.bytes(of: "a") == [1, 2, 8, 4, 0, 0])
    }

    @Test func `two folders exchange their names, and one that is not there leaves them alone`() throws {
        for name in ["a", "b"] {
            try FileManager.default.createDirectory(
                atPath: "\(folder.path)/\(name)",
                withIntermediateDirectories: true
            )
            _ = try folder.write(Array(name.utf8), to: "\(name)/file")
        }
        try exchangeDurably(folder.path + "/a", folder.path + "/b")
        #expect(try folder.bytes(of: "a/file") == Array("b".utf8))
        #expect(try folder.bytes(of: "b/file") == Array("a".utf8))
        #expect(throws: FileWritingError.self) {
            try exchangeDurably(folder.path + "/a", folder.path + "/c")
        }
        #expect(try folder.bytes(of: "a/file") == Array("b".utf8))
    }

    @Test func `a file is created once`() throws {
        let path = try folder.write([1], to: "a")
        #expect {
            _ = try DurableFile(creating: path)
        } throws: { error in
            (error as? FileWritingError)?.reason == "File exists"
        }
        #expect(try folder.bytes(of: "a") == [1])
    }

    @Test func `a file is renamed over another one, a folder over an empty one only`() throws {
        try folder.write([1], to: "a")
        try folder.write([2], to: "b")
        try renameDurably(from: folder.path + "/a", to: folder.path + "/b")
        #expect(try folder.bytes(of: "b") == [1])
        try folder.write([3], to: "c/x")
        try folder.write([4], to: "d/x")
        #expect {
            try renameDurably(from: folder.path + "/c", to: folder.path + "/d")
        } throws: { error in
            (error as? FileWritingError)?.reason == "Directory not empty"
        }
        #expect {
            try synchronizeFolder(folder.path + "/none")
        } throws: { error in
            (error as? FileWritingError)?.reason == "No such file or directory"
        }
    }

    @Test func `a closed file is not written`() async {
        await #expect(processExitsWith: .failure) {
            let path = FileManager.default.temporaryDirectory.appendingPathComponent("closed-\(UUID())").path
            var file = try DurableFile(creating: path)
            try file.close()
            try FileManager.default.removeItem(atPath: path)
            try file.append([1])
        }
    }
}
