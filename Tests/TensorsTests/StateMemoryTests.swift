import Foundation
import TestSupport
import Testing

@testable import Tensors

@Suite struct StateMemoryTests {
    @Test func `paged numbers are what was written, also after their memory is let go, in a file of no name`()
        throws
    {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let paged = try StateMemory.paged(in: folder.path).zeros([300, 20])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        #expect(paged.sumOfSquares == 0)
        let numbers = randomTensor([300, 20], seed: 1)
        paged.copy(from: numbers)
        paged.letGo()
        paged.rows(10..<20).accumulate(numbers.rows(0..<10))
        paged.letGo()
        numbers.rows(10..<20).accumulate(numbers.rows(0..<10))
        numbers.letGo()
        #expect(paged.values == numbers.values)
    }

    @Test func `a folder that is not there is named`() {
        let error = #expect(throws: FileWritingError.self) {
            _ = try StateMemory.paged(in: "/nowhere").zeros([4])
        }
        #expect(error?.path == "/nowhere")
        #expect(error?.reason == "No such file or directory (paged state wants 16 bytes)")
    }

    @Test func `a disk that is too small is named with the bytes wanted, and left as it was`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let error = #expect(throws: FileWritingError.self) {
            _ = try StateMemory.paged(in: folder.path).zeros([1 << 30, 1 << 28])
        }
        let text = try #require(error).description
        #expect(text.hasPrefix("\(folder.path): cannot be written: No space left on device, "))
        #expect(text.hasSuffix(" bytes are free (paged state wants 1152921504606846976 bytes)"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }
}
