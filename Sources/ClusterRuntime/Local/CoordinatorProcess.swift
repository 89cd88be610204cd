/// Runs a coordinator until the run is finished or the process is told to stop.
///
/// - Parameter say: takes sentences for the person who started it.
package func runCoordinator(
    _ options: CoordinatorOptions,
    say: @escaping @Sendable (String) -> Void
) async throws {
    try await untilStopped {
        let service = try await CoordinatorService(options)
        say(service.greeting)
        try await service.run()
    }
}

extension CoordinatorService {
    /// What a person hears when it serves.
    package var greeting: String { "run \(runID): nodes connect to \(controlEndpoint)" }
}
