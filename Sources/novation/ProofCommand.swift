import ArgumentParser
import Foundation
import Market
import Operations

/// Shows an epoch.
struct EpochCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "epoch", abstract: "Show a settlement epoch: its root, and whether it is final.",
    discussion: """
      Without a number: the last final epoch. Exit code 1 if settlement has stopped, or for an epoch that has not ended.

      JSON: epoch, is_final, root, previous_root, header_hash, deposit_cursor, total_positive_equity, open_epoch, \
      last_final_epoch, unfinished [{epoch, phase}], stopped.

      EXAMPLES
        novation epoch
        novation epoch 42 --json
      """)
  @Argument(help: "The epoch's number.") var epoch: UInt32?
  @OptionGroup var cluster: ClusterOption
  @OptionGroup var output: OutputOption
  func validate() throws {
    if epoch == 0 { throw ValidationError("epoch 0 holds nothing; the first is 1") }
  }
  func run() throws { try output.show(cluster.session().report(onEpoch: epoch)) }
}

/// Hands out an account's proof.
struct ProofCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "proof", abstract: "Print the proof of an account under the last epoch's root.",
    discussion: """
      The proof is one JSON object: account, epoch, root, header, leaf, positions, siblings, the last four in \
      hexadecimal. It is all that the owner needs to be paid without the operator; check it with novation \
      verify-proof.

      EXAMPLES
        novation proof 7 --out account-7.json
      """)
  @Argument(help: "The account's number.") var account: UInt32
  @Option(help: "File to write it to, instead of standard output.") var out: String?
  @OptionGroup var cluster: ClusterOption
  @Flag(help: "Accepted for uniformity: a proof is always JSON.") var json = false
  func run() throws {
    let text = try ProofExport.text(of: AccountID(account), in: cluster.session())
    guard let out else { return print(text) }
    do {
      try Data("\(text)\n".utf8).write(to: URL(fileURLWithPath: out), options: .atomic)
    } catch {
      throw CommandMistake("--out \(out): cannot be written; it must be a file in a directory that exists")
    }
  }
}

/// Checks a proof without asking anybody.
struct VerifyProofCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify-proof", abstract: "Check an account's proof against a root, or against the vault's ledger.",
    discussion: """
      With --root the proof must lead to that root. Without it, to the header that the vault took for the proof's \
      epoch, read from DATA/ledger: no process need run. Exit code 1 if it is not proven.

      JSON: account, epoch, root, against, is_proven, owner, ledger, equity, positions, reason.

      EXAMPLES
        novation verify-proof account-7.json
        novation verify-proof account-7.json --root 0x5c1e…
      """)
  @Argument(help: "A file that novation proof has written.") var file: String
  @Option(help: "The root to hold it against, 64 hexadecimal digits.") var root: String?
  @OptionGroup var cluster: ClusterOption
  @OptionGroup var output: OutputOption
  func run() throws {
    let root = try root.map { try Reading.digest($0, "--root") }
    try output.show(ProofVerification(file: file, root: root, dataDirectory: cluster.directory))
  }
}

/// Shows how an action hashes.
struct SignatureDebugCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "signature-debug", abstract: "Show each stage of an action's hash, and whose the signature is.",
    discussion: """
      Reads standard input: the hexadecimal of a signed action, or a trade in Derive's form as JSON with \
      subaccount_id, nonce, instrument_name, direction, limit_price, amount, max_fee, signature_expiry_sec, signer, \
      and optionally owner and signature; decimals are in quotes. The market is that of --data; no process need run. \
      Exit code 1 if a signature is given and it is not the signer's.

      JSON: module, account, nonce, expiry, signer, type_hash, encoded_data, data_hash, struct_hash, domain_separator, \
      digest, recovered_signer, is_valid.

      EXAMPLES
        novation signature-debug < trade.json
      """)
  @OptionGroup var cluster: ClusterOption
  @OptionGroup var output: OutputOption
  func run() throws {
    let market = try ClusterSession.market(dataDirectory: cluster.directory)
    let input = String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self)
    try output.show(SignatureDebug(input: input, market: market))
  }
}
