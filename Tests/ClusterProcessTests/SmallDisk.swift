import Foundation
import Testing

/// A disk of a few megabytes in memory, mounted where only the processes started with ``launcher`` see it.
final class SmallDisk {
    /// Whether this machine lets a test mount one.
    static let isPermitted =
        (try? Program.succeeds(["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"])) ?? false

    private let holder: Process

    /// Mounts a disk at a folder, which is made.
    init(at folder: URL, megabytes: Int) async throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        holder = Process()
        holder.executableURL = URL(filePath: "/usr/bin/env")
        let mount = "mount -t tmpfs -o size=\(megabytes)m tmpfs '\(folder.path())'"
        // What was started last holds the namespace for as long as it sleeps.
        holder.arguments = [
            "unshare", "-m", "sh", "-c", "\(mount) && touch '\(folder.path())/mounted' && exec sleep 600",
        ]
        try holder.run()
        let mounted = root + folder.appending(path: "mounted").path()
        _ = try await eventually {
            try #require(holder.isRunning, "the disk is mounted")
            return FileManager.default.fileExists(atPath: mounted) ? true : nil
        }
    }

    deinit {
        holder.terminate()
        holder.waitUntilExit()
    }

    /// Starts a program where the disk is.
    var launcher: [String] { ["nsenter", "--mount=/proc/\(holder.processIdentifier)/ns/mnt"] }

    /// What paths begin with that are to be seen as its processes see them.
    var root: String { "/proc/\(holder.processIdentifier)/root" }

    /// Writes a file until nothing more fits.
    func fill(_ path: String) throws {
        try Data().write(to: URL(filePath: path))
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        for count in [1 << 20, 1 << 12] {
            while (try? file.write(contentsOf: Data(count: count))) != nil {}
        }
    }
}
