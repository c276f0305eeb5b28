import Bytes
import Foundation
import Journal
import Machine
import Market
import SettlementNode

/// Copies a cluster, running or stopped, into another directory: every journal and the local settlement layer as of a
/// commit each, the market, keys and accounts. The machines of a running cluster are copied one after the other; what
/// makes them fit each other is the end of an epoch, at which `ClusterRestore` cuts them.
public struct ClusterBackup: CommandReport {
  var directory: String
  var dataDirectory: String
  var wasStopped: Bool
  var postedEpoch: UInt32
  var machines: [BackupManifest.Machine]
  var files: Int
  var bytes: UInt64

  /// - Parameter seconds: How long to wait for the machines of a running cluster to end an epoch.
  /// - Throws: `CommandMistake` when there is no cluster, or something lies in the way; `CommandRefused` when the
  ///   cluster ends no epoch, or a copy is not sound.
  public init(dataDirectory: String, to directory: String, seconds: Double = 30) throws {
    let data = URL(fileURLWithPath: dataDirectory).standardizedFileURL.path
    let target = URL(fileURLWithPath: directory).standardizedFileURL.path
    let shelf = try JournalShelf(dataDirectory: data)
    try DurableFile.expectFree(target, option: "--to")
    guard !(target + "/").hasPrefix(data + "/") else {
      throw CommandMistake("--to \(directory): it must lie outside of the data directory")
    }
    let ledger = try LedgerReader(directory: "\(data)/ledger")
    let isStopped = !shelf.isRunning
    let posted = try ledger.lastPostedEpoch()
    if !isStopped { try Self.waitForSeals(shelf, seconds: seconds) }

    try DurableFile.make(target)
    var machines: [BackupManifest.Machine] = []
    var files: [BackupManifest.File] = []
    for machine in shelf.machines {
      let path = "journal/\(machine)"
      try shelf.reader(of: machine).copy(to: "\(target)/\(path)")
      machines.append(try Self.describe(machine, "\(target)/\(path)"))
      files.append(try BackupManifest.File("\(path)/data.mdb", in: target))
    }
    // The settlement layer last: it holds every deposit that the coordinator's copy knows.
    try ledger.copy(to: "\(target)/ledger")
    files.append(try BackupManifest.File("ledger/data.mdb", in: target))
    let (directories, paths) = Self.plainFiles(data)
    for path in directories { try DurableFile.make("\(target)/\(path)") }
    for path in paths {
      let source = try BackupManifest.File(path, in: data)
      try DurableFile.copy("\(data)/\(path)", to: "\(target)/\(path)", permissions: source.permissions)
      files.append(try BackupManifest.File(path, in: target))
    }
    let manifest = BackupManifest(
      made: Date().ISO8601Format(), dataDirectory: data, wasStopped: isStopped, postedEpoch: posted.rawValue,
      machines: machines, directories: directories, files: files)
    try manifest.save(target)
    self.directory = target
    self.dataDirectory = data
    wasStopped = isStopped
    postedEpoch = posted.rawValue
    self.machines = machines
    self.files = files.count
    bytes = files.reduce(0) { $0 + $1.bytes }
  }

  /// Waits until every machine has ended an epoch that the coordinator ended after the call: by then it had settled
  /// what the settlement layer held before.
  private static func waitForSeals(_ shelf: JournalShelf, seconds: Double) throws {
    let deadline = Date().addingTimeInterval(seconds)
    let wanted = try (shelf.reader(of: .settlement).lastSeal()?.seal.epoch ?? Epoch(0)).next
    for machine in shelf.machines {
      let reader = try shelf.reader(of: machine)
      while try (reader.lastSeal()?.seal.epoch ?? Epoch(0)) < wanted {
        guard Date() < deadline else {
          throw CommandRefused(
            "\(machine) has not ended epoch \(wanted) after \(seconds) s, and copies of a running cluster are made to "
              + "fit each other at the end of an epoch; see 'novation status', or stop the cluster and try again")
        }
        usleep(50_000)
      }
    }
  }

  /// Checks a copied journal from its first entry to its last.
  private static func describe(_ machine: MachineID, _ directory: String) throws -> BackupManifest.Machine {
    defer { unlink("\(directory)/lock.mdb") }
    let reader = try JournalReader(directory: directory, machine: machine)
    let end: JournalPosition
    do throws(JournalError) {
      end = try reader.verifyChain()
    } catch {
      throw CommandRefused("the copy is not sound, nor is the journal then: \(error)")
    }
    return BackupManifest.Machine(
      machine: "\(machine)", firstSequence: try reader.base().sequence.next.rawValue,
      lastSequence: end.sequence.rawValue, lastTerm: end.term.rawValue, chainHead: end.chainHead.description,
      sealedEpoch: try reader.lastSeal()?.seal.epoch.rawValue ?? 0)
  }

  /// The market, the keys and the accounts. The map is written anew at every start; logs and clients' records stay.
  private static func plainFiles(_ data: String) -> (directories: [String], files: [String]) {
    var directories: [String] = []
    var files = FileManager.default.fileExists(atPath: "\(data)/listing.bin") ? ["listing.bin"] : []
    for directory in ["keys", "accounts"] {
      guard let found = try? FileManager.default.subpathsOfDirectory(atPath: "\(data)/\(directory)") else { continue }
      for path in [directory] + found.sorted().map({ "\(directory)/\($0)" }) {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: "\(data)/\(path)", isDirectory: &isDirectory) else { continue }
        if isDirectory.boolValue { directories.append(path) } else { files.append(path) }
      }
    }
    return (directories, files)
  }

  public var text: String {
    var table = TextTable(["journal", "first", "last", "term", "sealed epoch"])
    for machine in machines {
      table.add([
        machine.machine, "\(machine.firstSequence)", "\(machine.lastSequence)", "\(machine.lastTerm)",
        "\(machine.sealedEpoch)",
      ])
    }
    let state = wasStopped ? "stopped" : "running"
    return table.text
      + "\n\(files) files, \(bytes >> 10) KiB, of the \(state) cluster in \(dataDirectory): \(directory)"
  }
}

extension JournalShelf {
  /// Whether somebody writes here: a supervisor, or any machine's owner.
  var isRunning: Bool {
    if ClusterStop.isHeld(SupervisorLock.path(in: dataDirectory)) { return true }
    return copies.contains { ClusterStop.isHeld("\($0.directory)/owner.lock") }
  }
}
