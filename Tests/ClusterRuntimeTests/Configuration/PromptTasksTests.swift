import ClusterMessages
import ClusterRuntime
import Distillation
import Evaluation
import TestSupport
import Testing

/// What `prompts.tasks:` says of scenes.
struct PromptTasksTests {
    private static let stated = "[0.16, 0.04, 0.18, 0.2, 0.2, 0.22]"

    @Test func `shares of tasks read back equal, and only where they are stated`() throws {
        let configuration = try RunConfiguration(
            yaml: "model: m\nprompts: {tasks: \(Self.stated)}",
            path: "/run.yaml"
        )
        #expect(configuration.prompts.tasks.values == [0.16, 0.04, 0.18, 0.2, 0.2, 0.22])
        let again = try RunConfiguration(yaml: configuration.yaml, path: "/elsewhere/config.yaml")
        #expect(again == configuration)
        // Runs that began before this key was there keep their identity.
        #expect(!RunConfiguration(modelPath: "/m").yaml.contains("tasks"))
    }

    @Test(
        arguments: [
            ("[0.5, 0.5]", "a list of 6 numbers, each a number, 0.0 or more"),
            ("[-1, 1, 1, 0, 0, 0]", "a list of 6 numbers, each a number, 0.0 or more"),
            ("[0.2, 0.2, 0.2, 0.2, 0.2, 0.2]", "numbers that add up to 1"),
        ]
    )
    func `other numbers are refused`(stated: String, expected: String) {
        let told = refusal(ofKeys: "prompts: {tasks: \(stated)}")
        #expect(told.hasPrefix("run.yaml:2: prompts.tasks is ["))
        #expect(told.hasSuffix("expected \(expected)"), "\(told)")
    }

    @Test func `a file of prompts has no tasks`() throws {
        #expect(
            refusal(ofKeys: "prompts: {kind: file, path: a.txt, tasks: \(Self.stated)}")
                == "run.yaml:2: prompts.tasks means nothing to prompts.kind file: expected it to be left out, "
                + "or prompts.kind scenes"
        )
        let file = "model: m\nprompts: {tasks: \(Self.stated)}"
        let folder = TemporaryRun()
        let configuration = try RunConfiguration(
            file: folder.file("run.yaml", file),
            overrides: [
                .init(key: "prompts.kind", value: "file"), .init(key: "prompts.path", value: "/a.txt"),
            ]
        )
        #expect(configuration.prompts.tasks == .standard)
    }

    @Test func `a run's prompts are of the tasks that are asked for`() throws {
        var configuration = RunConfiguration(modelPath: Repository.teacher)
        configuration.prompts.tasks = try #require(SceneTaskShares([0, 1, 0, 0, 0, 0]))
        var corpus = try PromptCorpus(configuration)
        let texts = (0..<4).flatMap { corpus.samples(of: BatchID($0)) }.map(\.text)
        // One coloured shape and nothing else.
        #expect(texts.allSatisfy { $0.split(separator: " ").count == 3 })
    }
}
