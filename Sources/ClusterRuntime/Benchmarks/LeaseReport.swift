import Foundation

/// What one coordinator did for many workers.
package struct LeaseReport: Sendable, Codable, Equatable {
    /// One measurement.
    package struct Phase: Sendable, Codable, Equatable {
        package let seconds: Double
        package let leases: Int
        package let leasesPerSecond: Double
        /// Batches that rounds committed.
        package let committedBatchesPerSecond: Double
        package let roundsPerSecond: Double
        /// From a rollout's word that it has room to the next lease.
        package let medianLeaseMilliseconds: Double
        package let p99LeaseMilliseconds: Double
        /// Cores' worth of processor time.
        package let coordinatorCores: Double
        package let coordinatorMemoryBytes: Int

        init(_ tally: SwarmTally, seconds: Double, processorSeconds: Double, memoryBytes: Int) {
            let latencies = tally.latencies.sorted()
            self.seconds = seconds
            leases = tally.leases
            leasesPerSecond = Double(tally.leases) / seconds
            committedBatchesPerSecond = Double(tally.committedBatches) / seconds
            roundsPerSecond = Double(tally.rounds) / seconds
            medianLeaseMilliseconds = 1000 * quantile(0.5, ofSorted: latencies)
            p99LeaseMilliseconds = 1000 * quantile(0.99, ofSorted: latencies)
            coordinatorCores = processorSeconds / seconds
            coordinatorMemoryBytes = memoryBytes
        }
    }

    package let workers: Int
    package let trainers: Int
    /// From the first connection to the last welcome.
    package let joinSeconds: Double
    /// As fast as they can.
    package let unpaced: Phase
    /// With a while for each batch.
    package let paced: Phase
    /// That while.
    package let batchSeconds: Double
    package let coordinatorPeakMemoryBytes: Int
    /// Messages that the coordinator refused.
    package let refusals: Int
    /// Contradictions between ledger and log at the end, and what was compared.
    package private(set) var violations = 0
    package private(set) var audited = ""

    func with(_ audit: RunAudit) -> LeaseReport {
        var report = self
        report.violations = audit.violations.count
        report.audited = audit.summary
        return report
    }
}

extension LeaseReport {
    /// Lines for people.
    package var text: String {
        """
        \(workers) workers, \(trainers) of them trainers, joined in \(decimal(joinSeconds)) s
        as fast as they can:   \(unpaced.text)
        \(decimal(batchSeconds)) s a batch:   \(paced.text)
        coordinator's peak memory \(coordinatorPeakMemoryBytes >> 20) MiB, \(refusals) refusals
        audit: \(violations) violations in \(audited)
        """
    }
}

extension LeaseReport.Phase {
    fileprivate var text: String {
        "\(decimal(leasesPerSecond)) leases/s, \(decimal(committedBatchesPerSecond)) batches/s and "
            + "\(decimal(roundsPerSecond)) rounds/s committed; lease after "
            + "\(decimal(medianLeaseMilliseconds)) ms (median), \(decimal(p99LeaseMilliseconds)) ms (p99); "
            + "coordinator \(decimal(coordinatorCores)) cores, \(coordinatorMemoryBytes >> 20) MiB"
    }
}

/// A number with two places.
func decimal(_ value: Double) -> String { String(format: "%.2f", value) }

/// The value below which this part of sorted values lies, by nearest rank; 0 of none.
func quantile(_ part: Double, ofSorted values: [Double]) -> Double {
    values.isEmpty
        ? 0 : values[max(0, min(values.count, Int((part * Double(values.count)).rounded(.up))) - 1)]
}

/// The value in the middle.
func median(_ values: [Double]) -> Double { quantile(0.5, ofSorted: values.sorted()) }
