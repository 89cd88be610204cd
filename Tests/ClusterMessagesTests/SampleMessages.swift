import ClusterMessages
import Tensors

/// One message of every kind, each field with a value that is not its default.
enum SampleMessages {
    static let header = MessageHeader(
        runID: "emoji-scenes-1",
        sender: NodeID(3),
        token: SessionToken(0x0123_4567_89ab_cdef),
        incarnation: Incarnation(0xfedc_ba98_7654_3210),
        epoch: 7,
        sequence: 42
    )

    static let all: [Message] = session + work + trajectories + averaging + checkpoints + operations

    static func message(of kind: Message.Kind) -> Message? { all.first { $0.kind == kind } }

    /// An offer of numbers in one byte, as ``GoldenFrames`` has it under `offer in int8`.
    static let narrowOffer = Message.offer(
        .init(
            round: RoundNumber(6),
            baseRound: RoundNumber(5),
            sampleCount: 80,
            hash: hash(9),
            segments: [
                .init(name: "student", elementCount: 1000, encoding: .int8),
                .init(name: "discriminator", elementCount: 500, encoding: .float16),
            ],
            losses: []
        )
    )

    /// 32 bytes that count up from `start`.
    static func hash(_ start: UInt8) -> ContentHash {
        guard let hash = ContentHash((0..<32).map { start &+ $0 }) else { preconditionFailure("32 bytes") }
        return hash
    }

    static let key = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
    static let otherKey = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
    static let fence = Fence(epoch: 7, attempt: 2)
    static let measurements = [
        Message.Measurement(name: "velocity", value: 0.25),
        Message.Measurement(name: "adversarial", value: -1.5),
    ]

    private static let session: [Message] = [
        .hello(
            .init(
                role: .rollout,
                name: "rollout-a",
                protocolVersions: 1...2,
                build: "flowsteer 0.1",
                teacherHash: hash(1),
                trajectoriesEndpoint: "tcp://10.0.0.2:7001",
                trajectoriesPublicKey: key,
                batchCapacity: 4,
                heldLeases: [.init(batch: BatchID(9), fence: fence)],
                heldTrajectories: [.init(batch: BatchID(8), hash: hash(2), byteCount: 98_304)],
                round: RoundNumber(5),
                parameterHash: hash(3)
            )
        ),
        .welcome(
            .init(
                node: NodeID(3),
                token: SessionToken(0x0123_4567_89ab_cdef),
                configuration: "steps: 4\nname: größer\n",
                pingInterval: .milliseconds(1000),
                deadInterval: .milliseconds(10_000),
                averagingEndpoint: "tcp://10.0.0.1:7101",
                checkpointEndpoint: "tcp://10.0.0.1:7102",
                announcementEndpoint: "tcp://10.0.0.1:7103",
                serverPublicKey: key,
                latestRound: RoundNumber(5),
                manifestHash: hash(4),
                trainerPublicKeys: [key, otherKey]
            )
        ),
        .refuse(.init(code: .teacherMismatch, text: "another teacher")),
        .ping(
            .init(
                progress: 17,
                heldByteCount: 65_536,
                activity: "solving batch 9",
                computeTime: .microseconds(1_500_000),
                waitTime: .microseconds(250),
                wireTime: .microseconds(3_001),
                peakMemoryByteCount: 1 << 33
            )
        ),
        .pong(
            .init(
                latestRound: RoundNumber(6),
                manifestHash: hash(5),
                state: .paused,
                trainerPublicKeys: [otherKey]
            )
        ),
        .goodbye(
            .init(
                reason: "interrupted",
                returningLeases: [
                    .init(batch: BatchID(9), fence: fence), .init(batch: BatchID(10), fence: fence),
                ]
            )
        ),
        .drain(.init(reason: "a person asked")),
        .finish,
    ]

    private static let work: [Message] = [
        .workCredit(.init(batchCount: 2, byteCount: 64 << 20)),
        .lease(
            .init(
                batch: BatchID(9),
                fence: fence,
                deadline: .milliseconds(90_000),
                prompts: [
                    .init(id: 36, sample: 1, text: "a red heart 💗 on a hill"),
                    .init(id: 37, sample: 2, text: "two blue fish"),
                ],
                seed: 0xdead_beef_0000_0001
            )
        ),
        .leaseCancel(.init(batch: BatchID(9), fence: fence)),
        .trajectoryReady(
            .init(
                batch: BatchID(9),
                fence: fence,
                hash: hash(6),
                byteCount: 98_304,
                teacherEvaluationCount: 128,
                elapsed: .microseconds(2_345_678)
            )
        ),
        .leaseFailed(
            .init(
                batch: BatchID(9),
                fence: fence,
                code: .nonFinite,
                isRetryable: true,
                text: "NaN at σ = 0.5"
            )
        ),
        .assign(
            .init(
                batch: BatchID(9),
                hash: hash(6),
                byteCount: 98_304,
                sampleCount: 4,
                holder: NodeID(2),
                holderEndpoint: "tcp://10.0.0.2:7001",
                holderPublicKey: key,
                after: BatchID(7)
            )
        ),
        .release(.init(batch: BatchID(9), hash: hash(6))),
        .consumed(
            .init(
                batch: BatchID(9),
                hash: hash(6),
                round: RoundNumber(6),
                localStep: 11,
                sampleCount: 4,
                useCount: 1
            )
        ),
        .fetchFailed(
            .init(batch: BatchID(9), hash: hash(6), holder: NodeID(2), code: .corrupt, text: "other bytes")
        ),
        .stepReport(
            .init(
                round: RoundNumber(6),
                localStep: 11,
                sampleCount: 4,
                losses: measurements,
                gradientNorms: [.init(name: "student", value: .infinity)]
            )
        ),
    ]

    private static let trajectories: [Message] = [
        .fetch(.init(hash: hash(6), offset: 65_536, creditByteCount: 1 << 20)),
        .chunk(.init(hash: hash(6), offset: 65_536, totalByteCount: 98_304, payload: [1, 2, 3, 255])),
        .fetchError(.init(hash: hash(6), code: .notFound, text: "released")),
    ]

    private static let averaging: [Message] = [
        .roundOpen(.init(round: RoundNumber(6), localStepCount: 20)),
        .roundCommitted(
            .init(
                round: RoundNumber(6),
                parameterHash: hash(7),
                manifestHash: hash(8),
                excluded: [NodeID(4), NodeID(300)]
            )
        ),
        .roundCut(.init(round: RoundNumber(6))),
        .ringOpen(
            .init(
                round: RoundNumber(6),
                ring: 4_294_967_298,
                members: [
                    .init(
                        node: NodeID(3),
                        endpoint: "tcp://10.0.0.3:7002",
                        publicKey: key,
                        offer: hash(9),
                        sampleCount: 80
                    ),
                    .init(
                        node: NodeID(4),
                        endpoint: "tcp://10.0.0.4:7002",
                        publicKey: nil,
                        offer: hash(10),
                        sampleCount: 72
                    ),
                ]
            )
        ),
        .ringShare(
            .init(ring: 4_294_967_298, hash: hash(11), byteCount: 3_000, squaredDistances: [0.5, 2, 0.25, 3])
        ),
        .ringFailed(.init(ring: 4_294_967_298, code: .notFound, text: "trainer 4 is silent")),
        .roundAborted(.init(round: RoundNumber(6), reason: "no members left")),
        .offer(
            .init(
                round: RoundNumber(6),
                baseRound: RoundNumber(5),
                sampleCount: 80,
                hash: hash(9),
                segments: [
                    .init(name: "student", elementCount: 1000, encoding: .float32),
                    .init(name: "discriminator", elementCount: 500, encoding: .bfloat16),
                ],
                losses: measurements
            )
        ),
        .offerFragment(
            .init(round: RoundNumber(6), segment: "student", offset: 2048, payload: [0, 0, 128, 63])
        ),
        .offerAccepted(
            .init(
                round: RoundNumber(6),
                segment: "discriminator",
                nextOffset: 512,
                creditByteCount: 4 << 20,
                isComplete: true
            )
        ),
        .parameterRequest(
            .init(round: RoundNumber(6), segment: "student", offset: 2048, creditByteCount: 1 << 20)
        ),
        .parameterFragment(
            .init(
                round: RoundNumber(6),
                segment: "student",
                offset: 3996,
                totalByteCount: 4000,
                payload: [9, 8, 7, 6]
            )
        ),
        .roundError(.init(round: RoundNumber(4), code: .badBase, text: "round 4 is over")),
    ]

    private static let checkpoints: [Message] = [
        .announce(.init(round: RoundNumber(6), manifestHash: hash(8))),
        .manifestRequest(.hash(hash(8))),
        .manifest(
            .init(
                round: RoundNumber(6),
                hash: hash(8),
                payload: Array(#"{"round":6}"#.utf8),
                holders: [.init(endpoint: "tcp://10.0.0.2:7001", publicKey: key)]
            )
        ),
        .chunkRequest(.init(hash: hash(10), offset: 1 << 20, creditByteCount: 2 << 20)),
    ]

    private static let operations: [Message] = [
        .statusRequest,
        .status(.init(payload: Array(#"{"state":"running"}"#.utf8))),
        .command(.init(action: .drain, node: NodeID(3))),
    ]
}

extension SampleMessages {
    /// A round that a ring averaged, as ``GoldenFrames`` has it under `committed by a ring`.
    static let committedByRing = Message.roundCommitted(
        .init(
            round: RoundNumber(6),
            parameterHash: hash(7),
            manifestHash: hash(8),
            excluded: [],
            means: [
                .init(endpoint: "tcp://10.0.0.3:7002", publicKey: key, hash: hash(11), byteCount: 3_000),
                .init(endpoint: "tcp://10.0.0.4:7002", publicKey: nil, hash: hash(12), byteCount: 2_996),
            ]
        )
    )
}
