/// Runs a coordinator until the run is finished or the process is told to stop.
package func runCoordinator(_ options: CoordinatorOptions) async throws {
    try await untilStopped {
        let service = try await CoordinatorService(options)
        try await service.run()
    }
}
