import Bytes
import Machine
import Market

/// What the aggregator holds of the market: the definition, and the marks, indices and risk arrays in force.
///
/// ```
/// profitAndLoss   instrument 0: lane 0 … 31 │ instrument 1: lane 0 … 31 │ …      USD units of one lot held
/// coins           underlying 0: lane 0 … 31 │ …                                  USD units of one coin held
/// ```
struct RiskBoard: Sendable {
  /// State of one underlying's marks.
  struct Quotation: Sendable {
    var version: UInt64 = 0
    var stamp = Timestamp.zero
    /// USD; zero until the first marks.
    var index: Int64 = 0
    var scenarioCount = 0
    /// Distinct expiries of the underlying's instruments, ascending; `.never` is the last, the bucket without expiry.
    var expiries: [Timestamp] = []
  }

  var definition: MarketDefinition
  var quotations: [Quotation]
  /// By instrument; negative where there is none.
  var marks: [Int64]
  var profitAndLoss: [Int64]
  var coins: [Int64]
  /// By instrument: whether `Settle` was sent.
  var isSettled: [Bool]

  // Derived, by instrument.
  private(set) var buckets: [Int]
  private(set) var largest: [UInt64]
  private(set) var contingencies: [Int64]
  // Derived, by underlying.
  private(set) var instruments: [[InstrumentID]]
  /// Shards that host instruments of it, ascending.
  private(set) var hosts: [[ShardID]]

  /// `nil` for a definition that a decoder lets pass but that cannot be margined.
  init?(_ definition: MarketDefinition) {
    let underlyingCount = definition.underlyings.count
    guard let dollar = definition.currencies.first, dollar.underlying == nil, definition.shardCount > 0,
      underlyingCount <= 256, definition.currencies.count <= 256,
      definition.currencies.allSatisfy({ $0.underlying.map { Int($0.rawValue) < underlyingCount } ?? true })
    else { return nil }
    let count = definition.instruments.count
    self.definition = definition
    quotations = Array(repeating: Quotation(), count: underlyingCount)
    marks = Array(repeating: -1, count: count)
    profitAndLoss = Array(repeating: 0, count: count * scenarioLanes)
    coins = Array(repeating: 0, count: underlyingCount * scenarioLanes)
    isSettled = Array(repeating: false, count: count)
    buckets = Array(repeating: 0, count: count)
    largest = Array(repeating: 0, count: count)
    contingencies = Array(repeating: 0, count: count)
    instruments = Array(repeating: [], count: underlyingCount)
    hosts = Array(repeating: [], count: underlyingCount)
    for instrument in definition.instruments { enter(instrument) }
    for underlying in 0..<underlyingCount { arrangeExpiries(underlying) }
  }

  /// Adds an instrument whose id is the next one; it has no mark yet.
  mutating func list(_ instrument: Instrument) {
    definition.instruments.append(instrument)
    marks.append(-1)
    profitAndLoss.append(contentsOf: repeatElement(0, count: scenarioLanes))
    isSettled.append(false)
    buckets.append(0)
    largest.append(0)
    contingencies.append(0)
    enter(instrument)
    arrangeExpiries(Int(instrument.underlying.rawValue))
  }

  private mutating func enter(_ instrument: Instrument) {
    let underlying = Int(instrument.underlying.rawValue)
    instruments[underlying].append(instrument.id)
    let place = hosts[underlying].firstIndex { $0 >= instrument.shard } ?? hosts[underlying].endIndex
    if place == hosts[underlying].endIndex || hosts[underlying][place] != instrument.shard {
      hosts[underlying].insert(instrument.shard, at: place)
    }
  }

  /// Gives each expiry of the underlying a bucket, and each of its instruments its bucket.
  private mutating func arrangeExpiries(_ underlying: Int) {
    let expiries = (instruments[underlying].map { definition.instruments[Int($0.rawValue)].expiry } + [.never])
      .sorted()
    var distinct: [Timestamp] = []
    for expiry in expiries where distinct.last != expiry { distinct.append(expiry) }
    quotations[underlying].expiries = distinct
    for id in instruments[underlying] {
      let expiry = definition.instruments[Int(id.rawValue)].expiry
      buckets[Int(id.rawValue)] = distinct.firstIndex(of: expiry) ?? 0
    }
  }

  /// Most expiry buckets of any underlying.
  var bucketCount: Int { quotations.map(\.expiries.count).max() ?? 1 }

  /// USD per unit of the currency, in 1e-8; zero until known.
  func index(of currency: Int) -> Int64 {
    guard let underlying = definition.currencies[currency].underlying else { return fixedPointScale }
    return quotations[Int(underlying.rawValue)].index
  }

  /// What 10^-8 of the currency is worth at most, in USD units: the step of a rounding.
  func roundingStep(of currency: Int) -> Int64 { index(of: currency) / fixedPointScale + 1 }

  /// Refuses marks that are not newer, come from the future, or speak of what is not the underlying's.
  func accepts(_ marks: RiskMarks, at stamp: Timestamp) -> Bool {
    let underlying = Int(marks.underlying.rawValue)
    guard underlying < quotations.count, marks.version > quotations[underlying].version,
      marks.stamp >= .zero, marks.stamp >= quotations[underlying].stamp,
      marks.stamp <= stamp + definition.parameters.heartbeatLapse,
      marks.index.units > 0, marks.index.units <= RiskLimits.amount, marks.coinProfitAndLoss.count == scenarioLanes,
      marks.coinProfitAndLoss.allSatisfy({ $0.units.magnitude <= UInt64(RiskLimits.amount) })
    else { return false }
    return marks.entries.allSatisfy { entry in
      guard let instrument = definition[entry.instrument] else { return false }
      return instrument.underlying == marks.underlying && entry.profitAndLoss.count == scenarioLanes
        && entry.mark.units >= 0 && entry.mark.units <= RiskLimits.amount
    }
  }

  /// Replaces everything of the underlying. An instrument that the marks no longer name loses its mark, unless it has
  /// expired: it then keeps the last one until its positions are settled.
  mutating func replace(with marks: RiskMarks) {
    let underlying = Int(marks.underlying.rawValue)
    quotations[underlying].version = marks.version
    quotations[underlying].stamp = marks.stamp
    quotations[underlying].index = marks.index.units
    quotations[underlying].scenarioCount = Int(marks.scenarioCount)
    for id in instruments[underlying] {
      let expiry = definition.instruments[Int(id.rawValue)].expiry
      if expiry > marks.stamp { self.marks[Int(id.rawValue)] = -1 }
    }
    for lane in 0..<scenarioLanes {
      coins[underlying * scenarioLanes + lane] =
        lane < Int(marks.scenarioCount) ? marks.coinProfitAndLoss[lane].units : 0
    }
    for entry in marks.entries {
      let id = Int(entry.instrument.rawValue)
      self.marks[id] = entry.mark.units
      for lane in 0..<scenarioLanes {
        profitAndLoss[id * scenarioLanes + lane] =
          lane < Int(marks.scenarioCount) ? entry.profitAndLoss[lane].units : 0
      }
    }
    derive(underlying)
  }

  /// Recomputes what follows from marks and arrays.
  mutating func derive(_ underlying: Int) {
    let index = quotations[underlying].index
    for id in instruments[underlying] {
      let id = Int(id.rawValue)
      let lanes = profitAndLoss[id * scenarioLanes..<(id + 1) * scenarioLanes]
      largest[id] = lanes.reduce(0) { max($0, $1.magnitude) }
      contingencies[id] = MarginRule.contingency(ofShortLot: definition.instruments[id], index: Price(units: index))
    }
  }
}

extension RiskBoard {
  func write(to writer: inout ByteWriter) {
    definition.write(to: &writer)
    for quotation in quotations {
      writer.u64(quotation.version)
      quotation.stamp.write(to: &writer)
      writer.i64(quotation.index)
      writer.u8(UInt8(quotation.scenarioCount))
    }
    for mark in marks { writer.i64(mark) }
    for value in profitAndLoss { writer.i64(value) }
    for value in coins { writer.i64(value) }
    for settled in isSettled { writer.bool(settled) }
  }

  init?(from reader: inout ByteReader) {
    let definition = MarketDefinition(from: &reader)
    guard !reader.hasFailed, let board = RiskBoard(definition) else {
      reader.fail()
      return nil
    }
    self = board
    for underlying in quotations.indices {
      quotations[underlying].version = reader.u64()
      quotations[underlying].stamp = Timestamp(from: &reader)
      quotations[underlying].index = reader.i64()
      quotations[underlying].scenarioCount = Int(reader.u8())
      let quotation = quotations[underlying]
      if quotation.scenarioCount > scenarioLanes || quotation.stamp < .zero || quotation.index < 0
        || quotation.index > RiskLimits.amount
      {
        reader.fail()
        return nil
      }
    }
    for index in marks.indices { marks[index] = reader.i64() }
    for index in profitAndLoss.indices { profitAndLoss[index] = reader.i64() }
    for index in coins.indices { coins[index] = reader.i64() }
    for index in isSettled.indices { isSettled[index] = reader.bool() }
    if marks.contains(where: { $0 < -1 || $0 > RiskLimits.amount })
      || coins.contains(where: { $0.magnitude > UInt64(RiskLimits.amount) })
    {
      reader.fail()
    }
    for underlying in quotations.indices { derive(underlying) }
  }

  func hash(into hasher: inout StateHasher) {
    for quotation in quotations {
      hasher.combine(quotation.version)
      hasher.combine(quotation.stamp.nanoseconds)
      hasher.combine(quotation.index)
      hasher.combine(UInt64(quotation.scenarioCount))
    }
    marks.withUnsafeBytes { hasher.combine($0) }
    profitAndLoss.withUnsafeBytes { hasher.combine($0) }
    coins.withUnsafeBytes { hasher.combine($0) }
    for settled in isSettled { hasher.combine(UInt64(settled ? 1 : 0)) }
  }
}
