import Hummingbird
import NIOCore

/// A request's surroundings: the connection it came over.
struct WebContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    /// The client's address, without its port.
    var client: String { channel.remoteAddress?.ipAddress ?? "" }
}
