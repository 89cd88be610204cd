/// How much memory roles took while others stalled.
package struct StallReport: Sendable, Codable, Equatable {
    /// A process that was watched.
    package struct Role: Sendable, Codable, Equatable {
        package let name: String
        /// Resident when the stall began.
        package let baselineBytes: Int
        /// The most that was resident until it ended.
        package let peakBytes: Int
        package let growthBytes: Int

        init(name: String, baselineBytes: Int, peakBytes: Int) {
            self.name = name
            self.baselineBytes = baselineBytes
            self.peakBytes = peakBytes
            growthBytes = max(0, peakBytes - baselineBytes)
        }
    }

    /// One stall.
    package struct Stall: Sendable, Codable, Equatable {
        /// Who stalled.
        package let stalled: String
        package let roles: [Role]
        /// Whether rounds were committed again afterwards.
        package internal(set) var wentOn = false
        /// Bytes that the stalled peer asked of each server, where it did.
        package internal(set) var askedBytes = 0

        init(stalled: String, roles: [Role]) {
            self.stalled = stalled
            self.roles = roles
        }
    }

    /// Of each stall.
    package let seconds: Double
    package let stalls: [Stall]

    /// Lines for people.
    package var text: String {
        let lines = stalls.flatMap { stall in
            let asked = stall.askedBytes > 0 ? ", which asked each for \(stall.askedBytes >> 20) MiB" : ""
            return ["\(stall.stalled) stalls for \(decimal(seconds)) s\(asked)"]
                + stall.roles.map { role in
                    "    \(role.name): \(role.baselineBytes >> 20) MiB, at most \(role.peakBytes >> 20) MiB, "
                        + "\(role.growthBytes >> 20) MiB more"
                }
        }
        return lines.joined(separator: "\n")
    }
}
