import ArgumentParser
import Market
import Operations

/// Opens and shows accounts.
struct AccountCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "account", abstract: "Open an account, or show one.", subcommands: [Create.self, Show.self])

  struct Create: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "create", abstract: "Make a key and open its account by a first deposit.",
      discussion: """
        The key lies in DATA/accounts, readable by its owner alone (mode 0600); a key file that others can read is \
        refused when it is used. The deposit is made on the local settlement layer, where money is free.

        JSON: account, owner, key_file, currency, amount, has_credit.

        EXAMPLES
          novation account create
          novation account create --deposit 5 --currency BTC --json
        """)
    @OptionGroup var cluster: ClusterOption
    @Option(help: "First deposit, in the currency.") var deposit = "1000000"
    @Option(help: "Currency of the deposit.") var currency = "USDC"
    @OptionGroup var output: OutputOption
    func run() throws {
      let amount = try Reading.decimal(deposit, "--deposit", as: Money.self)
      try output.show(AccountCreation(currency: currency, amount: amount, in: cluster.session()))
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "Show an account: balances, positions, margin, credit and open orders.",
      discussion: """
        JSON: account, owner, ledger {currency: amount}, positions [{instrument, quantity}], equity, initial_margin, \
        maintenance_margin, credit [{shard, ceiling, consumed, outstanding}], pending_withdrawals, held_orders, \
        is_frozen, open_orders [{nonce, index, shard, instrument, side, price, quantity, is_reduce_only, state, \
        is_quote, trigger_price, client_id, label}].

        EXAMPLES
          novation account show 7
        """)
    @Argument(help: "The account's number.") var account: UInt32
    @OptionGroup var cluster: ClusterOption
    @OptionGroup var output: OutputOption
    func run() throws { try output.show(AccountReport(AccountID(account), in: cluster.session())) }
  }
}

/// Pays into an account.
struct DepositCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "deposit", abstract: "Pay into an account on the settlement layer.",
    discussion: """
      JSON: account, currency, amount, number.

      EXAMPLES
        novation deposit --account 7 --currency USDC --amount 250000
      """)
  @Option(help: "The account's number; its key file must be here.") var account: UInt32
  @Option(help: "Currency of the deposit.") var currency: String
  @Option(help: "How much of it.") var amount: String
  @OptionGroup var cluster: ClusterOption
  @OptionGroup var output: OutputOption
  func run() throws {
    let money = try Reading.decimal(amount, "--amount", as: Money.self)
    let account = try Reading.account(account)
    try output.show(AccountDeposit(account: account, currency: currency, amount: money, in: cluster.session()))
  }
}

/// Pays out of an account.
struct WithdrawCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "withdraw", abstract: "Take collateral out of an account, through risk, an epoch and a proof.",
    discussion: """
      Signs a withdrawal to the account's owner, waits until risk grants or refuses it, waits until the epoch is \
      final, and claims at the vault with the account's proof. Each step is told on standard error. A refusal (more \
      than the account's own balance or its free equity) prints code and reason, exit code 1.

      JSON: account, currency, amount, outcome, code, is_granted, epoch, paid, recipient, nonce, sequence, reason.

      EXAMPLES
        novation withdraw --account 7 --currency USDC --amount 1000
      """)
  @Option(help: "The account's number; its key file must be here.") var account: UInt32
  @Option(help: "Currency to withdraw.") var currency: String
  @Option(help: "How much of it.") var amount: String
  @OptionGroup var cluster: ClusterOption
  @OptionGroup var output: OutputOption
  func run() throws {
    let money = try Reading.decimal(amount, "--amount", as: Money.self)
    let account = try Reading.account(account)
    try output.show(
      AccountWithdrawal(account: account, currency: currency, amount: money, in: cluster.session()) {
        Output.note($0)
      })
  }
}
