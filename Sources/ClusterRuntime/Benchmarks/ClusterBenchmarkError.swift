/// Why a benchmark of the cluster came to no figures.
package enum ClusterBenchmarkError: Error, Equatable, CustomStringConvertible {
    /// A process it started ended, or did not get ready in time.
    case processFailed(name: String, lastLine: String)
    /// Something that was waited for did not happen.
    case late(what: String, seconds: Int)
    /// This process may not open enough files.
    case tooFewFiles(needed: Int, limit: Int)

    package var description: String {
        switch self {
        case .processFailed(let name, let lastLine): "\(name) ended or is not ready: \(lastLine)"
        case .late(let what, let seconds): "no \(what) within \(seconds) s"
        case .tooFewFiles(let needed, let limit):
            "\(needed) open files are needed and \(limit) allowed: raise the hard limit (ulimit -Hn, LimitNOFILE)"
        }
    }
}

/// Waits for a value.
///
/// - Throws: ``ClusterBenchmarkError/late(what:seconds:)``.
@discardableResult
func awaited<Value>(
    _ what: String,
    seconds: Int,
    _ value: () async throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < deadline {
        if let value = try await value() { return value }
        try await Task.sleep(for: .milliseconds(50))
    }
    throw ClusterBenchmarkError.late(what: what, seconds: seconds)
}
