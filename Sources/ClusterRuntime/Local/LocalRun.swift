import Foundation
import ZeroMQ

/// What a run on this machine is made of.
package struct LocalRunOptions: Sendable {
    package var configurationPath: String
    /// Overrides as they were given, `group.key=value`, handed on to the coordinator.
    package var overrides: [String]
    /// The teacher's folder.
    package var modelPath: String
    package var runFolder: LocalRunFolder
    package var rollouts: Int
    package var trainers: Int
    /// Threads of each worker.
    package var lanes: Int
    /// The program whose verbs the processes are.
    package var executable: String
    /// Where the live page is served; nil without one.
    package var web: Web?

    /// A live page.
    package struct Web: Sendable {
        package var address: WebAddress
        /// The file of its token; nil takes the run folder's.
        package var tokenPath: String?
        /// Names by which it is reached, beside addresses.
        package var names: [String]

        package init(address: WebAddress, tokenPath: String?, names: [String]) {
            self.address = address
            self.tokenPath = tokenPath
            self.names = names
        }
    }

    package init(
        configurationPath: String,
        overrides: [String],
        modelPath: String,
        runFolder: LocalRunFolder,
        rollouts: Int,
        trainers: Int,
        lanes: Int,
        executable: String
    ) {
        precondition(rollouts >= 1 && trainers >= 1, "a run has a rollout and a trainer")
        self.configurationPath = configurationPath
        self.overrides = overrides
        self.modelPath = modelPath
        self.runFolder = runFolder
        self.rollouts = rollouts
        self.trainers = trainers
        self.lanes = lanes
        self.executable = executable
    }
}

extension LocalRunOptions {
    /// Names and roles of the workers.
    var workers: [(name: String, verb: String, role: String)] {
        (1...rollouts).map { ("rollout-\($0)", "rollout-worker", "rollout") }
            + (1...trainers).map { ("trainer-\($0)", "trainer-worker", "trainer") }
    }

    /// The coordinator's command line; port 0 lets the system choose.
    ///
    /// - Parameter webPort: the page's; nil takes the one that was asked for.
    func coordinator(port: Int, webPort: Int? = nil) -> ChildCommand {
        command(
            "coordinator",
            arguments: [
                "coordinator", "--config", configurationPath, "--run", runFolder.path,
                "--bind", "tcp://127.0.0.1:\(port)", "--keys", "\(runFolder.keys)/coordinator.key",
                "--authorized", authorizedNodesPath,
            ] + overrides.flatMap { ["--set", $0] } + (web?.arguments(port: webPort) ?? [])
        )
    }

    /// A worker's command line.
    func worker(_ name: String, verb: String, coordinator endpoint: String) -> ChildCommand {
        command(
            name,
            arguments: [
                verb, "--coordinator", endpoint, "--server-key", "\(runFolder.keys)/coordinator.pub",
                "--keys", "\(runFolder.keys)/\(name).key", "--name", name,
                "--run", "\(runFolder.path)/workers/\(name)", "--lanes", "\(lanes)",
                "--model", modelPath,
            ]
        )
    }

    private func command(_ name: String, arguments: [String]) -> ChildCommand {
        ChildCommand(
            name: name,
            executable: executable,
            arguments: arguments + ["--parent", "\(ProcessInfo.processInfo.processIdentifier)"],
            log: "\(runFolder.logs)/\(name).log"
        )
    }

    private var authorizedNodesPath: String { "\(runFolder.keys)/authorized_nodes" }

    /// Makes the folders, and the keys that are not there yet.
    func prepare() throws {
        for folder in [runFolder.path, runFolder.keys, runFolder.logs] { try LocalRunFolder.create(folder) }
        _ = try pair("coordinator")
        // The operator is the person who started the run.
        let nodes = workers.map { ($0.name, $0.role) } + [("operator", "operator")]
        let lines = try nodes.map { name, role in "\(name) \(role) \(try pair(name).publicKey.text)\n" }
        try Data(lines.joined().utf8).write(to: URL(filePath: authorizedNodesPath), options: .atomic)
    }

    private func pair(_ name: String) throws -> CurveKeyPair {
        let prefix = "\(runFolder.keys)/\(name)"
        guard FileManager.default.fileExists(atPath: "\(prefix).key") else {
            return try KeyFile.generate(prefix: prefix)
        }
        return try KeyFile.readPair("\(prefix).key")
    }
}

extension LocalRunOptions.Web {
    fileprivate func arguments(port: Int?) -> [String] {
        let address = WebAddress(host: address.host, port: port ?? address.port)
        return ["--http", "\(address)"] + (tokenPath.map { ["--http-token", $0] } ?? [])
            + names.flatMap { ["--http-name", $0] }
    }
}
