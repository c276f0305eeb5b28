import Foundation
import Market

/// One row of a LOBSTER message file.
struct LobsterMessage {
  enum Kind: Int {
    case submission = 1
    /// Part of an order is cancelled.
    case reduction = 2
    case deletion = 3
    case execution = 4
    case hiddenExecution = 5
    case cross = 6
    case halt = 7
  }
  var kind: Kind
  var order: UInt64
  var lots: Int64
  /// Ten-thousandths of a dollar.
  var price: Int64
  /// The resting order's side.
  var side: Side
}

/// One row of a LOBSTER book file: the levels that it shows after the message, best first.
struct LobsterRow: Equatable {
  struct Level: Equatable {
    var price: Int64
    var lots: Int64
  }
  var bids: [Level]
  var asks: [Level]

  func levels(_ side: Side) -> [Level] { side == .buy ? bids : asks }
}

/// A pair of LOBSTER files, read and checked.
struct LobsterFiles {
  var messages: [LobsterMessage]
  var rows: [LobsterRow]
  /// Levels a side that each row shows.
  var depth: Int

  /// Prices of levels that a row leaves empty.
  private static let absent: Int64 = 9_999_999_999

  init(messages: String, book: String) throws(ReplayError) {
    self.messages = []
    rows = []
    var columns = 0
    for (line, text) in messages.split(whereSeparator: \.isNewline).enumerated() {
      self.messages.append(try Self.message(text, line + 1))
    }
    for (line, text) in book.split(whereSeparator: \.isNewline).enumerated() {
      let numbers = text.split(separator: ",").map { Int64($0) ?? -1 }
      if columns == 0 { columns = numbers.count }
      guard numbers.count == columns, columns > 0, columns % 4 == 0 else {
        throw ReplayError("book row \(line + 1): \(numbers.count) columns; each row has \(columns), four a level")
      }
      var row = LobsterRow(bids: [], asks: [])
      for level in stride(from: 0, to: columns, by: 4) {
        if abs(numbers[level]) < Self.absent {
          row.asks.append(LobsterRow.Level(price: numbers[level], lots: numbers[level + 1]))
        }
        if abs(numbers[level + 2]) < Self.absent {
          row.bids.append(LobsterRow.Level(price: numbers[level + 2], lots: numbers[level + 3]))
        }
      }
      guard (row.bids + row.asks).allSatisfy({ $0.price > 0 && $0.lots > 0 }) else {
        throw ReplayError("book row \(line + 1): a price or size is no positive whole number")
      }
      rows.append(row)
    }
    guard self.messages.count == rows.count, !rows.isEmpty else {
      throw ReplayError("\(self.messages.count) messages and \(rows.count) book rows: a row belongs to each message")
    }
    depth = columns / 4
  }

  private static func message(_ text: Substring, _ line: Int) throws(ReplayError) -> LobsterMessage {
    let columns = text.split(separator: ",")
    guard columns.count >= 6, let number = Int(columns[1]), let order = UInt64(columns[2]),
      let lots = Int64(columns[3]), let price = Int64(columns[4]), let direction = Int(columns[5])
    else { throw ReplayError("message row \(line): not time, type, order, size, price, direction") }
    guard let kind = LobsterMessage.Kind(rawValue: number) else {
      throw ReplayError("message row \(line): unknown type \(number)")
    }
    return LobsterMessage(
      kind: kind, order: order, lots: lots, price: price, side: direction == 1 ? .buy : .sell)
  }
}
