import Benchmarks
import Foundation
import Tensors
import Testing

@Suite struct BenchmarkReportTests {
    /// A forward of 7.2 GFLOP in 72 ms on two lanes that reach 100 GFLOP/s each.
    private let report = BenchmarkReport(
        BenchmarkReport.Subject("forward", .tiny, lanes: 2, precision: .float32),
        Measurement(seconds: [0.070, 0.072, 0.080]),
        BenchmarkCost(operations: 7.2e9, weightBytes: 31_200_000, yield: 16, of: "samples"),
        peak: MachinePeak(operationsPerSecond: 100e9),
        peakMemoryBytes: 103_000_000
    )

    @Test func `rates follow from the median`() {
        #expect(abs(report.gigaOperationsPerSecond - 100) < 1e-9)
        #expect(abs(report.shareOfPeak - 0.5) < 1e-12)
        #expect(abs(report.rate - 16 / 0.072) < 1e-9)
    }

    @Test func `the table says what was run and how fast`() {
        let lines = ReportTable([report]).text.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(
            lines[1].split(separator: " ").joined(separator: " ")
                == "forward tiny 16 64 + 16 2 fp32 72.0 70.0 … 80.0 7.20 100.0 50 % 222.2 samples"
        )
        #expect(lines[2].contains("103 MB") && lines[2].contains("31.2 MB") && lines[2].contains("100.0"))
    }

    @Test func `JSON is one line, and holds the figures and what they are of`() throws {
        let json = try [report].json()
        #expect(!json.contains("\n"))
        #expect(try JSONDecoder().decode([BenchmarkReport].self, from: Data(json.utf8)) == [report])
        let parsed = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]]
        let object = try #require(parsed)
        #expect(object[0]["milliseconds"] as? Double == report.milliseconds)
        #expect(object[0]["peakMemoryBytes"] as? Int == 103_000_000)
    }

    @Test func `work without counted operations has neither rate nor share in the table`() {
        let bare = BenchmarkReport(
            BenchmarkReport.Subject("layer-norm", .tiny, lanes: 1, precision: .float32),
            Measurement(seconds: [0.001]),
            BenchmarkCost(operations: 0, weightBytes: 0, yield: 0.02, of: "GB"),
            peak: MachinePeak(operationsPerSecond: 100e9),
            peakMemoryBytes: 1
        )
        let row = ReportTable([bare]).text.split(separator: "\n")[1]
        #expect(!row.contains("%"))
        #expect(row.contains("20.0 GB"))
    }
}
