import Bytes
import Market

/// Why the coordinator posts no more, for good: halting beats minting. Layout: rule u8, epoch u32, detail u64.
public struct StopReason: Error, ByteCodable, Sendable, Hashable, CustomStringConvertible {
  public enum Rule: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    /// A currency's deltas are not its deposits less its withdrawals; detail: the currency.
    case ledgerConservation = 1
    /// An instrument's position deltas do not cancel; detail: the instrument.
    case positionConservation = 2
    /// A machine's journal has a gap or an overlap between two commitments; detail: the machine.
    case sequenceGap = 3
    /// A machine's fill number fell; detail: the machine.
    case fillNumberFell = 4
    /// Deposits consumed went back, or beyond what the settlement layer holds; detail: the cursor.
    case depositCursor = 5
    /// A delta for an account that no consumed deposit has opened; detail: the account.
    case unknownAccount = 6
    /// An amount that does not fit its 64 bits; detail: the account.
    case overflow = 7
    /// A commitment that its machine may not make; detail: the machine.
    case badCommitment = 8
    /// A stream message that is not of its layout; detail: the machine.
    case malformedMessage = 9
    /// A deposit that the vault's rules do not allow; detail: its number.
    case invalidDeposit = 10
    /// The settlement layer holds a header that this coordinator did not make; detail: zero.
    case foreignHeader = 11
    /// The settlement layer made a root final that this coordinator did not make; detail: zero.
    case foreignRoot = 12
    /// A verifier came to another header; detail: the verifier.
    case disputed = 13
  }

  public var rule: Rule
  /// The epoch in question; zero where there is none.
  public var epoch: Epoch
  public var detail: UInt64
  public init(_ rule: Rule, epoch: Epoch = Epoch(0), detail: UInt64 = 0) {
    self.rule = rule
    self.epoch = epoch
    self.detail = detail
  }

  public func write(to writer: inout ByteWriter) {
    writer.u8(rule.rawValue)
    epoch.write(to: &writer)
    writer.u64(detail)
  }
  public init(from reader: inout ByteReader) {
    rule = reader.enumeration(Rule.self, otherwise: .overflow)
    epoch = Epoch(from: &reader)
    detail = reader.u64()
  }

  public var description: String {
    switch rule {
    case .ledgerConservation: "epoch \(epoch): the ledger of currency \(detail) is not conserved"
    case .positionConservation: "epoch \(epoch): the positions in instrument \(detail) do not cancel"
    case .sequenceGap: "epoch \(epoch): the journal of \(machine) does not follow on its last commitment"
    case .fillNumberFell: "epoch \(epoch): the fill number of \(machine) fell"
    case .depositCursor: "epoch \(epoch): deposit cursor \(detail) is out of range"
    case .unknownAccount: "epoch \(epoch): a delta for account \(detail), which no deposit has opened"
    case .overflow: "epoch \(epoch): account \(detail) does not fit 64 bits"
    case .badCommitment: "epoch \(epoch): \(machine) sent a commitment that it may not make"
    case .malformedMessage: "a malformed message from \(machine)"
    case .invalidDeposit: "deposit \(detail) breaks the vault's rules"
    case .foreignHeader: "epoch \(epoch): the settlement layer holds another header"
    case .foreignRoot: "epoch \(epoch): the settlement layer made another root final"
    case .disputed: "epoch \(epoch): disputed by verifier \(detail)"
    }
  }
  private var machine: MachineID { MachineID(rawValue: UInt32(truncatingIfNeeded: detail)) }
}
