import ArgumentParser
import Market
import Operations

/// Shards of a running cluster.
struct ShardCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shard", abstract: "Move a shard, or risk or settlement, to another node while it trades.",
    subcommands: [Move.self])

  struct Move: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "move", abstract: "Move a shard to another node while it trades.",
      discussion: """
        The new node copies the shard's journal and follows its owner; once it is in sync, the owner stops taking \
        orders, gives everything over and tells so; the new owner answers in a higher term. Orders that were not \
        answered are asked again by the gateways: none is lost, none is applied twice, no client is disconnected.

        JSON: machine, from, to, term, pause_ms, seconds.

        EXAMPLES
          novation shard move 3 --to matcher-1
          novation shard move risk --to risk-standby-0
        """)
    @Argument(help: "Number of the shard, or a machine's name (shard-3, risk, settlement).") var shard: String
    @Option(help: "The node.") var to: String
    @OptionGroup var cluster: ClusterOption
    @OptionGroup var output: OutputOption
    func run() throws {
      guard let machine = UInt16(shard).map({ MachineID.shard(ShardID($0)) }) ?? MachineID(name: shard) else {
        throw CommandMistake("\(shard): neither a shard's number nor a machine's name, such as shard-3 or risk")
      }
      try output.show(try MachineMove(machine, to: to, dataDirectory: cluster.directory))
    }
  }
}

/// Nodes of a running cluster.
struct NodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "node", abstract: "Add, drain or remove a node of a running cluster.",
    subcommands: [Add.self, Drain.self, Remove.self, HostCommand.self], defaultSubcommand: HostCommand.self)

  struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "add", abstract: "Add a process that can host shards.",
      discussion: """
        It holds nothing yet: move shards to it with novation shard move.

        JSON: node, change, moves.
        """)
    @Argument(help: "Its name; the first free one of matcher-N if absent.") var name: String?
    @OptionGroup var cluster: ClusterOption
    @OptionGroup var output: OutputOption
    func run() throws { try output.show(try NodeChange.add(name, dataDirectory: cluster.directory)) }
  }

  struct Drain: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "drain", abstract: "Move everything away from a node while it trades.",
      discussion: "JSON: node, change, moves [{machine, from, to, term, pause_ms, seconds}].")
    @Argument(help: "The node.") var name: String
    @OptionGroup var cluster: ClusterOption
    @OptionGroup var output: OutputOption
    func run() throws { try output.show(try NodeChange.drain(name, dataDirectory: cluster.directory)) }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "remove", abstract: "Take a drained node out of the cluster.",
      discussion: "JSON: node, change, moves.")
    @Argument(help: "The node.") var name: String
    @OptionGroup var cluster: ClusterOption
    @OptionGroup var output: OutputOption
    func run() throws { try output.show(try NodeChange.remove(name, dataDirectory: cluster.directory)) }
  }
}

/// Processes of a running cluster.
struct RestartCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restart", abstract: "Start every process of a running cluster anew, one after another.",
    discussion: """
      What a node owns is handed over to another before its process ends, where there is one that can hold it, and \
      back afterwards. The pauses are measured and printed.

      JSON: nodes [{node, handed_over, pause_ms, seconds}], pause_ms.

      EXAMPLES
        novation restart --rolling
      """)
  @Flag(help: "One process after another, while the cluster trades.") var rolling = false
  @OptionGroup var cluster: ClusterOption
  @OptionGroup var output: OutputOption
  func validate() throws {
    guard rolling else { throw ValidationError("give --rolling; to start all at once, use novation stop and run") }
  }
  func run() throws { try output.show(try RollingRestart(dataDirectory: cluster.directory)) }
}
