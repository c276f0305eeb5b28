import Authority
import Cluster
import Market
import Operations

/// What an operator does to the places of machines while all trades: copies come and go, owners hand over, machines
/// move. As the real commands do, step by step, each step upon what the authority says by then.
final class SimulatedPlacement {
  private unowned let cluster: SimulatedCluster
  private var random: SeededGenerator
  /// Machines whose places are being changed.
  private var changing: Set<MachineID> = []
  /// Machines that another copy owns since the word to hand over; those of them that were moved to a spare host; copies
  /// that were added, and taken away again.
  private(set) var handedOver = 0
  private(set) var moved = 0
  private(set) var joined = 0
  private(set) var left = 0

  private static let step: Int64 = 20_000_000
  private static let syncSteps = 200
  private static let handOverSteps = 150

  init(_ cluster: SimulatedCluster, seed: UInt64) {
    self.cluster = cluster
    random = SeededGenerator(seed: seed)
  }

  private func owner(of machine: MachineID) -> Int? {
    guard let record = cluster.authority?.record(of: machine) else { return nil }
    return cluster.copies(of: machine).first { cluster.hosts[$0].name == record.owner }
  }
  private func isInSync(_ host: Int) -> Bool {
    let (name, machine) = (cluster.hosts[host].name, cluster.hosts[host].machine)
    return cluster.authority?.record(of: machine)?.inSync.contains(name) ?? false
  }
  private var spares: [Int] { cluster.hosts.indices.filter { cluster.hosts[$0].machine == .none } }

  /// Asks again and again until something is so, or nobody waits any longer.
  private func wait(_ steps: Int, _ isSo: @escaping () -> Bool, _ end: @escaping (_ isSo: Bool) -> Void) {
    if isSo() { return end(true) }
    guard steps > 0 else { return end(false) }
    cluster.time.schedule(after: Self.step) { [unowned self] in wait(steps - 1, isSo, end) }
  }

  // MARK: What is done

  /// A spare host gets a copy of a machine. - Returns: false if there is none to spare.
  func addStandby(_ choice: Int) -> Bool {
    let machine = cluster.hosted[choice % cluster.hosted.count]
    guard cluster.authority != nil, let spare = spares.first, !changing.contains(machine) else { return false }
    add(machine, on: spare)
    joined += 1
    return true
  }

  /// A copy that follows goes. - Returns: false if there is none that can.
  func removeStandby(_ choice: Int) -> Bool {
    let followers = cluster.hosted.filter { !changing.contains($0) }.flatMap { machine in
      cluster.copies(of: machine).dropFirst().filter { host in
        owner(of: machine).map { $0 != host } ?? false
          && (cluster.hosts[host].process as? any JournalWriter)?.isStandby ?? false
      }
    }
    guard !followers.isEmpty else { return false }
    remove(followers[choice % followers.count])
    left += 1
    return true
  }

  /// The owner of a machine gives it to a copy in sync. - Returns: the two hosts; `nil` if there is none in sync.
  func handOver(_ choice: Int) -> (from: Int, to: Int)? {
    let pairs: [(from: Int, to: Int)] = cluster.hosted.filter { !changing.contains($0) }.flatMap { machine in
      owner(of: machine).map { owner in
        cluster.copies(of: machine).filter { $0 != owner && isInSync($0) }.map { (owner, $0) }
      } ?? []
    }
    guard !pairs.isEmpty else { return nil }
    let (from, to) = pairs[choice % pairs.count]
    let machine = cluster.hosts[to].machine
    changing.insert(machine)
    handOver(machine, from, to) { [unowned self] _ in changing.remove(machine) }
    return (from, to)
  }

  /// A machine goes to a spare host: that follows, is handed the machine, and becomes its home.
  /// - Returns: the two hosts; `nil` if there is nothing to spare.
  func move(_ choice: Int) -> (from: Int, to: Int)? {
    let machine = cluster.hosted[choice % cluster.hosted.count]
    guard let spare = spares.last, !changing.contains(machine), let from = owner(of: machine) else { return nil }
    changing.insert(machine)
    add(machine, on: spare)
    wait(Self.syncSteps, { [unowned self] in isInSync(spare) }) { [unowned self] isInSync in
      guard isInSync, let from = owner(of: machine), from != spare else {
        changing.remove(machine)
        return
      }
      handOver(machine, from, spare) { [unowned self] isDone in
        changing.remove(machine)
        guard isDone, let home = cluster.copies(of: machine).first, home != spare else { return }
        moved += 1
        makeHome(machine, on: spare)
        // It may have died just before, and stand for owner when it is back: then it stays as a standby.
        if (cluster.hosts[home].process as? any JournalWriter)?.isStandby ?? false { remove(home) }
      }
    }
    return (from, spare)
  }

  // MARK: Steps

  private func handOver(_ machine: MachineID, _ from: Int, _ to: Int, _ end: @escaping (_ isDone: Bool) -> Void) {
    (cluster.hosts[from].process as? any JournalWriter)?.handOver(to: cluster.hosts[to].name)
    wait(Self.handOverSteps, { [unowned self] in owner(of: machine) == to }) { [unowned self] isDone in
      if isDone { handedOver += 1 }
      end(isDone)
    }
  }

  private func add(_ machine: MachineID, on host: Int) {
    cluster.hosts[host].machine = machine
    cluster.hosts[host].journal = cluster.hosts[host].shelf[machine] ?? SimulatedJournal(machine)
    cluster.hosts[host].shelf[machine] = cluster.hosts[host].journal
    cluster.places[machine, default: []].append(host)
    cluster.tell("\(cluster.hosts[host].name) gets a copy of \(machine)")
    change(host) {
      $0.role = SimulatedCluster.role(of: machine)
      $0.standbys = [machine.description]
    }
    cluster.restart(host, after: latency)
  }

  private func makeHome(_ machine: MachineID, on host: Int) {
    cluster.places[machine]?.removeAll { $0 == host }
    cluster.places[machine]?.insert(host, at: 0)
    change(host) {
      $0.hosts = [machine.description]
      $0.standbys = nil
    }
  }

  private func remove(_ host: Int) {
    let machine = cluster.hosts[host].machine
    cluster.tell("\(cluster.hosts[host].name) gives its copy of \(machine) up")
    for zombie in cluster.hosts[host].zombies { zombie.kill() }
    cluster.hosts[host].zombies.removeAll()
    cluster.hosts[host].displaced = nil
    cluster.kill(host)
    cluster.hosts[host].shelf[machine] = cluster.hosts[host].journal
    cluster.hosts[host].journal = nil
    cluster.hosts[host].machine = .none
    cluster.places[machine]?.removeAll { $0 == host }
    change(host) {
      $0.hosts = []
      $0.standbys = nil
    }
  }

  private var latency: Int64 { 1_000_000 + Int64(random.below(150_000_000)) }

  /// Changes the map; every process learns of it in its own time.
  private func change(_ host: Int, _ body: (inout ClusterMap.Node) -> Void) {
    body(&cluster.map.nodes[host])
    for place in cluster.hosts.indices where cluster.hosts[place].process != nil {
      let incarnation = cluster.hosts[place].incarnation
      cluster.time.schedule(after: latency) { [unowned self] in
        guard let process = cluster.hosts[place].process, process.incarnation == incarnation else { return }
        process.placesChanged()
      }
    }
  }
}
