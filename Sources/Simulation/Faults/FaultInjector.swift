import Market
import Operations

/// Makes the faults of a seed happen, and undoes them.
final class FaultInjector {
  /// Mean time between two injections.
  private static let spacing = 120_000_000
  private static let count = 400
  /// What is drawn from: operators' changes come oftener than one fault of its kind.
  private static let kinds = FaultKind.allCases + [.handOver, .handOver, .handOver, .move, .move, .oldCopy]

  /// All that the seed holds, in order of time. Those after the end of a run do not happen.
  let injections: [Injection]
  private unowned let cluster: SimulatedCluster
  private let options: SimulationOptions
  private let placement: SimulatedPlacement
  private var isHealed = false
  /// Until then nothing else is disturbed.
  private var calmUntil: Int64 = 0
  private static let calm: Int64 = 2_500_000_000
  private(set) var begun: [FaultKind: Int] = [:]
  private(set) var restarts = 0

  init(seed: UInt64, cluster: SimulatedCluster, options: SimulationOptions) {
    self.cluster = cluster
    self.options = options
    var random = SeededGenerator(seed: seed)
    placement = SimulatedPlacement(cluster, seed: seed &+ 1)
    var at: Int64 = 300_000_000
    let hosts = cluster.hosts.count
    let journals = cluster.hosts.indices.filter {
      cluster.hosts[$0].journal != nil || cluster.hosts[$0].machine == .none
    }
    injections = (0..<Self.count).map { place in
      at += Int64(random.below(2 * Self.spacing))
      let kind = Self.kinds[random.below(Self.kinds.count)]
      // Machines with journals come first, and are hit more often than edges.
      let host = random.below(3) == 0 ? random.below(hosts) : journals[random.below(journals.count)]
      let other = (host + 1 + random.below(hosts - 1)) % hosts
      return Injection(
        place: place, kind: kind, at: at, duration: 30_000_000 + Int64(random.below(1_200_000_000)), host: host,
        other: other, amount: random.below(1_000))
    }
  }

  private func isWanted(_ injection: Injection) -> Bool {
    !options.without.contains(injection.place) && (options.only.map { $0.contains(injection.place) } ?? true)
  }

  func begin() {
    cluster.bitten = { [unowned self] kind in
      begun[kind, default: 0] += 1
      restarts += 1
      cluster.tell("\(kind.rawValue) has bitten")
    }
    for injection in injections where isWanted(injection) {
      cluster.time.schedule(after: injection.at) { [unowned self] in begin(injection) }
    }
  }

  private func begin(_ injection: Injection) {
    guard !isHealed, cluster.time.now >= calmUntil, make(injection) else { return }
    begun[injection.kind, default: 0] += 1
    cluster.tell(injection.text(cluster.hosts.map(\.name)))
  }

  private func later(_ injection: Injection, _ undo: @escaping () -> Void) {
    cluster.time.schedule(after: injection.duration) { [unowned self] in
      if !isHealed { undo() }
    }
  }

  /// True when it bit.
  private func make(_ injection: Injection) -> Bool {
    switch injection.kind {
    case .loss, .duplication, .reordering, .delay, .partition, .oneWayPartition: makeWeather(injection)
    case .crash, .tornWrite, .lostWrite, .landedWrite: crash(injection)
    case .bitRot, .fullDisk, .failedSync, .slowDisk: makeDiskFault(injection)
    case .clockSkew, .clockJump: makeClockFault(injection)
    case .clockStep: stepClock(injection)
    case .pause, .zombie: pause(injection)
    case .authorityCut, .authorityDown, .authorityLoss, .authoritySlow: disturbAuthority(injection)
    case .standbyAdded: placement.addStandby(injection.amount)
    case .standbyRemoved: placement.removeStandby(injection.amount)
    case .handOver, .move: changeOwner(injection)
    case .oldCopy: keepOldCopy(injection)
    }
  }

  // MARK: Network

  private func makeWeather(_ injection: Injection) -> Bool {
    let chance = 20 + injection.amount * 3 / 10
    let delay = Int64(1 + injection.amount) * 100_000
    let network = cluster.network
    func change(_ sign: Int, _ weather: inout SimulatedNetwork.Weather) {
      switch injection.kind {
      case .loss: weather.loss += sign * chance
      case .duplication: weather.duplication += sign * chance
      case .reordering: weather.reordering += sign * chance
      case .delay: weather.delay += Int64(sign) * delay
      default: weather.cuts += sign
      }
    }
    let isBothWays = injection.kind != .oneWayPartition
    network.change(injection.host, injection.other) { change(1, &$0) }
    if isBothWays { network.change(injection.other, injection.host) { change(1, &$0) } }
    later(injection) {
      network.change(injection.host, injection.other) { change(-1, &$0) }
      if isBothWays { network.change(injection.other, injection.host) { change(-1, &$0) } }
    }
    return true
  }

  // MARK: Processes

  private func crash(_ injection: Injection) -> Bool {
    let host = injection.host
    guard cluster.hosts[host].process != nil else { return false }
    guard injection.kind == .crash else {
      // What is torn or lost is something that is being written: the power goes with the next batch.
      if cluster.hosts[host].journal != nil {
        cluster.hosts[host].disk.powerCut = (injection.kind, injection.amount, injection.duration)
      }
      return false
    }
    cluster.kill(host)
    restarts += 1
    cluster.restart(host, after: injection.duration)
    return true
  }

  private func pause(_ injection: Injection) -> Bool {
    let host = injection.host
    guard let process = cluster.hosts[host].process else { return false }
    let isZombie = injection.kind == .zombie && cluster.hosts[host].journal != nil && cluster.authority == nil
    process.pause()
    if isZombie { cluster.replacePaused(host) }
    later(injection) { [cluster] in cluster.resume(process, of: host) }
    return true
  }

  private func disturbAuthority(_ injection: Injection) -> Bool {
    guard let authority = cluster.authority else { return false }
    func disturb(_ sign: Int) {
      switch injection.kind {
      case .authorityDown: authority.isDown += sign
      case .authorityLoss: authority.loss += sign * (50 + injection.amount / 2)
      case .authoritySlow: authority.slowness += Int64(sign * injection.amount) * 200_000
      default: authority.cuts[injection.host] += sign
      }
    }
    disturb(1)
    later(injection) { disturb(-1) }
    return true
  }

  // MARK: Places

  /// A machine is handed over, to a copy in sync or to a new one; of four times, the giver dies once, the taker once.
  private func changeOwner(_ injection: Injection) -> Bool {
    let choice = injection.amount / 4
    guard let (from, to) = injection.kind == .move ? placement.move(choice) : placement.handOver(choice) else {
      return false
    }
    guard injection.amount % 4 < 2 else { return true }
    let victim = injection.amount % 4 == 0 ? from : to
    let within = injection.kind == .move ? injection.duration / 4 : injection.duration / 60
    cluster.time.schedule(after: within) { [unowned self] in
      guard !isHealed, cluster.hosts[victim].process != nil else { return }
      cluster.kill(victim)
      restarts += 1
      cluster.restart(victim, after: injection.duration)
    }
    return true
  }

  /// Copies a journal, and puts the copy in its place later. It bites when it is put back, if somebody can notice: then
  /// nothing else is disturbed until everybody has been heard.
  private func keepOldCopy(_ injection: Injection) -> Bool {
    let host = injection.host
    guard let backup = cluster.backUp(host) else { return false }
    later(injection) { [unowned self] in
      guard cluster.time.now >= calmUntil, cluster.putBack(backup, on: host, downFor: injection.duration / 10) else {
        return
      }
      cluster.bitten(.oldCopy)
      calmDown()
    }
    return false
  }

  // MARK: Disks and clocks

  private func makeDiskFault(_ injection: Injection) -> Bool {
    let host = injection.host
    guard let journal = cluster.hosts[host].journal else { return false }
    switch injection.kind {
    case .bitRot:
      guard journal.rot.isEmpty, cluster.hosts[host].process != nil, cluster.hosts[host].zombies.isEmpty else {
        return false
      }
      // It is found when the journal is opened again.
      cluster.kill(host)
      guard journal.decay(injection.amount * 7_919) else { return false }
      restarts += 1
      cluster.restart(host, after: injection.duration)
    case .fullDisk:
      cluster.hosts[host].disk.isFull = true
      later(injection) { [cluster] in cluster.hosts[host].disk.isFull = false }
    case .failedSync: cluster.hosts[host].disk.failures += 1
    default:
      let slower = Int64(1 + injection.amount % 40) * 1_000_000
      cluster.hosts[host].disk.commit += slower
      later(injection) { [cluster] in cluster.hosts[host].disk.commit -= slower }
    }
    return true
  }

  private func makeClockFault(_ injection: Injection) -> Bool {
    if injection.kind == .clockSkew {
      // Within what peers tolerate; it concerns processes that start from now on, and timers at once.
      cluster.hosts[injection.host].clock.drift = Int64(injection.amount - 500) * 2 / 5
    } else {
      cluster.hosts[injection.host].clock.offset = Int64(injection.amount - 500) * 800_000
    }
    return true
  }

  /// A process starts on a host whose clock is far ahead, and can ask its peers.
  private func stepClock(_ injection: Injection) -> Bool {
    let host = injection.host
    guard cluster.hosts[host].journal != nil, cluster.hosts[host].process != nil else { return false }
    cluster.kill(host)
    restarts += 1
    cluster.hosts[host].clock.offset = Int64(2 + injection.amount * injection.amount / 280) * 1_000_000_000
    later(injection) { [cluster] in cluster.hosts[host].clock.offset = 0 }
    cluster.restart(host, after: 20_000_000)
    calmDown()
    return true
  }

  /// Nothing else is disturbed for a while.
  private func calmDown() {
    cluster.network.isCalm = true
    calmUntil = cluster.time.now + Self.calm
    cluster.time.schedule(after: Self.calm) { [cluster] in cluster.network.isCalm = false }
  }

  // MARK: The end

  /// Undoes all that still lasts; nothing begins any more.
  func heal() {
    isHealed = true
    cluster.network.heal()
    cluster.heal()
  }

  /// How often each fault bit, by the names of reports.
  var counts: [String: Int] {
    var counts: [String: Int] = [:]
    for kind in FaultKind.allCases { counts[kind.rawValue] = begun[kind] ?? 0 }
    counts["restart"] = restarts + cluster.endedTerms
    counts["handed_over"] = placement.handedOver
    counts["moved"] = placement.moved
    counts["old_copy_noticed"] = cluster.oldCopiesNoticed
    return counts
  }
}
