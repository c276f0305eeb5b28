/// Why a copy of a book is not, or can no longer be shown to be, the exchange's book. The copy is of no use from then
/// on: take a new snapshot.
public enum BookDiscrepancy: Error, Sendable, Hashable {
  /// The delta is of another instrument.
  case otherInstrument(own: InstrumentID, told: InstrumentID)
  /// Deltas between the copy's last one and this one are missing.
  case gap(expected: UInt64, told: UInt64)
  /// The copy has had a delta of this number.
  case repeated(last: UInt64, told: UInt64)
  /// A new order has a number that is in the book already.
  case orderTwice(UInt64)
  /// No order of this number is in the book.
  case unknownOrder(UInt64)
  /// The order stands on another side or at another price than the delta says.
  case orderElsewhere(UInt64)
  /// The order traded although another one comes before it.
  case outOfTurn(UInt64, first: UInt64)
  /// Orders of a snapshot do not stand in priority.
  case outOfOrder(UInt64)
  /// The order's lots do not go with what is said to have happened to it.
  case impossibleLots(order: UInt64, own: Lots, told: Lots)
  /// The level's total, after the change, is another one than the copy's.
  case levelDiffers(Side, Price, own: Lots, told: Lots)
  /// A snapshot's own lots do not give its checksum, or a delta's is not the copy's.
  case checksumDiffers(own: UInt64, told: UInt64)
}

extension BookDiscrepancy: CustomStringConvertible {
  public var description: String {
    switch self {
    case .otherInstrument(let own, let told): "the delta is of instrument \(told), the copy of \(own)"
    case .gap(let expected, let told):
      "deltas \(expected) to \(told - 1) are missing: \(told) came, \(expected) was next"
    case .repeated(let last, let told): "delta \(told) came, but the copy is at \(last) already"
    case .orderTwice(let order): "order \(order) is added, but it is in the book already"
    case .unknownOrder(let order): "order \(order) is not in the book"
    case .orderElsewhere(let order): "order \(order) stands at another price or side than the delta says"
    case .outOfTurn(let order, let first): "order \(order) traded, but order \(first) comes before it"
    case .outOfOrder(let order): "order \(order) of the snapshot does not stand in priority"
    case .impossibleLots(let order, let own, let told):
      "order \(order) has \(own) lots and would then show \(told): not what is said to have happened to it"
    case .levelDiffers(let side, let price, let own, let told):
      "the \(side) level at \(price) is told to hold \(told) lots; in the copy it holds \(own)"
    case .checksumDiffers(let own, let told):
      "the checksum is told to be \(Self.text(told)); the copy's is \(Self.text(own))"
    }
  }

  /// A checksum as people and JSON see it: 16 hexadecimal digits.
  public static func text(_ checksum: UInt64) -> String {
    let digits = String(checksum, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
