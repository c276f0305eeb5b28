/// All samples of one metric, as Prometheus reads them.
public struct MetricFamily: Sendable, Hashable {
  public enum Kind: String, Sendable, Hashable {
    /// Only grows, but for restarts of the process. Its name ends in `_total`.
    case counter
    case gauge
    case histogram
  }

  /// One value and what it is of.
  public struct Sample: Sendable, Hashable {
    public var labels: [MetricLabel]
    public var value: Double
    /// After the family's name: `_bucket`, `_sum`, `_count` of a histogram; empty otherwise.
    var suffix = ""

    public init(_ labels: [MetricLabel] = [], _ value: Double) {
      self.labels = labels
      self.value = value
    }
  }

  /// Letters, digits, `_` and `:`, not beginning with a digit; with its unit (`_seconds`, `_bytes`).
  public var name: String
  /// One sentence.
  public var help: String
  public var kind: Kind
  public var samples: [Sample]

  public init(_ name: String, _ kind: Kind, help: String, samples: [Sample] = []) {
    precondition(MetricText.isName(name), "'\(name)' is no metric's name")
    self.name = name
    self.kind = kind
    self.help = help
    self.samples = samples
  }

  /// Adds a sample.
  public mutating func add(_ value: Double, _ labels: MetricLabel...) { samples.append(Sample(labels, value)) }
}

/// What tells the samples of a family apart.
public struct MetricLabel: Sendable, Hashable {
  /// Letters, digits and `_`, not beginning with a digit.
  public var name: String
  public var value: String

  public init(_ name: String, _ value: String) {
    precondition(MetricText.isLabel(name), "'\(name)' is no label's name")
    self.name = name
    self.value = value
  }
}
