package import ClusterRuntime

/// Where and how a coordinator shows itself over HTTP.
package struct WebOptions: Sendable {
    /// The address it listens at.
    package var address: WebAddress
    /// What whoever gives commands must know, and beyond this machine whoever reads.
    package var token: AccessToken
    /// Names by which it is also reached, beside IP addresses and `localhost`.
    package var names: Set<String> = []
    /// How long a client may take to ask, or to take in what it asked for.
    var patience: Duration = .seconds(10)
    /// Connections at once; more wait in the system's queue.
    var connectionLimit = 64
    /// Of those, pages that are kept up to date.
    var streamLimit = 16
    /// Requests that one address may make in a second, and at once.
    var requestRate = (perSecond: 50.0, burst: 200.0)
    /// Silence of the coordinator's loop that is too long.
    var healthySilence: Duration = .seconds(5)

    package init(address: WebAddress, token: AccessToken) {
        self.address = address
        self.token = token
    }
}
