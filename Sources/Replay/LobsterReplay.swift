import Bytes
import Foundation
import Machine
import Market
import Matching

/// Replays a LOBSTER recording through one matching shard and compares the book after each message with the recorded
/// one. Executions are real crossing orders, partial cancels are amendments; hidden executions and halts leave the book
/// as it is.
///
/// - A file of several levels is one continuous book. It begins with the first row; a level that a later row reveals
///   enters as an anonymous order, and one that leaves the recorded window leaves the book, since what happens to it
///   there is not recorded.
/// - A file of one level is replayed row by row: the book seeded from row n − 1, the message applied, compared with row
///   n. Where a message empties the level, the next one must be worse.
public enum LobsterReplay {
  public struct Result: Encodable, Sendable, Equatable {
    public var rowsChecked: Int
    public var rowsDisagreeing: Int
    /// The first rows that disagreed, 1-based; not part of the printed result.
    public var firstDisagreeing: [Int]

    enum CodingKeys: String, CodingKey {
      case rowsChecked = "rows_checked"
      case rowsDisagreeing = "rows_disagreeing"
    }
  }

  /// Replays a pair of files.
  public static func run(messages: URL, book: URL) throws -> Result {
    func text(_ file: URL) throws -> String {
      do { return try String(contentsOf: file, encoding: .utf8) } catch {
        throw ReplayError("\(file.path): \(error.localizedDescription)")
      }
    }
    return try run(messages: text(messages), book: text(book))
  }

  /// Replays files in memory.
  public static func run(messages: String, book: String) throws -> Result {
    let files = try LobsterFiles(messages: messages, book: book)
    var replay = try LobsterBook(files)
    var result = Result(rowsChecked: 0, rowsDisagreeing: 0, firstDisagreeing: [])
    replay.seed(files.rows[0])
    for place in 1..<max(1, files.rows.count) {
      if files.depth == 1 { replay.restart(from: files.rows[place - 1]) }
      let before = files.rows[place - 1]
      replay.apply(files.messages[place])
      result.rowsChecked += 1
      if !replay.agrees(with: files.rows[place], after: before, depth: files.depth) {
        result.rowsDisagreeing += 1
        if result.firstDisagreeing.count < 10 { result.firstDisagreeing.append(place + 1) }
      }
      if files.depth > 1 { replay.follow(files.rows[place]) }
    }
    return result
  }
}
