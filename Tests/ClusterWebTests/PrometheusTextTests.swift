import ClusterRuntime
import Testing

@testable import ClusterWeb

struct PrometheusTextTests {
    @Test func `families are written as Prometheus's text format has them`() {
        var nodes = MetricFamily("flowsteer_nodes", .gauge, "Nodes, by \\ and\nby line.")
        nodes.add([("name", "a \"b\"\\c\n"), ("role", "trainer")], 2)
        nodes.add([], 0.25)
        var seconds = Histogram(bounds: [0.5, 1])
        for value in [0.25, 0.5, 0.75, 3] { seconds.add(value) }
        var phases = MetricFamily("flowsteer_phase_seconds", .histogram, "Phases.")
        phases.add([("phase", "files")], seconds)
        let odd = MetricFamily("flowsteer_odd", .gauge, "None.", Double.infinity)
        let none = MetricFamily("flowsteer_none", .gauge, "None.", nil)
        let whole = MetricFamily("flowsteer_whole_seconds", "Whole.", Histogram(bounds: [1]))
        #expect(
            PrometheusText.render([nodes, phases, odd, none, whole]) == #"""
                # HELP flowsteer_nodes Nodes, by \\ and\nby line.
                # TYPE flowsteer_nodes gauge
                flowsteer_nodes{name="a \"b\"\\c\n",role="trainer"} 2
                flowsteer_nodes 0.25
                # HELP flowsteer_phase_seconds Phases.
                # TYPE flowsteer_phase_seconds histogram
                flowsteer_phase_seconds_bucket{phase="files",le="0.5"} 2
                flowsteer_phase_seconds_bucket{phase="files",le="1"} 3
                flowsteer_phase_seconds_bucket{phase="files",le="+Inf"} 4
                flowsteer_phase_seconds_sum{phase="files"} 4.5
                flowsteer_phase_seconds_count{phase="files"} 4
                # HELP flowsteer_odd None.
                # TYPE flowsteer_odd gauge
                flowsteer_odd +Inf
                # HELP flowsteer_whole_seconds Whole.
                # TYPE flowsteer_whole_seconds histogram
                flowsteer_whole_seconds_bucket{le="1"} 0
                flowsteer_whole_seconds_bucket{le="+Inf"} 0
                flowsteer_whole_seconds_sum 0
                flowsteer_whole_seconds_count 0

                """#
        )
    }
}
