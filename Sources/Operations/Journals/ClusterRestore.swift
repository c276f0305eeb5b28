import Bytes
import Foundation
import Journal
import Machine
import Market
import SettlementNode

/// Makes a cluster of a backup: checks the manifest, every file and every journal, cuts what was copied at different
/// instants to one, and puts it all into a new data directory, there whole or not at all.
public struct ClusterRestore: CommandReport {
  struct Machine: Encodable {
    var machine: String
    var lastSequence: UInt64
    /// Entries of the copy after the cut.
    var leftOut: UInt64
    /// Messages that were owed at the cut and had to be said again.
    var rebuiltMessages: UInt64
  }
  var from: String
  var dataDirectory: String
  /// The epoch at whose end the cluster stands; absent when the copy was of a stopped cluster and is restored whole.
  var epoch: UInt32?
  var machines: [Machine]
  /// The last epoch that the restored settlement layer holds, and transactions of the copy that it does not.
  var postedEpoch: UInt32
  var transactionsLeftOut: Int

  /// - Parameter epoch: The epoch at whose end to cut; without it, the last one that all machines have ended, or, of
  ///   a cluster that was stopped, no cut.
  /// - Throws: `CommandMistake` for what was asked wrongly, `CommandRefused` for a backup that is damaged, or that
  ///   gives no cluster at that epoch.
  public init(from backup: String, dataDirectory: String, epoch: UInt32? = nil) throws {
    let source = URL(fileURLWithPath: backup).standardizedFileURL.path
    let target = URL(fileURLWithPath: dataDirectory).standardizedFileURL.path
    try DurableFile.expectFree(target, option: "--data")
    let manifest = try BackupManifest.load(source)
    let epoch = try Self.epoch(epoch, manifest)
    let scratch = "\(target).restoring"
    try? FileManager.default.removeItem(atPath: scratch)
    do {
      for path in manifest.directories { try DurableFile.make("\(scratch)/\(path)") }
      for file in manifest.files {
        try DurableFile.copy(
          "\(source)/\(file.path)", to: "\(scratch)/\(file.path)", permissions: file.permissions)
      }
      let shelf = try JournalShelf(dataDirectory: scratch)
      try Self.check(shelf, manifest)
      transactionsLeftOut = 0
      if let epoch {
        let cut = try ClusterCut(shelf, at: epoch, posted: Epoch(manifest.postedEpoch))
        machines = cut.outcomes.map {
          Machine(
            machine: "\($0.machine)", lastSequence: $0.lastSequence.rawValue, leftOut: $0.leftOut,
            rebuiltMessages: $0.rebuiltMessages)
        }
        transactionsLeftOut = try LedgerReader.cut(directory: "\(scratch)/ledger", afterPostOf: cut.settledEpoch)
      } else {
        machines = manifest.machines.map {
          Machine(machine: $0.machine, lastSequence: $0.lastSequence, leftOut: 0, rebuiltMessages: 0)
        }
      }
      postedEpoch = try LedgerReader(directory: "\(scratch)/ledger").lastPostedEpoch().rawValue
    } catch {
      try? FileManager.default.removeItem(atPath: scratch)
      throw error
    }
    try? FileManager.default.removeItem(atPath: target)
    try FileManager.default.moveItem(atPath: scratch, toPath: target)
    try DurableFile.flush((target as NSString).deletingLastPathComponent)
    from = source
    self.dataDirectory = target
    self.epoch = epoch?.rawValue
  }

  /// Where to cut; `nil` for nowhere.
  private static func epoch(_ wanted: UInt32?, _ manifest: BackupManifest) throws -> Epoch? {
    let common = manifest.machines.map(\.sealedEpoch).min() ?? 0
    if let wanted {
      guard wanted >= 1, wanted <= common else {
        throw CommandMistake("--epoch \(wanted): the machines of this backup have all ended epochs 1 to \(common)")
      }
      return Epoch(wanted)
    }
    if manifest.wasStopped { return nil }
    guard common >= 1 else {
      throw CommandRefused("the machines of this backup have ended no epoch together: they cannot be made to fit")
    }
    return Epoch(common)
  }

  /// Every journal from its first entry, and where it ends.
  private static func check(_ shelf: JournalShelf, _ manifest: BackupManifest) throws {
    guard shelf.machines.map({ "\($0)" }).sorted() == manifest.machines.map(\.machine).sorted() else {
      throw CommandRefused("the journals of the backup are not those that its manifest names")
    }
    for stated in manifest.machines {
      let reader = try shelf.reader(named: stated.machine)
      let end: JournalPosition
      do throws(JournalError) {
        end = try reader.verifyChain()
      } catch {
        throw CommandRefused("the copy of \(stated.machine)'s journal is damaged: \(error)")
      }
      guard end.sequence.rawValue == stated.lastSequence, end.chainHead.description == stated.chainHead else {
        throw CommandRefused(
          "the copy of \(stated.machine)'s journal ends with entry \(end.sequence) and link \(end.chainHead), the "
            + "manifest says \(stated.lastSequence) and \(stated.chainHead)")
      }
    }
  }

  public var text: String {
    var table = TextTable(["journal", "last", "left out", "messages said again"])
    for machine in machines {
      table.add([
        machine.machine, "\(machine.lastSequence)", "\(machine.leftOut)", "\(machine.rebuiltMessages)",
      ])
    }
    let place = epoch.map { "at the end of epoch \($0)" } ?? "as it stood when it was stopped"
    return table.text + "\nthe cluster \(place): \(dataDirectory); the settlement layer holds epoch \(postedEpoch)"
      + (transactionsLeftOut > 0 ? ", \(transactionsLeftOut) later transactions are left out" : "")
      + "\nstart it with: novation run --data \(dataDirectory)"
  }
}
