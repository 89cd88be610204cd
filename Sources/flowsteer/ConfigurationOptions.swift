import ArgumentParser
import ClusterRuntime
import Foundation

/// The configuration a run is decided by, with its overrides.
struct ConfigurationOptions: ParsableArguments {
    @Option(name: .customLong("config"), help: "The run's configuration, a YAML file.")
    var path: String

    @Option(
        name: .customLong("set"),
        parsing: .singleValue,
        help: ArgumentHelp(
            "Overrides a key of the configuration, as FLOWSTEER_GROUP_KEY does.",
            valueName: "group.key=value"
        )
    )
    var overrides: [String] = []

    /// - Parameter more: overrides that follow those of the command line.
    func read(adding more: [String] = []) throws -> RunConfiguration {
        let parsed = try (overrides + more).map { text in
            guard let override = ConfigurationOverride(text) else {
                throw ValidationError("--set \(text): expected group.key=value")
            }
            return override
        }
        return try RunConfiguration(
            file: path,
            overrides: parsed,
            environment: ProcessInfo.processInfo.environment
        )
    }
}

/// What ties a process to the one that started it.
struct ParentOptions: ParsableArguments {
    @Option(name: .customLong("parent"), help: .hidden)
    var identifier: Int32?

    /// From now on this process ends with its parent.
    func watch() {
        if let identifier { ParentWatch.start(parent: identifier) }
    }
}
