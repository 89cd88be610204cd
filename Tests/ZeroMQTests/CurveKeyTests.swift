import Testing

@testable import ZeroMQ

@Suite struct CurveKeyTests {
    // The client's key pair of libzmq's own manual, zmq_curve(7).
    private let publicText = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
    private let secretText = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"

    @Test func `the public key follows from the secret`() throws {
        #expect(try CurveKeyPair(secretKey: secretText).publicKey.text == publicText)
        let generated = try CurveKeyPair.generate()
        #expect(try CurveKeyPair(secretKey: generated.secretKey) == generated)
        #expect(try CurveKeyPair.generate() != generated)
    }

    @Test func `raw bytes of a key become its text`() throws {
        #expect(
            CurvePublicKey(bytes: Array(repeating: 0, count: 32))?.text == String(repeating: "0", count: 40)
        )
        #expect(CurvePublicKey(bytes: Array(repeating: 0, count: 31)) == nil)
        // RFC 32's own example, four times.
        let sample: [UInt8] = [0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b]
        let key = try #require(CurvePublicKey(bytes: Array(repeatElement(sample, count: 4).joined())))
        #expect(key.text == String(repeating: "HelloWorld", count: 4))
        #expect(try CurvePublicKey(key.text) == key)
    }

    @Test(arguments: [
        "", "short", String(repeating: "0", count: 41), String(repeating: "\"", count: 40),
        String(repeating: "é", count: 20), "\0" + String(repeating: "0", count: 39),
        String(repeating: "#", count: 40),
    ])
    func `text that is no key is refused`(text: String) {
        #expect(throws: ZeroMQError.self) { try CurvePublicKey(text) }
        #expect(throws: ZeroMQError.self) { try CurveKeyPair(secretKey: text) }
    }

    @Test func `no description shows the secret`() throws {
        let keys = try CurveKeyPair.generate()
        var dumped = ""
        dump(keys, to: &dumped)
        for text in ["\(keys)", String(reflecting: keys), "\([keys])", dumped] {
            #expect(!text.contains(keys.secretKey))
            #expect(text.contains(keys.publicKey.text))
        }
    }
}
