import CZeroMQ
import Testing

@testable import ZeroMQ

@Suite struct ZAPTests {
    private let question = [
        bytes("1.0"), bytes("7"), bytes("control"), bytes("10.0.0.3"), [], bytes("CURVE"),
        [UInt8](repeating: 0, count: 32),
    ]
    private let key = String(repeating: "0", count: 40)

    @Test func `a question is read`() throws {
        let request = try #require(ZAPRequest(question))
        #expect(request.domain == "control")
        #expect(request.address == "10.0.0.3")
        #expect(request.key?.text == key)
    }

    @Test func `a peer without a CURVE key has none`() throws {
        var null = Array(question.dropLast())
        null[5] = bytes("NULL")
        #expect(try #require(ZAPRequest(null)).key == nil)
        var short = question
        short[6].removeLast()
        #expect(try #require(ZAPRequest(short)).key == nil)
    }

    @Test func `what is no question is none`() {
        #expect(ZAPRequest([]) == nil)
        #expect(ZAPRequest(Array(question.prefix(5))) == nil)
        var future = question
        future[0] = bytes("2.0")
        #expect(ZAPRequest(future) == nil)
    }

    @Test func `an answer repeats the question's number`() throws {
        let request = try #require(ZAPRequest(question))
        let letIn = request.reply(.letIn(try CurvePublicKey(key)))
        #expect(letIn == [bytes("1.0"), bytes("7"), bytes("200"), bytes("OK"), bytes(key), []])
        #expect(request.reply(.notNow)[2...] == [bytes("300"), bytes("key not allowed"), [], []])
        #expect(request.reply(.never)[2] == bytes("400"))
    }

    @Test func `nonsense does not stop the authenticator`() async throws {
        try await withCluster { cluster in
            _ = try Authenticator(in: cluster.context)
            let socket = try Socket(ZMQ_REQ, in: cluster.context)
            try socket.connect(to: "inproc://zeromq.zap.01")
            let limit = MessageLimit(frameCount: 8, frameByteCount: 100)
            for nonsense in [[bytes("?")], Array(repeating: [], count: 9)] {
                guard case .taken = try socket.send(nonsense) else {
                    throw TimedOut(what: "room for a question")
                }
                guard case .message(let answer) = try socket.receive(limit, waits: true)?.content else {
                    continue
                }
                #expect(answer == [[]])
            }
            guard case .taken = try socket.send(question) else { throw TimedOut(what: "room for a question") }
            guard case .message(let answer) = try socket.receive(limit, waits: true)?.content else {
                return
            }
            #expect(answer.count == 6 && answer[2] == bytes("300"))
        }
    }
}
