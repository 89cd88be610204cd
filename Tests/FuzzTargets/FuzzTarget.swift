/// A reader of bytes from outside, which must bear any bytes whatever.
///
/// ``check(_:)`` is what the fuzzer runs for every input it makes up, and the tests for every input kept.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// Frames of the wire.
    case codec
    /// Files of tensors.
    case safetensors
    /// Tables of contents of checkpoints.
    case manifest

    /// Reads `input` and all that is in it; throws if what was let in contradicts itself.
    ///
    /// Input that is refused is as it should be.
    package func check(_ input: [UInt8]) throws(FuzzFinding) {
        switch self {
        case .codec: try FramesInput(input).check()
        case .safetensors: try checkSafetensors(input)
        case .manifest: try checkManifest(input)
        }
    }
}

/// What is wrong with a reader that let some input in.
package struct FuzzFinding: Error, CustomStringConvertible {
    /// One sentence.
    package let description: String

    init(_ description: String) { self.description = description }
}
