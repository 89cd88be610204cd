import ClusterRuntime
import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct CheckupTests {
    @Test func `a machine without problems ends well`() {
        let checkup = Checkup([
            .processor(.avx2, blas: "Haswell"), .memory(available: 1 << 29), .openFiles(limit: 65_536),
        ])
        #expect(checkup.findings.map(\.verdict) == [.ok, .warning, .ok])
        #expect(checkup.exit == .done)
    }

    @Test func `only silent peers are something else than a problem here`() {
        let silent = Checkup.Finding.reach("tcp://10.0.0.9:7700", failure: "no answer within 3000 ms")
        let taken = Checkup.Finding.port("tcp://127.0.0.1:7700", failure: "Address already in use")
        #expect(Checkup([silent]).exit == .unreachable)
        #expect(Checkup([silent, taken]).exit == .configuration)
    }

    @Test func `a line says what was found, what was expected and what is next`() {
        let line = Checkup.Finding.openFiles(limit: 1024).line
        #expect(line.hasPrefix("warning  open files: 1024 at once; expected 4096"))
        #expect(line.contains("; next: "))
        #expect(Checkup.Finding.openFiles(limit: 4096).line == "ok       open files: 4096 at once")
    }

    @Test func `a clock before the program was written is wrong`() {
        let built = Date(timeIntervalSince1970: 1_800_000_000)
        #expect(Checkup.Finding.clock(now: built.addingTimeInterval(-1), built: built).verdict == .problem)
        #expect(Checkup.Finding.clock(now: built.addingTimeInterval(1), built: built).verdict == .ok)
    }

    @Test func `secrets that others may read are found`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "keys-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name in ["closed", "open"] { _ = try KeyFile.generate(prefix: "\(folder)/\(name)") }
        try FileManager.default.setAttributes(
            [.posixPermissions: NSNumber(value: 0o644)],
            ofItemAtPath: "\(folder)/open.key"
        )
        let checkup = Checkup(run: folder, keys: folder, bind: ("127.0.0.1", 0), connect: [])
        let keys = checkup.findings.filter { $0.subject == "key" }
        #expect(keys.map(\.verdict) == [.ok, .problem])
    }

    @Test func `a port that listens answers and cannot be bound`() throws {
        let port = try freePorts(1)
        let address = (host: "127.0.0.1", port: port)
        let listener = try TCPSocket(listeningAt: address.host, port: port)
        let busy = Checkup(run: "/", keys: nil, bind: address, connect: [address])
        #expect(busy.findings.first { $0.subject == "port" }?.verdict == .problem)
        #expect(busy.findings.last?.verdict == .ok)
        listener.close()
        let silent = Checkup(run: "/", keys: nil, bind: address, connect: [address])
        #expect(silent.findings.first { $0.subject == "port" }?.verdict == .ok)
        #expect(silent.findings.last?.verdict == .problem)
    }
}
