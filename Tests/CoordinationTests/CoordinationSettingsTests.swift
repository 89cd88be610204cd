import Testing

@testable import Coordination

@Suite struct CoordinationSettingsTests {
    @Test func `the defaults work together`() {
        CoordinationSettings().check()
    }

    @Test func `a quorum above all members traps`() async {
        await #expect(processExitsWith: .failure) {
            var settings = CoordinationSettings()
            settings.quorum = 2
            settings.check()
        }
    }

    @Test(arguments: [(0.0, 5, 1), (0.5, 5, 3), (0.5, 4, 2), (1, 4, 4), (0.5, 0, 1)])
    func `a quorum is a share of the members rounded up, and at least one`(
        share: Double,
        count: Int,
        required: Int
    ) {
        var settings = CoordinationSettings()
        settings.quorum = share
        #expect(settings.required(of: count) == required)
    }
}
