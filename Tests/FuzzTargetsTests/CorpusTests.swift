import Foundation
import FuzzTargets
import TestSupport
import Testing

/// The inputs that the fuzzer found to reach something new, and those that once broke something, tried once more.
///
/// `Scripts/fuzz.sh TARGET` looks for more.
@Suite struct CorpusTests {
    @Test(arguments: FuzzTarget.allCases)
    func `every input kept for a target does no harm`(target: FuzzTarget) throws {
        let folder = Repository.fixture("Fuzzing/\(target.rawValue)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        #expect(names.count > 10)
        for name in names {
            let input = try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))
            do {
                try target.check(Array(input))
            } catch {
                Issue.record("\(folder)/\(name): \(error)")
            }
        }
    }
}
