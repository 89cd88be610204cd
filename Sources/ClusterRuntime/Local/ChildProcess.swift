import Checkpoints
import Foundation
import Glibc

/// A process to be started: what to run, and where what it says goes.
struct ChildCommand: Sendable {
    let name: String
    let executable: String
    let arguments: [String]
    /// Appended to, standard output and standard error alike.
    let log: String
    /// What it is to die of.
    var fault: Fault?
}

/// How a process ended.
enum ChildEnd: Equatable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)
}

/// A started process.
struct ChildProcess {
    let command: ChildCommand
    private let process: Process

    init(starting command: ChildCommand) throws {
        self.command = command
        if !FileManager.default.fileExists(atPath: command.log) {
            _ = FileManager.default.createFile(atPath: command.log, contents: nil)
        }
        guard let log = FileHandle(forWritingAtPath: command.log) else {
            throw CheckpointError.unwritable(path: command.log, reason: "it cannot be opened")
        }
        try log.seekToEnd()
        process = Process()
        process.executableURL = URL(filePath: command.executable)
        process.arguments = command.arguments
        var environment = ProcessInfo.processInfo.environment
        environment[FaultPlan.variable] = command.fault?.description
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = log
        process.standardError = log
        try process.run()
        try log.close()
    }

    /// How it ended; nil while it runs.
    var end: ChildEnd? {
        guard !process.isRunning else { return nil }
        return process.terminationReason == .exit
            ? .exited(process.terminationStatus) : .killed(signal: process.terminationStatus)
    }

    var identifier: Int32 { process.processIdentifier }

    /// Asks it to end in peace, without finishing what it has begun: all the others end, too.
    func terminate() { Glibc.kill(process.processIdentifier, SIGINT) }

    /// Ends it at once.
    func kill() { Glibc.kill(process.processIdentifier, SIGKILL) }

    /// The last thing it said, without the program's name.
    var lastLine: String {
        let text = String(
            decoding: FileManager.default.contents(atPath: command.log) ?? Data(),
            as: UTF8.self
        )
        let line = text.split(whereSeparator: \.isNewline).last ?? ""
        return String(line.trimmingPrefix("flowsteer: "))
    }
}
