import Foundation

/// What a process has used, as the kernel counts it; zeros once it is gone.
struct ProcessUsage: Sendable, Equatable {
    /// The kernel's clock tick in `/proc`, which Linux fixes at 100 a second for programs.
    private static let ticksPerSecond = 100.0

    /// Seconds of processor time, its own and the kernel's for it.
    var processorSeconds = 0.0
    /// The same of those of its children that have ended and were waited for, and of theirs.
    var childrenProcessorSeconds = 0.0
    /// Bytes resident now.
    var residentByteCount = 0
    /// The most bytes ever resident, or since ``resetPeak(of:)``.
    var peakByteCount = 0

    /// Reads `/proc/PID/stat` and `/proc/PID/status`.
    init(of process: Int32) {
        if let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) {
            // After the name, which may hold anything, in parentheses: state is field 3, utime 14, stime 15,
            // cutime 16, cstime 17.
            let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
            if fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) {
                processorSeconds = (user + system) / Self.ticksPerSecond
            }
            if fields.count > 14, let user = Double(fields[13]), let system = Double(fields[14]) {
                childrenProcessorSeconds = (user + system) / Self.ticksPerSecond
            }
        }
        guard let text = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8) else {
            return
        }
        for line in text.split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count >= 2, let kibibytes = Int(words[1]) else { continue }
            switch words[0] {
            case "VmRSS:": residentByteCount = kibibytes << 10
            case "VmHWM:": peakByteCount = kibibytes << 10
            default: break
            }
        }
    }

    /// Lets a process's peak begin anew at what is resident now (proc_pid_clear_refs(5)).
    static func resetPeak(of process: Int32) {
        try? "5".write(toFile: "/proc/\(process)/clear_refs", atomically: false, encoding: .utf8)
    }
}
