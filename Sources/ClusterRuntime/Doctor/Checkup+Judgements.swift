package import Foundation
package import Tensors

/// What is good enough.
extension Checkup.Finding {
    private static let gibibyte = 1 << 30

    /// What kernels run.
    package static func processor(_ kernels: ProcessorKind.Kernels, blas: String) -> Self {
        let found = "\(kernels.rawValue) kernels, BLAS for \(blas)"
        guard kernels == .portable else { return .ok("processor", found) }
        return .warning(
            "processor",
            found,
            .init(
                expected: "AVX2 with FMA, or AVX-512",
                next: "train on another machine: this one takes times longer"
            )
        )
    }

    package static func bfloat16(isFast: Bool) -> Self {
        .ok(
            "bf16",
            isFast ? "the CPU multiplies it" : "the CPU does not multiply it: it saves memory, not time"
        )
    }

    /// - Parameter available: bytes that processes can have now.
    package static func memory(available: Int?) -> Self {
        let remedy = Checkup.Remedy(
            expected: "1.0 GiB for the smallest teacher",
            next: "end other programs; doctor --model tells what a model needs"
        )
        guard let available else { return .warning("memory", "unknown", remedy) }
        let found = "\(gibibytes(available)) available"
        return available < gibibyte ? .warning("memory", found, remedy) : .ok("memory", found)
    }

    /// - Parameter free: bytes that this user may write where the run's folder is or would be; nil if it may write none.
    package static func disk(free: Int?, folder: String) -> Self {
        guard let free else {
            return .problem(
                "disk",
                "\(folder) cannot be written",
                .init(expected: "a folder of this user", next: "give another --run, or change its owner")
            )
        }
        let found = "\(gibibytes(free)) free for \(folder)"
        guard free < gibibyte else { return .ok("disk", found) }
        return .warning(
            "disk",
            found,
            .init(expected: "1.0 GiB or more", next: "free some, or give --run a folder on another disk")
        )
    }

    /// - Parameter limit: that holds now, raised as far as it may be.
    package static func openFiles(limit: Int) -> Self {
        let found = "\(limit) at once"
        guard limit < 4096 else { return .ok("open files", found) }
        return .warning(
            "open files",
            found,
            .init(
                expected: "4096, three a node and some more",
                next: "raise the hard limit: ulimit -Hn, LimitNOFILE="
            )
        )
    }

    /// - Parameter built: when the program was.
    package static func clock(now: Date, built: Date) -> Self {
        let found = now.formatted(.iso8601)
        guard now < built else { return .ok("clock", found) }
        return .problem(
            "clock",
            found,
            .init(
                expected: "later than \(built.formatted(.iso8601)), when this program was written here",
                next: "set it, and let NTP keep it"
            )
        )
    }

    /// - Parameter failure: why the address cannot be bound; nil if it can.
    package static func port(_ address: String, failure: String?) -> Self {
        guard let failure else { return .ok("port", "\(address) is free") }
        return .problem(
            "port",
            "\(address): \(failure)",
            .init(
                expected: "a free port of this machine",
                next: "end what listens there, or give another --bind"
            )
        )
    }

    /// - Parameter failure: why nothing answered; nil if something did.
    package static func reach(_ address: String, failure: String?) -> Self {
        guard let failure else { return .ok(Checkup.reach, "\(address) answers") }
        return .problem(
            Checkup.reach,
            "\(address): \(failure)",
            .init(
                expected: "something that listens",
                next: "start it; then compare --advertise and the firewall's ports with this address"
            )
        )
    }

    /// - Parameter failure: what is wrong with the secret; nil if nothing is.
    package static func key(_ path: String, failure: String?) -> Self {
        guard let failure else { return .ok("key", "\(path) is a secret of this user alone") }
        return .problem(
            "key",
            failure,
            .init(expected: "a secret of mode 0600", next: "chmod 600 it, or keygen anew")
        )
    }

    /// A folder without secrets.
    package static func noKeys(in folder: String) -> Self {
        .problem(
            "key",
            "\(folder) has no file that ends in .key",
            .init(expected: "one a node", next: "flowsteer keygen --out \(folder)/NAME")
        )
    }

    private static func gibibytes(_ count: Int) -> String {
        String(format: "%.1f GiB", Double(count) / Double(gibibyte))
    }
}
