import Cluster
import Machine
import Market

/// What faults do to processes and disks.
extension SimulatedCluster {
  /// The power goes while a host writes: what is on its way to the disk is lost, torn, or lands all the same.
  func losePower(_ host: Int) {
    guard let cut = hosts[host].disk.powerCut, let writer = hosts[host].process as? any JournalWriter,
      let batch = writer.inFlight, let journal = hosts[host].journal
    else { return }
    hosts[host].disk.powerCut = nil
    kill(host)
    switch cut.kind {
    case .tornWrite: journal.tear(batch, keeping: cut.amount % 100)
    case .landedWrite:
      // It reached the disk, and nobody lived to say so.
      if !hosts[host].disk.isFull { try? journal.append(batch, by: writer.ownership) }
    default: break
    }
    bitten(cut.kind)
    restart(host, after: cut.downtime)
  }

  /// A paused process is given up for dead: another one takes its place, while it is still there.
  func replacePaused(_ host: Int) {
    guard let process = hosts[host].process else { return }
    hosts[host].zombies.append(process)
    hosts[host].process = nil
    restart(host, after: 150_000_000)
  }

  /// A paused process goes on; one that was replaced goes on without knowing.
  func resume(_ process: any SimulatedProcess, of host: Int) {
    process.resume()
    tell("\(hosts[host].name), process \(process.incarnation), goes on")
    guard hosts[host].zombies.contains(where: { $0 === process }) else { return }
    // Its supervisor ends it as soon as it sees it; until then it may try whatever it likes.
    time.schedule(after: 400_000_000) { [unowned self] in
      process.kill()
      hosts[host].zombies.removeAll { $0 === process }
    }
  }

  /// Makes every host well: disks, clocks, processes.
  func heal() {
    if let authority {
      authority.isDown = 0
      authority.loss = 0
      authority.slowness = 0
      for host in hosts.indices { authority.cuts[host] = 0 }
    }
    for host in hosts.indices where hosts[host].machine != .none {
      hosts[host].disk = SimulatedDisk()
      hosts[host].clock.offset = 0
      for zombie in hosts[host].zombies { zombie.kill() }
      hosts[host].zombies.removeAll()
      putNewestJournalBack(host)
      hosts[host].journal?.restore()
      if let process = hosts[host].process { process.resume() } else { restart(host, after: 50_000_000) }
    }
  }
}

/// A process that writes a journal.
protocol JournalWriter: SimulatedProcess {
  /// As whom it writes.
  var ownership: UInt64 { get }
  /// What is on its way to the disk.
  var inFlight: CommitBatch? { get }
  /// Where it stands, in one line.
  var standing: String { get }
  var isOwner: Bool { get }
  /// It is not paused.
  var isRunning: Bool { get }
  /// It follows, and asks for nothing else.
  var isStandby: Bool { get }
  /// How far its machine's streams have come, durable or not.
  var streams: StreamNumbers { get }
  /// The operator's word to give the machine to the copy on another node.
  func handOver(to node: String)
}
