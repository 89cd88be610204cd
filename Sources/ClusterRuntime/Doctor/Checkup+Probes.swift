import Foundation
import Tensors
import ZeroMQ

/// What is looked at.
extension Checkup {
    /// Addresses as nodes are given them.
    package typealias Address = (host: String, port: Int)

    /// How long an address has for its answer.
    private static let patience: Int32 = 3000

    /// Looks at this machine; it may take seconds, and belongs on the ``ComputeThread``.
    ///
    /// - Parameters:
    ///   - run: the run's folder, which need not be there yet.
    ///   - keys: a folder of secrets, where they are to be looked at.
    ///   - bind: where a coordinator would listen.
    ///   - connect: addresses that other machines advertise.
    package init(run: String, keys: String?, bind: Address, connect: [Address]) {
        var findings: [Finding] = [
            .processor(ProcessorKind.kernels, blas: ProcessorKind.blas),
            .bfloat16(isFast: Precision.isBFloat16Fast),
            .memory(available: Self.availableMemory),
            .disk(free: Self.freeBytes(near: run), folder: run),
            .openFiles(limit: OpenFiles.raiseLimit()),
            .clock(now: Date(), built: Self.programDate),
            .port(Self.text(bind), failure: SocketProbe.bindFailure(host: bind.host, port: bind.port)),
        ]
        if let keys { findings += Self.keys(in: keys) }
        for (host, port) in connect {
            let failure = SocketProbe.connectFailure(host: host, port: port, milliseconds: Self.patience)
            findings.append(.reach(Self.text((host, port)), failure: failure))
        }
        self.init(findings)
    }

    private static func text(_ address: Address) -> String { "tcp://\(address.host):\(address.port)" }

    /// `MemAvailable` of /proc/meminfo (proc_meminfo(5)), in bytes.
    private static var availableMemory: Int? {
        guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") }),
            let kibibytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return nil }
        return kibibytes << 10
    }

    /// Bytes free where a folder is, or where the nearest one above it is; nil where this user may not write.
    private static func freeBytes(near folder: String) -> Int? {
        var url = URL(filePath: folder).standardizedFileURL
        while !FileManager.default.fileExists(atPath: url.path), url.path != "/" {
            url.deleteLastPathComponent()
        }
        guard FileManager.default.isWritableFile(atPath: url.path),
            let attributes = try? FileManager.default.attributesOfFileSystem(forPath: url.path),
            let free = attributes[.systemFreeSize] as? NSNumber
        else { return nil }
        return free.intValue
    }

    /// When this program's file was written.
    private static var programDate: Date {
        let path = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().path
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return attributes?[.modificationDate] as? Date ?? .distantPast
    }

    private static func keys(in folder: String) -> [Finding] {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        let paths = names.filter { $0.hasSuffix(".key") }.map { "\(folder)/\($0)" }
        guard !paths.isEmpty else { return [.noKeys(in: folder)] }
        return paths.map { path in
            do {
                _ = try KeyFile.readPair(path)
                return .key(path, failure: nil)
            } catch {
                return .key(path, failure: "\(error)")
            }
        }
    }
}
