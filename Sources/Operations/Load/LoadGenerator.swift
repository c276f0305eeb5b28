import Bytes
import Cluster
import Foundation
import Histogram
import Market
import Wire

/// Drives a cluster as its clients would: open loop, signed batches, retries by nonce. One thread, one connection.
public final class LoadGenerator {
  private struct Pending {
    var bytes: [UInt8]
    var operations: [Market.Operation]
    var shard: Int
    var account: Int
    var intended: Int64
    var sentAt: Int64
    var expiry: UInt64
    var isMeasured: Bool
  }

  private struct PendingKey: Hashable {
    var account: AccountID
    var nonce: UInt64
  }

  private let client: GatewayClient
  private let market: MarketDefinition
  private let signing: ActionSigning
  private let accounts: [AccountCredentials]
  private let configuration: LoadConfiguration
  private let log: ClientLog?
  private var random: SeededGenerator
  private var shards: [ShardQuotes]
  private var workloads: [[Workload]]
  private var accountPlaces: [AccountID: Int] = [:]
  private var pending: [PendingKey: Pending] = [:]
  private var nextNonce: UInt64
  private var actionNumber = 0
  private var marksAsked: [UInt64: Int] = [:]
  private var histogram = Histogram<UInt64>(
    lowestDiscernibleValue: 1, highestTrackableValue: 120_000_000, numberOfSignificantValueDigits: .three)
  private var window: ClosedRange<Int64> = 0...0
  private var report: LoadReport
  private var failure: ClientError?

  public init(
    client: GatewayClient, market: MarketDefinition, accounts: [AccountCredentials],
    configuration: LoadConfiguration, log: ClientLog?
  ) {
    self.client = client
    self.market = market
    signing = ActionSigning(market: market)
    self.accounts = accounts
    self.configuration = configuration
    self.log = log
    random = SeededGenerator(seed: configuration.seed)
    shards = market.shards.map { ShardQuotes($0, market) }
    workloads = market.shards.map { _ in accounts.map { Workload(account: $0.account) } }
    for (place, credentials) in accounts.enumerated() { accountPlaces[credentials.account] = place }
    // Nonces of this run begin at the wall clock: never used by an earlier run of the same keys.
    nextNonce = UInt64(MachineClock.wall().nanoseconds)
    report = LoadReport(
      seconds: configuration.seconds, offered_per_second: 0, achieved_per_second: 0, sent: 0, acknowledged: 0,
      rejected: [:], filled: 0, ack_latency_us: .init(), unanswered: 0, resent: 0, cpu_percent: [:])
  }

  /// The latencies of the measured window, in microseconds.
  public var latencies: Histogram<UInt64> { histogram }

  /// Drives warm-up and window, waits for the last answers, and reports.
  /// - Parameters:
  ///   - processes: whose CPU to state, by name.
  ///   - progress: called a few times a second with the elapsed share of the whole and the orders answered.
  ///   - shouldStop: asked often; true ends the load early, with the window cut short.
  public func run(
    processes: [String: pid_t], progress: (Double, Int) -> Void = { _, _ in }, shouldStop: () -> Bool = { false }
  ) throws -> LoadReport {
    try waitForMarks(shouldStop)
    let interval = max(1, Int64(1e9 * Double(configuration.batch) / Double(configuration.rate)))
    let start = MachineClock.monotonic() + 10_000_000
    let windowStart = start + Int64(configuration.warmup * 1e9)
    let end = windowStart + Int64(configuration.seconds * 1e9)
    window = windowStart...end
    var due = start
    var nextChore = start
    var usage: ProcessUsage?
    while due < end, !shouldStop() {
      let now = MachineClock.monotonic()
      if usage == nil, now >= windowStart { usage = ProcessUsage(processes) }
      while due <= now, due < end {
        try send(intended: due)
        due += interval
      }
      if now >= nextChore {
        nextChore = now + 200_000_000
        try chores(now)
        progress(Double(now - start) / Double(end - start), report.acknowledged)
      }
      let wait = max(0, min(due - MachineClock.monotonic(), 2_000_000) / 1_000)
      client.poll(waitMicroseconds: Int(wait)) { self.take($0) }
      if let failure { throw failure }
    }
    let stopped = min(MachineClock.monotonic(), end)
    report.seconds = Double(max(1, stopped - windowStart)) / 1e9
    if let usage { report.cpu_percent = usage.percentSince() }
    try drain()
    finishReport()
    return report
  }

  private func waitForMarks(_ shouldStop: () -> Bool) throws {
    let deadline = MachineClock.monotonic() + 30_000_000_000
    while !shards.allSatisfy(\.isQuoted) {
      guard MachineClock.monotonic() < deadline else {
        throw ClientError(reason: "no marks came for every shard within 30 s")
      }
      if shouldStop() { return }
      askForMarks()
      client.poll(waitMicroseconds: 200_000) { self.take($0) }
    }
  }

  private func askForMarks() {
    for place in shards.indices {
      marksAsked[client.ask(.marks, .marks, shards[place].shard.encoded)] = place
    }
  }

  private func chores(_ now: Int64) throws {
    marksAsked.removeAll()
    askForMarks()
    let patience = Int64(configuration.resendSeconds * 1e9)
    let wall = UInt64(MachineClock.wall().seconds)
    for (key, entry) in pending where now - entry.sentAt > patience {
      if entry.expiry < wall {
        pending[key] = nil
        report.unanswered += 1
        continue
      }
      pending[key]?.sentAt = now
      report.resent += 1
      _ = client.submit(entry.bytes)
    }
    try log?.flush()
  }

  /// The next account and shard in turn, a batch of its operations, one signature.
  private func send(intended: Int64) throws {
    let shard = actionNumber % shards.count
    let account = actionNumber / shards.count % accounts.count
    actionNumber += 1
    let operations = workloads[shard][account].operations(
      configuration.batch, mix: configuration.mix, quotes: shards[shard], &random)
    let nonce = nextNonce
    nextNonce += 1
    let expiry = UInt64(MachineClock.wall().seconds) + configuration.signatureSeconds
    guard let underlying = shards[shard].quotes.first?.instrument.underlying else { return }
    let action = try signing.signedBatch(
      operations, account: accounts[account].account, nonce: nonce, expiry: expiry, underlying: underlying,
      key: accounts[account].key)
    let bytes = action.encoded
    let isMeasured = window.contains(intended)
    pending[PendingKey(account: accounts[account].account, nonce: nonce)] = Pending(
      bytes: bytes, operations: operations, shard: shard, account: account, intended: intended,
      sentAt: MachineClock.monotonic(), expiry: expiry, isMeasured: isMeasured)
    if isMeasured { report.sent += operations.count }
    try log?.append(
      .submitted(account: accounts[account].account, nonce: nonce, operations: UInt16(operations.count)))
    // What the transport refuses now is sent again with the unanswered.
    _ = client.submit(bytes)
  }

  private func take(_ event: GatewayClient.Event) {
    do {
      switch event {
      case .reply(let reply): try take(reply)
      case .refusal(let refusal): try take(refusal)
      case .report(let execution): take(execution)
      case .answer(let answer):
        guard let place = marksAsked.removeValue(forKey: answer.tag), answer.isAnswered,
          let marks = try? ShardMarks(decoding: answer.body)
        else { return }
        shards[place].take(marks)
      case .book: return
      }
    } catch {
      failure = ClientError(reason: "the client's log cannot be written: \(error)")
    }
  }

  private func take(_ reply: ActionReply) throws {
    guard let entry = pending.removeValue(forKey: PendingKey(account: reply.account, nonce: reply.nonce)) else {
      return
    }
    try log?.append(.acknowledged(reply))
    workloads[entry.shard][entry.account].learn(reply.nonce, entry.operations, reply.results, shards[entry.shard])
    guard entry.isMeasured else { return }
    let micros = UInt64(max(1, (MachineClock.monotonic() - entry.intended) / 1_000))
    _ = histogram.record(micros, count: UInt64(entry.operations.count))
    for result in reply.results {
      if result.outcome.isAccepted {
        report.acknowledged += 1
      } else {
        report.rejected[result.outcome.name, default: 0] += 1
      }
    }
  }

  private func take(_ refusal: Refusal) throws {
    let key = PendingKey(account: refusal.account, nonce: refusal.nonce)
    guard let entry = pending[key] else { return }
    // Told to come back: the resend does.
    if refusal.retryAfterMilliseconds > 0, MachineClock.monotonic() < window.upperBound { return }
    pending[key] = nil
    try log?.append(.refused(refusal))
    if entry.isMeasured { report.rejected[refusal.outcome.name, default: 0] += entry.operations.count }
  }

  private func take(_ execution: ExecutionReport) {
    guard let account = accountPlaces[execution.order.account],
      let shard = shards.firstIndex(where: { $0.shard == execution.shard })
    else { return }
    if execution.event == .fill, !execution.isMaker, window.contains(MachineClock.monotonic()) { report.filled += 1 }
    if execution.event == .ended || (execution.event == .fill && execution.remaining == .zero) {
      workloads[shard][account].forget(execution.order.nonce, execution.order.index)
    }
  }

  private func drain() throws {
    let deadline = MachineClock.monotonic() + Int64(configuration.drainSeconds * 1e9)
    var nextChore: Int64 = 0
    while !pending.isEmpty, MachineClock.monotonic() < deadline {
      client.poll(waitMicroseconds: 10_000) { self.take($0) }
      if let failure { throw failure }
      let now = MachineClock.monotonic()
      if now >= nextChore {
        nextChore = now + 200_000_000
        try chores(now)
      }
    }
    report.unanswered += pending.count
    try log?.flush()
  }

  private func finishReport() {
    report.offered_per_second = Double(report.sent) / report.seconds
    report.achieved_per_second = Double(report.acknowledged) / report.seconds
    report.ack_latency_us.p50 = Int64(histogram.valueAtPercentile(50))
    report.ack_latency_us.p99 = Int64(histogram.valueAtPercentile(99))
    report.ack_latency_us.p999 = Int64(histogram.valueAtPercentile(99.9))
    report.ack_latency_us.max = Int64(histogram.max)
  }
}
