import ClusterMessages
import Testing
import ZeroMQ

@testable import ClusterRuntime

@Suite struct AuthorizedNodesTests {
    @Test func `lines name nodes, and only a line's first character makes it a comment`() throws {
        // Z85 has `#` among its digits.
        let key = try CurvePublicKey("rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7")
        let text = "# who may come\n\n rollout-1 rollout \(key)\n"
        let nodes = try AuthorizedNodes(text: text, path: "nodes")
        #expect(nodes[key] == AuthorizedNodes.Node(name: "rollout-1", role: .rollout))
        #expect(nodes.keys(of: [.rollout]) == [key])
        #expect(nodes.keys(of: [.trainer, .operator]).isEmpty)
    }

    @Test(arguments: [
        ("a rollout", "expected `name role public-key`, got 2 words"),
        ("a coordinator KEY", "'coordinator' is no role: expected rollout, trainer or operator"),
        ("a rollout KEY\nb trainer KEY", "the key of b is listed twice"),
    ])
    func `a line that is none is named with its reason`(text: String, reason: String) throws {
        let key = try CurveKeyPair.generate().publicKey.text
        let text = text.replacing("KEY", with: key)
        let line = text.split(separator: "\n").count
        #expect(throws: CoordinatorError.badAuthorization(path: "nodes", line: line, reason: reason)) {
            try AuthorizedNodes(text: text, path: "nodes")
        }
    }
}
