import ArgumentParser
import Operations

/// Looks into the journals of a cluster, running or not.
struct JournalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "journal", abstract: "List, show, verify and export the machines' journals.",
    discussion: """
      Journals are read where they lie, while their machines go on writing. A machine is named shard-0, risk or \
      settlement: of several copies of its journal the one that has come furthest is meant. One copy is named \
      shard-0@matcher-1.
      """,
    subcommands: [List.self, Show.self, Verify.self, Export.self])

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "ls", abstract: "What each journal holds.",
      discussion: """
        JSON: journals [{machine, entries, batches, first_sequence, last_sequence, last_stamp, last_term, chain_head, \
        snapshots [{sequence, bytes, version, is_good, is_verified}], outbox_chunks, bytes_used, map_size}], \
        quarantined [{machine, kind, source, first_number, digest, deaths, decided}]: inputs that are kept from their \
        machine, because processes died of them.

        EXAMPLES
          novation journal ls
          novation journal ls --data /var/lib/novation --json
        """)
    @OptionGroup var cluster: ClusterOption
    @OptionGroup var output: OutputOption
    func run() throws { try output.show(JournalList(dataDirectory: cluster.directory)) }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "Entries of one journal, the last ones unless --from says where to begin.",
      discussion: """
        JSON: machine, last_sequence, entries [{sequence, stamp, term, kind, source, epoch, first_number, \
        payload_bytes, says, payload}]; source, epoch and first_number only for messages of another machine, payload \
        only with --payload.

        EXAMPLES
          novation journal show shard-0
          novation journal show risk --from 1 --count 5 --payload --json
        """)
    @Argument(help: "The machine: shard-0, risk, settlement.") var machine: String
    @Option(help: "First entry.") var from: UInt64?
    @Option(help: "Most entries.") var count = 20
    @Flag(help: "With the payload's bytes, in hexadecimal.") var payload = false
    @OptionGroup var cluster: ClusterOption
    @OptionGroup var output: OutputOption

    func validate() throws {
      guard (1...100_000).contains(count) else { throw ValidationError("--count \(count): it must be 1 to 100000") }
      if from == 0 { throw ValidationError("--from 0: entries begin with 1") }
    }
    func run() throws {
      try output.show(
        JournalExcerpt(machine, from: from, count: count, withPayload: payload, dataDirectory: cluster.directory))
    }
  }

  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "verify", abstract: "Check every entry, batch link, epoch root and snapshot.",
      discussion: """
        The whole journal is walked from the first entry that it has. Damage is named with the entry where it begins, \
        the last entry that can be trusted, and the ways out. Exit code 1: something is damaged.

        JSON: journals [{machine, first_sequence, entries, batches, epochs, chain_head, good_snapshots, \
        damaged_snapshots, damage {sequence, reason, good_through, ways_out}}]; damage is absent from a sound journal.

        EXAMPLES
          novation journal verify
          novation journal verify shard-0 risk --json
        """)
    @Argument(help: "The machines; without any, all.") var machines: [String] = []
    @OptionGroup var cluster: ClusterOption
    @OptionGroup var output: OutputOption
    func run() throws { try output.show(JournalVerification(machines, dataDirectory: cluster.directory)) }
  }

  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "export", abstract: "Write a journal's entries and batch links to a file, as JSON Lines.",
      discussion: """
        Each entry is given with all its bytes, so that an auditor can compute checksums, links and roots anew without \
        this program; the formats stand in the article JournalEntry. A file that is there already is kept.

        JSON: machine, file, entries, batches, first_sequence, last_sequence.

        EXAMPLES
          novation journal export shard-0 --out shard-0.jsonl
          novation journal export risk --from 1 --to 1000 --out risk.jsonl
        """)
    @Argument(help: "The machine.") var machine: String
    @Option(help: "First entry; without it, the first there is.") var from: UInt64?
    @Option(help: "Last entry; without it, the last there is.") var to: UInt64?
    @Option(help: "The file.") var out: String
    @OptionGroup var cluster: ClusterOption
    @OptionGroup var output: OutputOption
    func run() throws {
      try output.show(JournalExport(machine, from: from, to: to, file: out, dataDirectory: cluster.directory))
    }
  }
}
