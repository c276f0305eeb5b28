import Clearing
import Cluster
import Listing
import Machine
import Matching
import Settlement
import SettlementNode
import Wire

/// What this build is, and which formats it reads and writes. A file of any other version is refused, never guessed.
public struct BuildVersion: CommandReport {
  /// Semantic version of the program.
  public static let current = "0.1.0"

  public var version = Self.current
  /// Version of a journal entry's layout.
  public var journalEntry = Int(InputHeader.layoutVersion)
  /// Versions of the machines' snapshots.
  public var shardSnapshot = Int(ShardMachine.snapshotVersion)
  public var riskSnapshot = Int(RiskMachine.snapshotVersion)
  public var settlementSnapshot = Int(SettlementMachine.snapshotVersion)
  /// Version of a transport frame.
  public var wireFrame = Int(Frame.version)
  /// Version of an opened market, `listing.bin`.
  public var listing = Int(Listing.formatVersion)
  /// Version of the instrument file.
  public var instrumentFile = Int(ListingFile.formatVersion)
  /// Version of the embedded settlement ledger.
  public var ledger = Int(LedgerStore.formatVersion)
  /// Version of `cluster.json`.
  public var clusterMap = ClusterMap.currentVersion

  public init() {}

  public var text: String {
    """
    novation \(version)
    formats: journal entry \(journalEntry), snapshots (shard \(shardSnapshot), risk \(riskSnapshot), settlement \
    \(settlementSnapshot)), wire frame \(wireFrame), listing \(listing), instrument file \(instrumentFile), ledger \
    \(ledger), cluster map \(clusterMap)
    """
  }
}
