import ArgumentParser
import Operations

/// How a cluster is.
struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show every process, shard, epoch and risk total of a running cluster.",
    discussion: """
      Asks each process itself. The exit code is 0 only if every process answers and settlement posts.

      JSON: processes [{name, role, is_up, pid, cpu_percent, resident_megabytes, metrics}], shards [{shard, node, \
      orders, fills, open, journal, lag, epoch}], settlement {open_epoch, final_epoch, root, stopped}, risk {accounts, \
      equity, under_liquidation, unmeasurable, is_halted}. What does not answer is absent.

      EXAMPLES
        novation status
        novation status --data /var/lib/novation --json
      """)
  @OptionGroup var cluster: ClusterOption
  @OptionGroup var output: OutputOption
  func run() throws { try output.show(ClusterStatus(dataDirectory: cluster.directory)) }
}

/// Stops what runs.
struct StopCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop", abstract: "Stop the cluster that runs in a data directory, cleanly.",
    discussion: """
      Asks the supervisor named in supervisor.pid to end and waits for it; its processes end in order, and nothing \
      that was acknowledged is lost. If nothing runs there, that is said, with exit code 0. Exit code 1: it did not \
      end within --seconds.

      JSON: was_running, is_stopped, pid, data_directory.

      EXAMPLES
        novation stop
        novation stop --data /tmp/trial --seconds 60
      """)
  @OptionGroup var cluster: ClusterOption
  @Option(help: "How long to wait for the end.") var seconds = 30.0
  @OptionGroup var output: OutputOption
  func validate() throws {
    guard seconds > 0 else { throw ValidationError("--seconds \(seconds): it must be positive") }
  }
  func run() throws { try output.show(ClusterStop(dataDirectory: cluster.directory, seconds: seconds)) }
}

/// What this build is.
struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version", abstract: "Show the version of this program and of the formats it reads and writes.",
    discussion: """
      A journal, snapshot or file of another version is refused, never guessed.

      JSON: version, journal_entry, shard_snapshot, risk_snapshot, settlement_snapshot, wire_frame, listing, \
      instrument_file, ledger, cluster_map.
      """)
  @OptionGroup var output: OutputOption
  func run() throws { try output.show(BuildVersion()) }
}

/// Makes a data directory without starting anything.
struct PrepareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prepare", abstract: "Make a cluster's keys, market and map without starting anything.",
    discussion: """
      For clusters whose processes something else starts, such as containers: each is then novation node NAME --data \
      DIR. Prepared again, a directory keeps its keys and its market and takes the new configuration. With [transport] \
      kind = "tcp" and host = "service" every node is reached by its own name.

      JSON: data_directory, nodes, shards, instruments, endpoints.

      EXAMPLES
        novation prepare --data /var/lib/novation --config cluster/config/cluster.toml
      """)
  @OptionGroup var cluster: ClusterOption
  @Option(help: "Cluster configuration file; without it, the defaults.") var config: String?
  @Option(help: "Instrument file of the first opening.") var instruments = "cluster/config/instruments.toml"
  @OptionGroup var output: OutputOption
  func run() throws {
    let configuration = try config.map { try ClusterConfiguration.load(path: $0) } ?? ClusterConfiguration()
    try output.show(
      ClusterPreparation(
        dataDirectory: cluster.directory, configuration: configuration, instrumentsPath: instruments))
  }
}

/// Checks configuration files.
struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Check configuration files.", subcommands: [Check.self])

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "check", abstract: "Read configuration and instrument files, and say whether they are sound.",
      discussion: """
        What a file is, is seen from what it holds. An unknown key, a value out of its limits, and files that \
        contradict each other (more shards than the instruments can fill) are refused with one line and exit code 2.

        JSON: files [{file, kind, summary}].

        EXAMPLES
          novation config check
          novation config check my-cluster.toml my-instruments.toml
        """)
    @Argument(help: "Files to check together; without any, the shipped ones.") var files: [String] = []
    @OptionGroup var output: OutputOption
    func run() throws {
      let shipped = ["cluster/config/cluster.toml", "cluster/config/instruments.toml"]
      try output.show(ConfigurationCheck(paths: files.isEmpty ? shipped : files))
    }
  }
}
