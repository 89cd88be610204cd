import ClusterRuntime
import DiffusionModels
import Distillation
import TestSupport
import Testing

/// What `student.mode:` does to a configuration.
struct StudentConfigurationTests {
    @Test(arguments: ["flowsteer", "dmd"])
    func `a full student has a configuration that reads back equal`(method: String) throws {
        let configuration = try RunConfiguration(
            yaml: "model: m\nmethod: \(method)\nstudent: {mode: full, ema_decay: 0.9, guidance: 2}",
            path: "/run.yaml"
        )
        #expect(configuration.network.student == .full)
        let again = try RunConfiguration(yaml: configuration.yaml, path: "/elsewhere/config.yaml")
        #expect(again == configuration)
        #expect(again.yaml == configuration.yaml)
        // A fake-velocity network has adapters, whatever the student has.
        #expect(configuration.yaml.contains("targets:") == (method == "dmd"))
        // Runs that began before there were full students keep their identity.
        #expect(!RunConfiguration(modelPath: "/m").yaml.contains("mode: lora"))
    }

    @Test(arguments: ["rank: 8", "targets: [attn.to_q]", "precision: bf16", "initial_lora: a.safetensors"])
    func `what is of adapters alone is refused beside a full student`(stated: String) throws {
        let key = try #require(stated.split(separator: ":").first)
        #expect(
            refusal(ofKeys: "student: {mode: full, \(stated)}")
                == "run.yaml:2: student.\(key) means nothing to student.mode full: expected it to be left out, "
                + "or student.mode lora"
        )
        #expect(refusal(ofKeys: "student: {mode: lora, \(stated)}") == "read")
    }

    @Test func `a fake-velocity network keeps its rank and targets beside a full student`() {
        #expect(
            refusal(ofKeys: "method: dmd\nstudent: {mode: full, rank: 8, targets: [attn.to_q]}") == "read"
        )
        #expect(refusal(ofKeys: "method: dmd\nstudent: {mode: full, precision: bf16}").contains("precision"))
    }

    @Test func `what a file says of its adapters gives way where a flag states a full student`() throws {
        let preset = "\(Repository.root)Cluster/emoji.yaml"
        let full = ConfigurationOverride(key: "student.mode", value: "full")
        let configuration = try RunConfiguration(file: preset, overrides: [full])
        #expect(configuration.network.student == .full)
        #expect(
            throws: ConfigurationError.unusedKey(
                "student.rank",
                place: .flag,
                setting: "student.mode full",
                users: "student.mode lora"
            )
        ) {
            try RunConfiguration(file: preset, overrides: [full, .init(key: "student.rank", value: "8")])
        }
    }
}
