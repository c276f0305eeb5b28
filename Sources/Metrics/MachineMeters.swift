/// What a machine's host writes down as it commits: from its loop, without a lock.
public final class MachineMeters: Sendable {
  private let commitSeconds: Histogram
  private let inputsPerCommit: Histogram

  /// 50 µs to 1.6 s, each bucket twice as wide as the one before it.
  static let secondBounds = Histogram.bounds(from: 50e-6, factor: 2, count: 16)
  /// 1 to 32,768 inputs.
  static let inputBounds = Histogram.bounds(from: 1, factor: 2, count: 16)

  /// - Parameter machine: as it calls itself: `shard-3`.
  public init(_ registry: MetricsRegistry, machine: String) {
    let labels = [MetricLabel("machine", machine)]
    commitSeconds = registry.histogram(
      "novation_journal_commit_seconds", help: "Time from the end of a batch to its being durable.",
      bounds: Self.secondBounds, labels)
    inputsPerCommit = registry.histogram(
      "novation_journal_commit_inputs", help: "Inputs that one commit made durable.", bounds: Self.inputBounds,
      labels)
  }

  /// A batch is durable.
  /// - Parameter nanoseconds: since its last input was taken into it.
  public func committed(inputs: Int, nanoseconds: Int64) {
    commitSeconds.observe(Double(nanoseconds) / 1e9)
    inputsPerCommit.observe(Double(inputs))
  }
}
