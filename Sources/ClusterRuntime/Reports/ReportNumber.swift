import Foundation

/// Numbers as reports write them.
enum ReportNumber {
    /// Seconds, to a tenth.
    static func seconds(_ value: Double) -> String { String(format: "%.1f", value) }

    /// Seconds as hours, to a hundredth.
    static func hours(_ seconds: Double) -> String { String(format: "%.2f", seconds / 3600) }

    /// Bytes in MiB, to a tenth.
    static func bytes(_ count: Int) -> String { String(format: "%.1f MiB", Double(count) / 1_048_576) }

    /// Three digits that count.
    static func short(_ value: Double) -> String { String(format: "%.3g", value) }
}
