import Foundation
import Testing

/// A library that stands before the system's own in processes that a test starts, built from source.
///
/// It goes by a number that the test sets while they run.
struct Preload {
    /// Whether there is a compiler for it.
    static let isPossible = (try? Program.succeeds(["clang", "--version"])) ?? false

    private let library: String
    private let number: URL
    private let variable: String

    /// Builds the library in a folder.
    ///
    /// - Parameters:
    ///   - source: in C; it finds the path of the number's file in an environment variable.
    ///   - variable: the name of that.
    init(_ name: String, source: String, variable: String, in folder: URL) throws {
        library = folder.appending(path: "\(name).so").path()
        number = folder.appending(path: "\(name).number")
        self.variable = variable
        let file = folder.appending(path: "\(name).c")
        try source.write(to: file, atomically: true, encoding: .utf8)
        let words = ["clang", "-shared", "-fPIC", "-O1", "-o", library, file.path(), "-ldl"]
        try #require(try Program.succeeds(words), "clang builds \(name)")
        try set(0)
    }

    /// What a process needs in its environment to have it.
    var environment: [String: String] { ["LD_PRELOAD": library, variable: number.path()] }

    /// From now on the number is this.
    func set(_ value: Int) throws { try "\(value)".write(to: number, atomically: true, encoding: .utf8) }
}
