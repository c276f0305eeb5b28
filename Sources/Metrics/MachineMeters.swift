import Synchronization

/// What a machine's host writes down as it commits: from the journal's thread, without a lock.
public final class MachineMeters: Sendable {
  private let commitSeconds: Histogram
  private let inputsPerCommit: Histogram
  /// Seconds since 1970; 0 for none.
  private let lastSnapshot = Atomic<Int64>(0)

  /// 50 µs to 1.6 s, each bucket twice as wide as the one before it.
  static let secondBounds = Histogram.bounds(from: 50e-6, factor: 2, count: 16)
  /// 1 to 32,768 inputs.
  static let inputBounds = Histogram.bounds(from: 1, factor: 2, count: 16)

  /// - Parameter machine: as it calls itself: `shard-3`.
  public init(_ registry: MetricsRegistry, machine: String) {
    let labels = [MetricLabel("machine", machine)]
    commitSeconds = registry.histogram(
      "novation_journal_commit_seconds", help: "Time from handing a batch to the journal to its being durable.",
      bounds: Self.secondBounds, labels)
    inputsPerCommit = registry.histogram(
      "novation_journal_commit_inputs", help: "Inputs that one commit made durable.", bounds: Self.inputBounds,
      labels)
    registry.collect { [weak self] in
      guard let seconds = self?.lastSnapshot.load(ordering: .relaxed), seconds > 0 else { return [] }
      return [
        MetricFamily(
          "novation_snapshot_timestamp_seconds", .gauge,
          help: "When this process last kept a snapshot, in seconds since 1970.",
          samples: [.init(labels, Double(seconds))])
      ]
    }
  }

  /// A batch is durable.
  /// - Parameter nanoseconds: since it was handed to the journal.
  public func committed(inputs: Int, nanoseconds: Int64) {
    commitSeconds.observe(Double(nanoseconds) / 1e9)
    inputsPerCommit.observe(Double(inputs))
  }

  /// A snapshot is durable.
  /// - Parameter time: seconds since 1970.
  public func keptSnapshot(at time: Int64) { lastSnapshot.store(time, ordering: .relaxed) }
}
