/// Everything the processes of a cluster say to each other; one case a kind.
///
/// Values only: bounds on the wire, and what is refused there, are the business of ``MessageCodec``.
package enum Message: Sendable, Hashable {
    // Joining, staying and leaving.
    case hello(Hello)
    case welcome(Welcome)
    case refuse(Refuse)
    case ping(Ping)
    case pong(Pong)
    case goodbye(Goodbye)
    case drain(Drain)
    /// Tells a node that the run is complete.
    case finish

    // Batches of prompts and what becomes of them.
    case workCredit(WorkCredit)
    case lease(Lease)
    case leaseCancel(LeaseCancel)
    case trajectoryReady(TrajectoryReady)
    case leaseFailed(LeaseFailed)
    case assign(Assign)
    case release(Release)
    case consumed(Consumed)
    case fetchFailed(FetchFailed)
    case stepReport(StepReport)

    // The bytes of trajectories and files.
    case fetch(Fetch)
    case chunk(Chunk)
    case fetchError(FetchError)

    // Rounds of averaging.
    case roundOpen(RoundOpen)
    case roundCommitted(RoundCommitted)
    case roundAborted(RoundAborted)
    case roundCut(RoundCut)
    case ringOpen(RingOpen)
    case ringShare(RingShare)
    case ringFailed(RingFailed)
    case offer(Offer)
    case offerFragment(OfferFragment)
    case offerAccepted(OfferAccepted)
    case parameterRequest(ParameterRequest)
    case parameterFragment(ParameterFragment)
    case roundError(RoundError)

    // Checkpoints.
    case announce(Announce)
    case manifestRequest(ManifestRequest)
    case manifest(Manifest)
    case chunkRequest(ChunkRequest)

    // What a person asks.
    /// Asks for the status of the run.
    case statusRequest
    case status(Status)
    case command(Command)

    /// What kind of message this is.
    package var kind: Kind {
        switch self {
        case .hello: .hello
        case .welcome: .welcome
        case .refuse: .refuse
        case .ping: .ping
        case .pong: .pong
        case .goodbye: .goodbye
        case .drain: .drain
        case .finish: .finish
        case .workCredit: .workCredit
        case .lease: .lease
        case .leaseCancel: .leaseCancel
        case .trajectoryReady: .trajectoryReady
        case .leaseFailed: .leaseFailed
        case .assign: .assign
        case .release: .release
        case .consumed: .consumed
        case .fetchFailed: .fetchFailed
        case .stepReport: .stepReport
        case .fetch: .fetch
        case .chunk: .chunk
        case .fetchError: .fetchError
        case .roundOpen: .roundOpen
        case .roundCommitted: .roundCommitted
        case .roundAborted: .roundAborted
        case .roundCut: .roundCut
        case .ringOpen: .ringOpen
        case .ringShare: .ringShare
        case .ringFailed: .ringFailed
        case .offer: .offer
        case .offerFragment: .offerFragment
        case .offerAccepted: .offerAccepted
        case .parameterRequest: .parameterRequest
        case .parameterFragment: .parameterFragment
        case .roundError: .roundError
        case .announce: .announce
        case .manifestRequest: .manifestRequest
        case .manifest: .manifest
        case .chunkRequest: .chunkRequest
        case .statusRequest: .statusRequest
        case .status: .status
        case .command: .command
        }
    }
}
