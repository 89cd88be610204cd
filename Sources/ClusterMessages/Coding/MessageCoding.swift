extension Message {
    /// Unpacks the body of a kind.
    init(_ kind: Kind, body: [UInt8], payload: [UInt8]) throws(WireError) {
        func read<Body: FrameBody>() throws(WireError) -> Body {
            try Body.unpacked(from: body, payload: payload)
        }
        switch kind {
        case .hello: self = .hello(try read())
        case .welcome: self = .welcome(try read())
        case .refuse: self = .refuse(try read())
        case .ping: self = .ping(try read())
        case .pong: self = .pong(try read())
        case .goodbye: self = .goodbye(try read())
        case .drain: self = .drain(try read())
        case .finish:
            _ = try read() as FinishBody
            self = .finish
        case .workCredit: self = .workCredit(try read())
        case .lease: self = .lease(try read())
        case .leaseCancel: self = .leaseCancel(try read())
        case .trajectoryReady: self = .trajectoryReady(try read())
        case .leaseFailed: self = .leaseFailed(try read())
        case .assign: self = .assign(try read())
        case .release: self = .release(try read())
        case .consumed: self = .consumed(try read())
        case .fetchFailed: self = .fetchFailed(try read())
        case .stepReport: self = .stepReport(try read())
        case .fetch: self = .fetch(try read())
        case .chunk: self = .chunk(try read())
        case .fetchError: self = .fetchError(try read())
        case .roundOpen: self = .roundOpen(try read())
        case .roundCommitted: self = .roundCommitted(try read())
        case .roundAborted: self = .roundAborted(try read())
        case .roundCut: self = .roundCut(try read())
        case .ringOpen: self = .ringOpen(try read())
        case .ringShare: self = .ringShare(try read())
        case .ringFailed: self = .ringFailed(try read())
        case .offer: self = .offer(try read())
        case .offerFragment: self = .offerFragment(try read())
        case .offerAccepted: self = .offerAccepted(try read())
        case .parameterRequest: self = .parameterRequest(try read())
        case .parameterFragment: self = .parameterFragment(try read())
        case .roundError: self = .roundError(try read())
        case .announce: self = .announce(try read())
        case .manifestRequest: self = .manifestRequest(try read())
        case .manifest: self = .manifest(try read())
        case .chunkRequest: self = .chunkRequest(try read())
        case .statusRequest:
            _ = try read() as StatusRequestBody
            self = .statusRequest
        case .status: self = .status(try read())
        case .command: self = .command(try read())
        }
    }

    /// The body's bytes.
    func packedBody() throws(WireError) -> [UInt8] {
        switch self {
        case .hello(let body): try body.packed()
        case .welcome(let body): try body.packed()
        case .refuse(let body): try body.packed()
        case .ping(let body): try body.packed()
        case .pong(let body): try body.packed()
        case .goodbye(let body): try body.packed()
        case .drain(let body): try body.packed()
        case .finish: try FinishBody().packed()
        case .workCredit(let body): try body.packed()
        case .lease(let body): try body.packed()
        case .leaseCancel(let body): try body.packed()
        case .trajectoryReady(let body): try body.packed()
        case .leaseFailed(let body): try body.packed()
        case .assign(let body): try body.packed()
        case .release(let body): try body.packed()
        case .consumed(let body): try body.packed()
        case .fetchFailed(let body): try body.packed()
        case .stepReport(let body): try body.packed()
        case .fetch(let body): try body.packed()
        case .chunk(let body): try body.packed()
        case .fetchError(let body): try body.packed()
        case .roundOpen(let body): try body.packed()
        case .roundCommitted(let body): try body.packed()
        case .roundAborted(let body): try body.packed()
        case .roundCut(let body): try body.packed()
        case .ringOpen(let body): try body.packed()
        case .ringShare(let body): try body.packed()
        case .ringFailed(let body): try body.packed()
        case .offer(let body): try body.packed()
        case .offerFragment(let body): try body.packed()
        case .offerAccepted(let body): try body.packed()
        case .parameterRequest(let body): try body.packed()
        case .parameterFragment(let body): try body.packed()
        case .roundError(let body): try body.packed()
        case .announce(let body): try body.packed()
        case .manifestRequest(let body): try body.packed()
        case .manifest(let body): try body.packed()
        case .chunkRequest(let body): try body.packed()
        case .statusRequest: try StatusRequestBody().packed()
        case .status(let body): try body.packed()
        case .command(let body): try body.packed()
        }
    }

    /// The payload's bytes; nil for the kinds that carry none.
    var payload: [UInt8]? {
        switch self {
        case .chunk(let body): body.payload
        case .offerFragment(let body): body.payload
        case .parameterFragment(let body): body.payload
        case .manifest(let body): body.payload
        case .status(let body): body.payload
        default: nil
        }
    }
}
