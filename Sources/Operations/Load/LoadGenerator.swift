import Bytes
import Cluster
import Foundation
import Histogram
import Market
import Wire

/// Drives a cluster as its clients would: open loop, signed batches, retries by nonce. One thread; an account always
/// speaks through the same one of the connections.
public final class LoadGenerator {
  struct Pending {
    var bytes: [UInt8]
    var operations: [Market.Operation]
    var shard: Int
    var account: Int
    var intended: Int64
    /// When to send it again for want of an answer.
    var resendAt: Int64
    var expiry: UInt64
  }

  struct PendingKey: Hashable {
    var account: AccountID
    var nonce: UInt64
  }

  private let clients: [GatewayClient]
  private let market: MarketDefinition
  private let signing: ActionSigning
  private let accounts: [AccountCredentials]
  private let configuration: LoadConfiguration
  let log: ClientLog?
  private(set) var timeline: LoadTimeline?
  private var random: SeededGenerator
  var shards: [ShardQuotes]
  var workloads: [[Workload]]
  var accountPlaces: [AccountID: Int] = [:]
  var pending: [PendingKey: Pending] = [:]
  var tally = LoadTally(window: 0..<0)
  /// Set when the client's log cannot be written.
  var failure: ClientError?
  /// Tags of the open questions for marks, with the shard's place.
  var marksAsked: [UInt64: Int] = [:]
  /// Tag of the open question for the market, which may grow.
  var marketAsked: UInt64?
  private var nextNonce: UInt64
  /// Accounts whose market-maker protection was sent, by shard.
  private var isProtected: [Set<Int>]
  private var actionNumber = 0
  private var nextChore: Int64 = 0
  private var nextMarketQuestion: Int64 = 0

  private static let choreNanoseconds: Int64 = 200_000_000
  private static let marketNanoseconds: Int64 = 5_000_000_000
  /// Actions sent in one go before answers are read, however late they are.
  private static let actionsPerTurn = 64
  /// Rounds of questions for marks that may wait for answers.
  private static let openQuestions = 16
  /// Longest wait for an answer.
  private static let longestWait: Int64 = 20_000_000

  public init(
    clients: [GatewayClient], market: MarketDefinition, accounts: [AccountCredentials],
    configuration: LoadConfiguration, log: ClientLog?
  ) {
    precondition(!clients.isEmpty && !accounts.isEmpty, "a load has a connection and an account")
    self.clients = clients
    self.market = market
    signing = ActionSigning(market: market)
    self.accounts = accounts
    self.configuration = configuration
    self.log = log
    random = SeededGenerator(seed: configuration.seed)
    shards = market.shards.map { ShardQuotes($0, market) }
    isProtected = market.shards.map { _ in [] }
    workloads = market.shards.map { _ in
      accounts.map { Workload(account: $0.account, maximumOpen: configuration.maximumOpen) }
    }
    for (place, credentials) in accounts.enumerated() { accountPlaces[credentials.account] = place }
    // Nonces of this run begin at the wall clock: never used by an earlier run of the same keys.
    nextNonce = UInt64(MachineClock.wall().nanoseconds)
  }

  /// The latencies of the last measured window, in microseconds.
  public var latencies: Histogram<UInt64> { tally.latencies }

  /// How far a load is, for whoever shows it.
  public struct Progress: Sendable {
    /// Elapsed share of warm-up and window.
    public var share: Double
    public var rate: Int
    public var isWarmup: Bool
    /// Orders of the window sent and accepted so far.
    public var sent: Int
    public var acknowledged: Int
  }

  /// Drives warm-up and window, waits for the last answers, and reports. May be called again, at another rate: the
  /// accounts go on with the orders that they have.
  /// - Parameters:
  ///   - rate: orders a second, instead of the configuration's.
  ///   - processes: whose CPU and memory to state, by name.
  ///   - progress: called a few times a second.
  ///   - shouldStop: asked often; true ends the load early, with the window cut short.
  public func run(
    rate: Int? = nil, processes: [String: pid_t], progress: (Progress) -> Void = { _ in },
    shouldStop: () -> Bool = { false }
  ) throws -> LoadReport {
    try waitForMarks(shouldStop)
    if timeline == nil, let path = configuration.timelinePath {
      timeline = try LoadTimeline(
        path: path, sliceMilliseconds: configuration.timelineSliceMilliseconds, shards: shards.count,
        now: MachineClock.monotonic())
    }
    let rate = rate ?? configuration.rate
    let interval = 1e9 * Double(configuration.batch) / Double(rate)
    let start = MachineClock.monotonic() + 10_000_000
    let windowStart = start + Int64(configuration.warmup * 1e9)
    let end = windowStart + Int64(configuration.seconds * 1e9)
    tally = LoadTally(window: windowStart..<end)
    var actions = 0
    var due = start
    var usage: ProcessUsage?
    var disk: DiskUsage?
    while due < end, !shouldStop() {
      let now = MachineClock.monotonic()
      if usage == nil, now >= windowStart {
        usage = ProcessUsage(processes)
        disk = DiskUsage()
      }
      var burst = 0
      while due <= now, due < end, burst < Self.actionsPerTurn {
        try send(intended: due, now)
        burst += 1
        actions += 1
        // Computed from the start, so that no rounding of the interval adds up.
        due = start + Int64(Double(actions) * interval)
      }
      if now >= nextChore {
        try chores(now)
        progress(
          Progress(
            share: min(1, Double(now - start) / Double(end - start)), rate: rate, isWarmup: now < windowStart,
            sent: tally.sent, acknowledged: tally.acknowledged))
      }
      try receive(until: due)
    }
    let stopped = min(MachineClock.monotonic(), end)
    let cpu = usage?.percentSince() ?? [:]
    let memory = usage?.residentBytes() ?? [:]
    let diskBusy = disk?.busyPercentSince()
    try drain()
    var report = tally.report(configuration, rate: rate, end: stopped)
    report.cpu_percent = cpu
    report.total_cpu_percent = (10 * cpu.values.reduce(0, +)).rounded() / 10
    report.resident_bytes = memory
    report.limit = LoadLimit(
      cpuPercent: cpu, diskBusyPercent: diskBusy, cores: ProcessInfo.processInfo.activeProcessorCount,
      offered: report.offered_per_second * (1 - report.rejectedShare), achieved: report.achieved_per_second)
    return report
  }

  // MARK: Sending

  /// Goes before an account's first quotes in a shard: a limit in a rolling second, a freeze of one.
  private static var protection: Market.Operation {
    var limits = Safeguard.Limits()
    limits.quantity = LoadConfiguration.protectedQuantity
    limits.windowMilliseconds = 1_000
    limits.freezeMilliseconds = 1_000
    return Safeguard.protection(limits).operation(on: nil)
  }

  /// The next account and shard in turn, a batch of its operations, one signature. Built when it is due: what it costs
  /// to build and sign is part of its latency.
  private func send(intended: Int64, _ now: Int64) throws {
    let shard = configuration.onlyShard ?? actionNumber % shards.count
    let account = actionNumber / (configuration.onlyShard == nil ? shards.count : 1) % accounts.count
    actionNumber += 1
    var operations = workloads[shard][account].operations(
      configuration.batch, mix: configuration.mix, quotes: &shards[shard], &random)
    if configuration.mix.quote > 0, !operations.isEmpty, isProtected[shard].insert(account).inserted {
      operations = [Self.protection] + operations.prefix(SignedActionHeader.maximumOperations - 1)
    }
    guard !operations.isEmpty, let underlying = shards[shard].quotes.first?.instrument.underlying else { return }
    let nonce = nextNonce
    nextNonce += 1
    let expiry = UInt64(MachineClock.wall().seconds) + configuration.signatureSeconds
    let credentials = accounts[account]
    let action = try signing.signedBatch(
      operations, account: credentials.account, nonce: nonce, expiry: expiry, underlying: underlying,
      key: credentials.key)
    let bytes = action.encoded
    tally.submitted(operations.count, intended: intended)
    try log?.append(.submitted(account: credentials.account, nonce: nonce, operations: UInt16(operations.count)))
    // What the transport refuses now is sent again with the next chores.
    let isSent = clients[account % clients.count].submit(bytes)
    pending[PendingKey(account: credentials.account, nonce: nonce)] = Pending(
      bytes: bytes, operations: operations, shard: shard, account: account, intended: intended,
      resendAt: isSent ? now + resendNanoseconds : now, expiry: expiry)
  }

  private var resendNanoseconds: Int64 { Int64(configuration.resendSeconds * 1e9) }

  /// An answer that comes after the next question counts too: marks only get newer.
  private func askForMarks() {
    if marksAsked.count > Self.openQuestions * shards.count { marksAsked.removeAll() }
    for place in shards.indices {
      marksAsked[clients[0].ask(.marks, .marks, shards[place].shard.encoded)] = place
    }
  }

  /// What is listed while the load runs is traded too.
  private func askForMarket(_ now: Int64) {
    guard now >= nextMarketQuestion else { return }
    nextMarketQuestion = now + Self.marketNanoseconds
    marketAsked = clients[0].ask(.market, MachineID(.gateway, 0))
  }

  private func chores(_ now: Int64) throws {
    nextChore = now + Self.choreNanoseconds
    askForMarks()
    askForMarket(now)
    let wall = UInt64(MachineClock.wall().seconds)
    var due: [PendingKey] = []
    for (key, entry) in pending where now >= entry.resendAt { due.append(key) }
    for key in due {
      guard let entry = pending[key] else { continue }
      if entry.expiry < wall {
        abandon(key, entry, now)
      } else if clients[entry.account % clients.count].submit(entry.bytes) {
        pending[key]?.resendAt = now + resendNanoseconds
        tally.sentAgain()
      }
    }
    try log?.flush()
  }

  private func abandon(_ key: PendingKey, _ entry: Pending, _ now: Int64) {
    pending[key] = nil
    tally.abandoned(entry.operations.count, intended: entry.intended, now: now)
  }

  // MARK: Waiting

  /// Takes what has come; waits for the first of it until the next action is due.
  private func receive(until due: Int64) throws {
    let wait = max(0, min(due - MachineClock.monotonic(), Self.longestWait)) / 1_000
    if clients.count == 1 {
      clients[0].poll(waitMicroseconds: Int(wait)) { take($0) }
    } else {
      // Several connections are looked at in turn, so that none makes the others wait.
      for client in clients { client.poll(waitMicroseconds: 0) { take($0) } }
      usleep(UInt32(min(wait, 200)))
    }
    if let failure { throw failure }
    try timeline?.advance(to: MachineClock.monotonic())
  }

  private func waitForMarks(_ shouldStop: () -> Bool) throws {
    let deadline = MachineClock.monotonic() + 30_000_000_000
    while !shards.allSatisfy(\.isQuoted) {
      guard MachineClock.monotonic() < deadline else {
        throw ClientError(reason: "no marks came for every shard within 30 s")
      }
      if shouldStop() { return }
      let now = MachineClock.monotonic()
      if now >= nextChore {
        nextChore = now + Self.choreNanoseconds
        askForMarks()
      }
      clients[0].poll(waitMicroseconds: 20_000) { take($0) }
    }
  }

  private func drain() throws {
    let deadline = MachineClock.monotonic() + Int64(configuration.drainSeconds * 1e9)
    while !pending.isEmpty, MachineClock.monotonic() < deadline {
      let now = MachineClock.monotonic()
      if now >= nextChore { try chores(now) }
      try receive(until: min(deadline, now + Self.longestWait))
    }
    let now = MachineClock.monotonic()
    for (key, entry) in pending { abandon(key, entry, now) }
    try log?.flush()
  }
}
