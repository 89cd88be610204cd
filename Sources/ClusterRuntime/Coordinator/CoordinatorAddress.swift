import Foundation

/// How to reach the coordinator that works in a run's folder: what `coordinator.json` says.
struct CoordinatorAddress: Codable, Sendable, Equatable {
    /// The control plane's endpoint.
    let control: String
    /// Z85; nil without encryption.
    let publicKey: String?
    let runID: String

    init(control: String, publicKey: String?, runID: String) {
        self.control = control
        self.publicKey = publicKey
        self.runID = runID
    }

    /// Reads a file; nil where there is none, as before a coordinator is ready.
    init?(path: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        self = try JSONDecoder().decode(Self.self, from: data)
    }
}
