import Foundation
import TestSupport
import Testing

@testable import ClusterRuntime
@testable import ClusterWeb

/// What `Cluster/monitoring` asks of Prometheus is what the coordinator tells it.
struct MonitoringTests {
    private static let folder = URL(filePath: Repository.root + "Cluster/monitoring")

    @Test(arguments: ["alerts.yml", "alerts-test.yml", "grafana.json"])
    func `only metrics that there are stand in it`(name: String) throws {
        let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
        var known: Set<String> = []
        for family in RunMetrics(RunStatus(runID: "run", rounds: 1)).families {
            let suffixes = family.kind == .histogram ? ["_bucket", "_sum", "_count"] : [""]
            known.formUnion(suffixes.map { family.name + $0 })
        }
        let asked = Set(text.matches(of: /flowsteer_[a-z_]+/).map { String($0.output) })
        #expect(asked.subtracting(known).isEmpty)
        #expect(asked.count > 5 || name == "alerts-test.yml")
    }

    @Test func `the dashboard is JSON, and its panels do not cover each other`() throws {
        struct Dashboard: Decodable {
            struct Panel: Decodable {
                struct Place: Decodable {
                    let x, y, w, h: Int
                }
                let title: String
                let gridPos: Place
            }
            let panels: [Panel]
        }
        let data = try Data(contentsOf: Self.folder.appending(path: "grafana.json"))
        var taken: Set<[Int]> = []
        for panel in try JSONDecoder().decode(Dashboard.self, from: data).panels {
            let place = panel.gridPos
            #expect(place.x + place.w <= 24, "\(panel.title)")
            for x in place.x..<place.x + place.w {
                for y in place.y..<place.y + place.h {
                    let isFree = taken.insert([x, y]).inserted
                    #expect(isFree, "\(panel.title)")
                }
            }
        }
        #expect(taken.count > 500)
    }
}
