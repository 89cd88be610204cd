import Foundation
import TestSupport
import Testing

/// What the program says about itself.
@Suite struct HelpTests {
    private struct Dump: Decodable {
        struct Command: Decodable {
            let commandName: String
            let discussion: String?
            let subcommands: [Command]?
        }
        let command: Command
    }

    private func output(_ arguments: [String]) async throws -> String {
        var output = ""
        try await withTemporaryFolder { folder in
            let outcome = try Program.run(arguments, in: folder)
            #expect(outcome.exitCode == 0, "\(outcome.errors)")
            output = outcome.output
        }
        return output
    }

    @Test func `the help of every verb has examples, and they name the verb`() async throws {
        let json = Data(try await output(["--experimental-dump-help"]).utf8)
        let verbs = try JSONDecoder().decode(Dump.self, from: json).command.subcommands ?? []
        #expect(verbs.count > 10)
        for verb in verbs where verb.commandName != "help" {
            let text = verb.discussion ?? ""
            #expect(text.contains("Examples:"), "\(verb.commandName)")
            #expect(text.contains("flowsteer \(verb.commandName)"), "\(verb.commandName)")
        }
    }

    @Test(arguments: ["bash", "zsh", "fish"]) func `a shell can be taught the verbs`(shell: String)
        async throws
    {
        let script = try await output(["--generate-completion-script", shell])
        #expect(script.contains("rollout-worker") && script.contains("verify-model"))
    }

    @Test func `the program knows its version, and whatever it says is without colours`() async throws {
        let version = try await output(["--version"])
        #expect(version.split(separator: ".").count == 3, "\(version)")
        #expect(try await !output(["help"]).contains("\u{1B}"))
    }
}
