import Bytes
import Cluster
import Foundation
import Market
import Settlement
import SettlementNode

/// An account proof as it is handed out.
public enum ProofExport {
  /// The account's proof under the last epoch, as one line of JSON.
  public static func text(of account: AccountID, in session: ClusterSession) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(AccountProofText(try session.proof(of: account))), as: UTF8.self)
  }
}

/// Whether a proof file proves what it says; no process need run.
public struct ProofVerification: CommandReport {
  public var account: UInt32
  public var epoch: UInt32
  /// The root that the proof claims to stand under.
  public var root: String
  /// What it was held against: `root` for one that was given, `ledger` for the vault's header of that epoch.
  public var against: String
  public var isProven: Bool
  public var owner: String
  /// By place in the market's list of currencies.
  public var ledger: [String]
  /// USD, at the epoch's marks.
  public var equity: String
  public var positions: Int
  /// Why it is not proven; absent when it is.
  public var reason: String?

  public var isGood: Bool { isProven }

  /// - Parameters:
  ///   - root: a root that is known otherwise; without it the ledger in `dataDirectory` is read.
  public init(file: String, root given: Digest?, dataDirectory: String) throws {
    guard let data = FileManager.default.contents(atPath: file) else {
      throw CommandMistake("\(file): cannot be read; it must be a file that novation proof has written")
    }
    let proof: AccountProof
    do {
      proof = try JSONDecoder().decode(AccountProofText.self, from: data).proof()
    } catch let error as MalformedBytes {
      throw CommandMistake("\(file): \(error)")
    } catch {
      throw CommandMistake("\(file): not a proof; it must be the JSON object that novation proof writes")
    }
    account = proof.leaf.account.rawValue
    epoch = proof.header.epoch.rawValue
    root = proof.header.root.description
    owner = proof.leaf.owner.description
    ledger = proof.leaf.ledger.map(\.description)
    equity = proof.leaf.equity.description
    positions = proof.positions.count
    if let given {
      against = "root"
      isProven = proof.verify(against: given)
      reason = isProven ? nil : "leaf, positions and siblings do not lead to root \(given)"
      return
    }
    against = "ledger"
    let header = try Self.header(of: proof.header.epoch, dataDirectory: dataDirectory)
    isProven = header.map { proof.verify(againstHeaderHash: $0.headerHash) } ?? false
    if let header {
      reason = isProven ? nil : "it does not stand under the header that the vault took for epoch \(header.epoch)"
    } else {
      reason = "the vault has taken no epoch \(epoch)"
    }
  }

  /// The header that the vault took for an epoch, read from the ledger's own transactions.
  private static func header(of epoch: Epoch, dataDirectory: String) throws -> EpochHeader? {
    let directory = try ClusterMap.load(dataDirectory: dataDirectory).ledgerDirectory
    guard FileManager.default.fileExists(atPath: directory) else {
      throw CommandMistake("\(directory): no ledger lies here yet; name the cluster with --data, or give --root")
    }
    var found: EpochHeader?
    try LedgerReader(directory: directory).forEachTransaction { transaction in
      if case .post(let post) = transaction, post.header.epoch == epoch { found = post.header }
    }
    return found
  }

  public var text: String {
    let claim = "account \(account) of \(owner) at the end of epoch \(epoch): equity \(equity) USD"
    if isProven {
      return "\(claim)\nproven against \(against == "root" ? "the given root" : "the vault's ledger"), root \(root)"
    }
    return "\(claim)\nNOT PROVEN: \(reason ?? "")"
  }
}
