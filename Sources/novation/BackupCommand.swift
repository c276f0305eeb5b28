import ArgumentParser
import Operations

/// Copies a cluster, running or stopped.
struct BackupCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup", abstract: "Copy a cluster, running or stopped, into another directory.",
    discussion: """
      Every journal and the local settlement layer are copied as of a commit each, while their machines go on writing, \
      and checked; the market, keys and accounts with their modes. The manifest, written last, says what each copy \
      holds, with the SHA-256 of every file. What the cluster's clients sent and were answered is not copied.

      Copies of a running cluster are of different instants: 'novation restore' cuts them at the end of an epoch, \
      which is why this waits for the next one to end. The copy holds secret keys: keep it as you keep the original.

      JSON: directory, data_directory, was_stopped, posted_epoch, machines [{machine, first_sequence, last_sequence, \
      last_term, chain_head, sealed_epoch}], files, bytes.

      EXAMPLES
        novation backup --to /backup/novation-monday
        novation backup --data /var/lib/novation --to /backup/novation-monday --json
      """)
  @Option(help: ArgumentHelp("A new or empty directory for the copy.", valueName: "dir")) var to: String
  @OptionGroup var cluster: ClusterOption
  @OptionGroup var output: OutputOption
  func run() throws { try output.show(ClusterBackup(dataDirectory: cluster.directory, to: to)) }
}

/// Makes a cluster of a backup, or puts one journal in its place.
struct RestoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Make a cluster of a backup, or put a copy of one journal in its place.",
    discussion: """
      Every file is held against the manifest, every journal checked from its first entry. A backup of a running \
      cluster is then cut: each journal right after the seal of one epoch, by default the last that all machines have \
      ended, and the settlement layer before the first epoch that the coordinator had not settled by then. What was \
      said and not yet heard at the cut is said again. It tells what is left out; a cut before an epoch that the \
      settlement layer held when the backup began is refused. A backup of a stopped cluster is restored as it stood. \
      The data directory is there whole, or not at all.

      With --machine, one journal of a stopped cluster is replaced by the copy in --from, a backup or a standby's \
      data directory. A copy that holds less than the machine is known to have had, by what is left of its journal \
      and by what the other machines heard, is refused as old. What lay there is put aside.

      JSON: from, data_directory, epoch, machines [{machine, last_sequence, left_out, rebuilt_messages}], \
      posted_epoch, transactions_left_out; epoch is absent where nothing was cut. With --machine: machine, from, \
      data_directory, last_sequence, known_sequence, replaced.

      EXAMPLES
        novation restore --from /backup/novation-monday --data /var/lib/novation
        novation restore --from /backup/novation-monday --data restored --epoch 4711 --json
        novation restore --machine shard-0 --from /mnt/standby --data /var/lib/novation
      """)
  @Option(help: ArgumentHelp("The backup.", valueName: "dir")) var from: String
  @Option(help: "The epoch at whose end to cut; without it, the last common one.") var epoch: UInt32?
  @Option(help: "Replace this machine's journal only: shard-0, risk, settlement.") var machine: String?
  @OptionGroup var cluster: ClusterOption
  @OptionGroup var output: OutputOption

  func validate() throws {
    if machine != nil, epoch != nil {
      throw ValidationError("--epoch: with --machine nothing is cut; leave one of them out")
    }
  }

  func run() throws {
    if let machine {
      try output.show(JournalReplacement(machine, from: from, dataDirectory: cluster.directory))
    } else {
      try output.show(ClusterRestore(from: from, dataDirectory: cluster.directory, epoch: epoch))
    }
  }
}
