import CClusterProto

extension Message.WorkCredit: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__WorkCredit

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__work_credit__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__work_credit__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            batchCount: Int(wire.batches),
            byteCount: try fields.count(wire.byte_count, "byte_count")
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.batches = try fields.count(batchCount, "batches")
        unsafe wire.byte_count = try fields.count(byteCount, "byte_count")
    }
}

extension Message.Lease: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__Lease

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__lease__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__lease__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            batch: BatchID(try fields.number(wire.batch, "batch")),
            fence: try fields.value(wire.fence, "fence"),
            deadline: .milliseconds(Int64(wire.deadline_milliseconds)),
            prompts: try fields.list(wire.prompts, count: wire.n_prompts, "prompts", .prompts),
            seed: wire.seed
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.batch = try fields.number(batch.rawValue, "batch")
        unsafe wire.fence = try fields.value(fence)
        unsafe wire.deadline_milliseconds = deadline.wholeMilliseconds
        unsafe wire.n_prompts = prompts.count
        unsafe wire.prompts = try fields.list(prompts, "prompts", .prompts)
        unsafe wire.seed = seed
    }
}

extension Message.Prompt: @unsafe ProtobufForm {
    typealias Wire = Flowsteer__Cluster__V1__Prompt

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__prompt__init(wire)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            id: try fields.number(wire.prompt_id, "prompt_id"),
            sample: wire.sample,
            text: try fields.text(wire.text, "text", .prompt)
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.prompt_id = try fields.number(id, "prompt_id")
        unsafe wire.sample = sample
        unsafe wire.text = try fields.text(text, "text", .prompt)
    }
}

extension Message.LeaseCancel: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__LeaseCancel

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__lease_cancel__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__lease_cancel__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            batch: BatchID(try fields.number(wire.batch, "batch")),
            fence: try fields.value(wire.fence, "fence")
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.batch = try fields.number(batch.rawValue, "batch")
        unsafe wire.fence = try fields.value(fence)
    }
}

extension Message.TrajectoryReady: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__TrajectoryReady

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__trajectory_ready__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__trajectory_ready__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            batch: BatchID(try fields.number(wire.batch, "batch")),
            fence: try fields.value(wire.fence, "fence"),
            hash: try fields.hash(wire.hash, "hash"),
            byteCount: try fields.count(wire.byte_count, "byte_count"),
            teacherEvaluationCount: try fields.count(wire.teacher_evaluations, "teacher_evaluations"),
            elapsed: try fields.microseconds(wire.elapsed_microseconds, "elapsed_microseconds")
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.batch = try fields.number(batch.rawValue, "batch")
        unsafe wire.fence = try fields.value(fence)
        unsafe wire.hash = fields.hash(hash)
        unsafe wire.byte_count = try fields.count(byteCount, "byte_count")
        unsafe wire.teacher_evaluations = try fields.count(teacherEvaluationCount, "teacher_evaluations")
        unsafe wire.elapsed_microseconds = elapsed.wholeMicroseconds
    }
}

extension Message.LeaseFailed: FrameBody, @unsafe ProtobufBody {
    typealias Wire = Flowsteer__Cluster__V1__LeaseFailed

    static func prepare(_ wire: UnsafeMutablePointer<Wire>) {
        unsafe flowsteer__cluster__v1__lease_failed__init(wire)
    }

    static func unpack(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ allocator: inout ProtobufCAllocator
    ) -> UnsafeMutablePointer<Wire>? {
        unsafe flowsteer__cluster__v1__lease_failed__unpack(&allocator, bytes.count, bytes.baseAddress)
    }

    init(_ wire: Wire, _ fields: FieldReader) throws(WireError) {
        unsafe self.init(
            batch: BatchID(try fields.number(wire.batch, "batch")),
            fence: try fields.value(wire.fence, "fence"),
            code: try fields.choice(wire.code, "code"),
            isRetryable: wire.retryable != 0,
            text: try fields.text(wire.text, "text", .prose)
        )
    }

    func write(to wire: inout Wire, _ fields: inout FieldWriter) throws(WireError) {
        unsafe wire.batch = try fields.number(batch.rawValue, "batch")
        unsafe wire.fence = try fields.value(fence)
        unsafe wire.code = code.wire
        unsafe wire.retryable = isRetryable ? 1 : 0
        unsafe wire.text = fields.prose(text)
    }
}
