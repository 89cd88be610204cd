import ClusterMessages
import Foundation
import Tensors
import ZeroMQ

/// What made a run: program, machine and command.
package struct RunOrigin: Codable, Sendable, Equatable {
    package var runID: String
    /// The program's version.
    package var program: String
    /// The processor's name, and the kernels that were chosen for it.
    package var processor: String
    package var cores: Int
    /// The system and its kernel.
    package var system: String
    package var zeroMQ: String
    /// A command that makes the run again, in its folder.
    package var command: String

    /// This machine and this program.
    ///
    /// - Parameter status: of the run, which says how many of each role it had.
    package init(of status: RunStatus) {
        runID = status.runID
        program = ProgramVersion.text
        processor = [Self.processorName, ProcessorKind.present].filter { !$0.isEmpty }.joined(separator: ", ")
        cores = ProcessInfo.processInfo.activeProcessorCount
        system = "\(ProcessInfo.processInfo.operatingSystemVersionString), \(Self.kernel)"
        zeroMQ = Context.zeroMQVersion
        func count(_ role: Role) -> Int { max(1, status.nodes.count { $0.role == role }) }
        command =
            "flowsteer local --config config.yaml --run again --rollouts \(count(.rollout)) "
            + "--trainers \(count(.trainer))"
    }

    /// What is known, in words.
    var lines: [(what: String, value: String)] {
        [
            ("flowsteer", program), ("processor", processor), ("cores", "\(cores)"), ("system", system),
            ("libzmq", zeroMQ),
        ]
    }

    private static var processorName: String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
    }

    private static var kernel: String {
        let text =
            (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)) ?? "unknown kernel"
        return "Linux \(text.trimmingCharacters(in: .whitespacesAndNewlines))"
    }
}

/// The program's version (semver.org).
package enum ProgramVersion {
    package static let text = "0.1.0"
}
