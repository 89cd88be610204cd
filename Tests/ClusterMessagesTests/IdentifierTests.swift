import ClusterMessages
import Foundation
import Testing

@Suite struct IdentifierTests {
    @Test func `numbers are ordered and encoded bare`() throws {
        #expect(BatchID(2) < BatchID(10))
        #expect(RoundNumber.initial.next == RoundNumber(1))
        #expect("\(NodeID(7))" == "7")
        let json = try JSONEncoder().encode([RoundNumber(3), RoundNumber(4)])
        #expect(String(decoding: json, as: UTF8.self) == "[3,4]")
        #expect(try JSONDecoder().decode([RoundNumber].self, from: json) == [RoundNumber(3), RoundNumber(4)])
    }

    @Test func `a fence is ordered by epoch, then attempt`() {
        #expect(Fence(epoch: 1, attempt: 9) < Fence(epoch: 2, attempt: 0))
        #expect(Fence(epoch: 2, attempt: 0) < Fence(epoch: 2, attempt: 1))
        #expect("\(Fence(epoch: 7, attempt: 2))" == "7.2")
    }

    @Test func `a hash is its 32 bytes and its 64 digits`() throws {
        let bytes = (0..<32).map { UInt8($0 * 8) }
        let hash = try #require(ContentHash(bytes))
        #expect(hash.bytes == bytes)
        #expect(hash.description.count == 64)
        #expect(hash.description.hasPrefix("0008101820"))
        #expect(hash.abbreviated == "00081018")
        #expect(ContentHash(hexadecimal: hash.description) == hash)
        #expect(ContentHash(hexadecimal: hash.description.uppercased()) == hash)
        let json = try JSONEncoder().encode([hash])
        #expect(try JSONDecoder().decode([ContentHash].self, from: json) == [hash])
    }

    @Test func `hashes are ordered like their digits`() throws {
        for position in 0..<32 {
            var larger = [UInt8](repeating: 0x7f, count: 32)
            larger[position] = 0x80
            let left = try #require(ContentHash([UInt8](repeating: 0x7f, count: 32)))
            let right = try #require(ContentHash(larger))
            #expect(left < right && !(right < left) && left != right)
            #expect(left.description < right.description)
        }
    }

    @Test(arguments: [
        "", "00", String(repeating: "0", count: 63), String(repeating: "0", count: 65),
        String(repeating: "g", count: 64), String(repeating: "é", count: 32),
    ])
    func `other text is no hash`(text: String) {
        #expect(ContentHash(hexadecimal: text) == nil)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([ContentHash].self, from: JSONEncoder().encode([text]))
        }
    }

    @Test(arguments: [0, 31, 33])
    func `another count of bytes is no hash`(count: Int) {
        #expect(ContentHash([UInt8](repeating: 1, count: count)) == nil)
    }

    @Test func `a token is not printed whole`() {
        #expect("\(SessionToken(0x0123_4567_89ab_cdef))" == "0123…")
        #expect("\(Incarnation(0xab))" == "00000000000000ab")
    }
}
