import Synchronization

/// All metrics of a process: counters and histograms that its threads write as things happen, and collectors that are
/// asked whenever somebody reads.
public final class MetricsRegistry: Sendable {
  private enum Instrument: Sendable {
    case counter(Counter)
    case histogram(Histogram)
  }
  private struct Key: Hashable {
    var name: String
    var labels: [MetricLabel]
  }
  private struct Entry: Sendable {
    var help: String
    var instrument: Instrument
  }
  private struct Contents: Sendable {
    var entries: [(key: Key, entry: Entry)] = []
    var places: [Key: Int] = [:]
    var collectors: [@Sendable () -> [MetricFamily]] = []
  }

  private let contents = Mutex(Contents())

  public init() {}

  /// The one that this process publishes.
  public static let process = MetricsRegistry()

  /// The counter of this name and these labels; made when it is first asked for.
  public func counter(_ name: String, help: String, _ labels: [MetricLabel] = []) -> Counter {
    precondition(MetricText.isName(name) && name.hasSuffix("_total"), "'\(name)': a counter's name ends in _total")
    let instrument = instrument(Key(name: name, labels: labels), help) { .counter(Counter()) }
    guard case .counter(let counter) = instrument else { preconditionFailure("\(name) is no counter") }
    return counter
  }

  /// The histogram of this name and these labels; made, with `bounds`, when it is first asked for.
  public func histogram(
    _ name: String, help: String, bounds: [Double], _ labels: [MetricLabel] = []
  ) -> Histogram {
    precondition(MetricText.isName(name), "'\(name)' is no metric's name")
    let instrument = instrument(Key(name: name, labels: labels), help) { .histogram(Histogram(bounds: bounds)) }
    guard case .histogram(let histogram) = instrument else { preconditionFailure("\(name) is no histogram") }
    return histogram
  }

  /// Asks `collector` at every reading, from the reader's thread; it must not wait.
  public func collect(_ collector: @escaping @Sendable () -> [MetricFamily]) {
    contents.withLock { $0.collectors.append(collector) }
  }

  private func instrument(_ key: Key, _ help: String, _ make: () -> Instrument) -> Instrument {
    contents.withLock { contents in
      if let place = contents.places[key] { return contents.entries[place].entry.instrument }
      let entry = Entry(help: help, instrument: make())
      contents.places[key] = contents.entries.count
      contents.entries.append((key, entry))
      return entry.instrument
    }
  }

  /// Everything as of now.
  public func families() -> [MetricFamily] {
    let (entries, collectors) = contents.withLock { ($0.entries, $0.collectors) }
    var families: [MetricFamily] = []
    for (key, entry) in entries {
      switch entry.instrument {
      case .counter(let counter):
        families.append(
          MetricFamily(
            key.name, .counter, help: entry.help, samples: [.init(key.labels, Double(counter.value))]))
      case .histogram(let histogram):
        families.append(
          MetricFamily(key.name, .histogram, help: entry.help, samples: histogram.samples(key.labels)))
      }
    }
    return families + collectors.flatMap { $0() }
  }

  /// Everything as of now, in Prometheus' text format.
  public var text: String { MetricText.write(families()) }
}
