import Metrics
import Testing

@Suite struct RegistryTests {
  @Test func aHistogramCountsEachObservationInItsBucketAndAllAbove() {
    let registry = MetricsRegistry()
    let histogram = registry.histogram("wait_seconds", help: "h", bounds: [0.25, 1, 4], [MetricLabel("m", "a")])
    for value in [0.125, 0.25, 0.26, 1, 3, 4, 5, 100] { histogram.observe(value) }
    #expect(
      registry.text == """
        # HELP wait_seconds h
        # TYPE wait_seconds histogram
        wait_seconds_bucket{m="a",le="0.25"} 2
        wait_seconds_bucket{m="a",le="1"} 4
        wait_seconds_bucket{m="a",le="4"} 6
        wait_seconds_bucket{m="a",le="+Inf"} 8
        wait_seconds_sum{m="a"} 113.635
        wait_seconds_count{m="a"} 8

        """)
  }

  @Test func nothingIsLostWhenManyThreadsWrite() async {
    let registry = MetricsRegistry()
    let histogram = registry.histogram("h", help: "h", bounds: Histogram.bounds(from: 1, factor: 2, count: 8))
    let counter = registry.counter("c_total", help: "c")
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          for step in 0..<20_000 {
            histogram.observe(Double((step + task) % 300))
            counter.add(2)
          }
        }
      }
    }
    #expect(histogram.count == 160_000 && counter.value == 320_000)
    let expected = (0..<8).reduce(0) { sum, task in sum + (0..<20_000).reduce(0) { $0 + ($1 + task) % 300 } }
    #expect(histogram.total == Double(expected))
  }

  @Test func theSameNameAndLabelsAreTheSameInstrument() {
    let registry = MetricsRegistry()
    registry.counter("c_total", help: "c", [MetricLabel("m", "a")]).add()
    registry.counter("c_total", help: "c", [MetricLabel("m", "a")]).add()
    registry.counter("c_total", help: "c", [MetricLabel("m", "b")]).add()
    #expect(registry.text.contains("c_total{m=\"a\"} 2\nc_total{m=\"b\"} 1\n"))
  }

  @Test func aCommitIsSeenInBothHistograms() {
    let registry = MetricsRegistry()
    let meters = MachineMeters(registry, machine: "shard-3")
    meters.committed(inputs: 100, nanoseconds: 240_000)
    meters.committed(inputs: 1, nanoseconds: 60_000)
    let text = registry.text
    #expect(text.contains("novation_journal_commit_seconds_bucket{machine=\"shard-3\",le=\"0.0001\"} 1\n"))
    #expect(text.contains("novation_journal_commit_seconds_count{machine=\"shard-3\"} 2\n"))
    #expect(text.contains("novation_journal_commit_inputs_bucket{machine=\"shard-3\",le=\"64\"} 1\n"))
    #expect(text.contains("novation_journal_commit_inputs_sum{machine=\"shard-3\"} 101\n"))
    #expect(!text.contains("novation_snapshot"), "none was kept")
    meters.keptSnapshot(at: 1_795_389_022)
    #expect(registry.text.contains("novation_snapshot_timestamp_seconds{machine=\"shard-3\"} 1795389022\n"))
  }

  @Test func theProcessTellsWhatTheKernelKnows() throws {
    let families = Dictionary(
      uniqueKeysWithValues: ProcessMetrics.families().map { ($0.name, $0.samples[0].value) })
    #expect(try #require(families["process_cpu_seconds_total"]) > 0)
    #expect(try #require(families["process_resident_memory_bytes"]) > 1_048_576)
    #expect(try #require(families["process_open_fds"]) >= 3)
    #expect(try #require(families["process_max_fds"]) >= #require(families["process_open_fds"]))
    #expect(try #require(families["process_start_time_seconds"]) > 1.7e9)
    #expect(families.count == 6)
  }
}
