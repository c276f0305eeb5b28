import Foundation
import Metrics
import Testing

@Suite struct MetricTextTests {
  @Test func aFamilyHasItsHelpItsKindAndItsSamples() {
    var family = MetricFamily("novation_stream_lag_messages", .gauge, help: "What a peer has not acknowledged.")
    family.add(3, MetricLabel("machine", "shard-0"), MetricLabel("peer", "risk"))
    family.add(0, MetricLabel("machine", "shard-1"), MetricLabel("peer", "risk"))
    #expect(
      MetricText.write([family]) == """
        # HELP novation_stream_lag_messages What a peer has not acknowledged.
        # TYPE novation_stream_lag_messages gauge
        novation_stream_lag_messages{machine="shard-0",peer="risk"} 3
        novation_stream_lag_messages{machine="shard-1",peer="risk"} 0

        """)
  }

  @Test func whatWouldBreakALineIsEscaped() {
    var family = MetricFamily("a", .gauge, help: "back\\slash \"quote\"\nline")
    family.add(1, MetricLabel("l", "back\\slash \"quote\"\nline"))
    #expect(
      MetricText.write([family]) == #"""
        # HELP a back\\slash "quote"\nline
        # TYPE a gauge
        a{l="back\\slash \"quote\"\nline"} 1

        """#)
  }

  @Test(
    arguments: [
      (0, "0"), (-3, "-3"), (1.5, "1.5"), (9_007_199_254_740_991, "9007199254740991"), (1e300, "1e+300"),
      (50e-6, "5e-05"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
    ] as [(Double, String)])
  func numbersAreWrittenAsPrometheusReadsThem(_ value: Double, _ text: String) {
    var family = MetricFamily("a", .gauge, help: "h")
    family.add(value)
    #expect(MetricText.write([family]).hasSuffix("\na \(text)\n"))
  }

  @Test func familiesComeInOrderOfNameAndEachOnce() {
    var (one, two, other) = (
      MetricFamily("b_total", .counter, help: "first"), MetricFamily("b_total", .counter, help: "second"),
      MetricFamily("a", .gauge, help: "other")
    )
    one.add(1, MetricLabel("machine", "x"))
    two.add(2, MetricLabel("machine", "y"))
    other.add(3)
    let lines = MetricText.write([one, two, other]).split(separator: "\n")
    #expect(
      lines == [
        "# HELP a other", "# TYPE a gauge", "a 3", "# HELP b_total first", "# TYPE b_total counter",
        "b_total{machine=\"x\"} 1", "b_total{machine=\"y\"} 2",
      ])
    #expect(MetricText.write([MetricFamily("c", .gauge, help: "without samples")]).isEmpty)
  }

  @Test(arguments: ["", "1a", "a-b", "a b", "ä"])
  func aNameThatIsNoneEndsTheTest(_ name: String) async {
    await #expect(processExitsWith: .failure) { [name] in
      _ = MetricFamily(name, .gauge, help: "h")
    }
  }
}
