import Foundation
import TestSupport
import Testing

/// The built `flowsteer`, started as people start it.
struct Program {
    /// What a finished process left behind.
    struct Outcome {
        let exitCode: Int32
        let output: String
        let errors: String
    }

    /// The executable lies beside the test bundle, unless `FLOWSTEER_TEST_PROGRAM` names another build of it.
    static var path: String {
        get throws {
            if let path = ProcessInfo.processInfo.environment["FLOWSTEER_TEST_PROGRAM"] {
                let isThere = FileManager.default.isExecutableFile(atPath: path)
                try #require(
                    isThere,
                    "FLOWSTEER_TEST_PROGRAM is '\(path)', expected the path of a built flowsteer"
                )
                return URL(filePath: path).path()
            }
            let bundle = try #require(CommandLine.arguments.first { $0.hasSuffix(".xctest") })
            let path = URL(filePath: bundle).deletingLastPathComponent().appending(path: "flowsteer").path()
            try #require(FileManager.default.isExecutableFile(atPath: path), "\(path) is built")
            return path
        }
    }

    /// Starts the program with its output going to files in `folder`: a full pipe would stop it.
    ///
    /// - Parameters:
    ///   - environment: variables beside those of the tests.
    ///   - launcher: a command that becomes the program, which is named to it with its arguments.
    static func start(
        _ arguments: [String],
        in folder: URL,
        name: String = "program",
        environment: [String: String] = [:],
        launcher: [String] = []
    ) throws -> Process {
        let words = launcher + [try path] + arguments
        let process = Process()
        process.executableURL = URL(filePath: words[0].hasPrefix("/") ? words[0] : "/usr/bin/env")
        process.arguments = words[0].hasPrefix("/") ? Array(words.dropFirst()) : words
        // What is said to the tests is no configuration of the program's.
        let inherited = ProcessInfo.processInfo.environment.filter { name, _ in
            !name.hasPrefix("FLOWSTEER_SOAK_") && !name.hasPrefix("FLOWSTEER_TEST_")
        }
        process.environment = inherited.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try file(folder.appending(path: name + ".out"))
        process.standardError = try file(folder.appending(path: name + ".err"))
        try process.run()
        return process
    }

    /// Runs the program to its end.
    static func run(
        _ arguments: [String],
        in folder: URL,
        environment: [String: String] = [:],
        launcher: [String] = []
    ) throws -> Outcome {
        for name in ["program.out", "program.err"] {
            try? FileManager.default.removeItem(at: folder.appending(path: name))
        }
        let process = try start(arguments, in: folder, environment: environment, launcher: launcher)
        process.waitUntilExit()
        return Outcome(
            exitCode: process.terminationStatus,
            output: try text("program.out", in: folder),
            errors: try text("program.err", in: folder)
        )
    }

    /// Whether another program, with these arguments, ends without an error.
    static func succeeds(_ words: [String]) throws -> Bool {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = words
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    static func text(_ name: String, in folder: URL) throws -> String {
        try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    private static func file(_ url: URL) throws -> FileHandle {
        if !FileManager.default.fileExists(atPath: url.path()) { try Data().write(to: url) }
        let file = try FileHandle(forWritingTo: url)
        try file.seekToEnd()
        return file
    }
}

/// A folder of a test's own, removed when the test is done.
func withTemporaryFolder(_ body: (URL) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "flowsteer-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(folder)
}

/// Polls until `condition` gives a value; the time limit of the test is the deadline.
func eventually<Value>(_ condition: () throws -> Value?) async throws -> Value {
    while true {
        if let value = try condition() { return value }
        try await Task.sleep(for: .milliseconds(50))
    }
}

/// Process ids of a program's children whose command line names a role.
func children(of program: Process, role: String) throws -> [pid_t] {
    let parent = "\(program.processIdentifier)"
    return try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { name in
        guard let pid = pid_t(name),
            let status = try? String(contentsOfFile: "/proc/\(name)/stat", encoding: .utf8),
            let command = try? String(contentsOfFile: "/proc/\(name)/cmdline", encoding: .utf8)
        else { return nil }
        // After the name in parentheses: state, then the parent.
        let fields = status.split(separator: ")").last?.split(separator: " ") ?? []
        return fields.count > 1 && fields[1] == parent && command.contains(role) ? pid : nil
    }
}
