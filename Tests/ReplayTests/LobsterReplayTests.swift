import Foundation
import Testing

@testable import Replay

/// Recordings lie beside the package, not in it; without them these tests say so and pass by.
enum Recordings {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared/data/lobster")
  static let areHere = FileManager.default.fileExists(atPath: folder.path)

  static func files(_ name: String, _ depth: Int) -> (messages: URL, book: URL) {
    let stem = "\(name)_2012-06-21_34200000_57600000"
    return (
      folder.appendingPathComponent("\(stem)_message_\(depth).csv"),
      folder.appendingPathComponent("\(stem)_orderbook_\(depth).csv")
    )
  }
}

@Suite struct LobsterReplayTests {
  @Test(.enabled(if: Recordings.areHere, "the recordings are not at \(Recordings.folder.path)"))
  func aTenLevelRecordingReplaysAsOneBook() throws {
    let files = Recordings.files("AAPL", 10)
    let result = try LobsterReplay.run(messages: files.messages, book: files.book)
    #expect(result.rowsChecked >= 990)
    #expect(result.rowsDisagreeing == 0, "\(result)")
  }

  @Test(.enabled(if: Recordings.areHere, "the recordings are not at \(Recordings.folder.path)"))
  func aDayOfTheBestLevelReplaysRowByRow() throws {
    let files = Recordings.files("AMZN", 1)
    let result = try LobsterReplay.run(messages: files.messages, book: files.book)
    #expect(result.rowsChecked >= 57_000)
    #expect(result.rowsDisagreeing == 0, "\(result)")
  }

  private let messages = """
    34200.1,1,11,5,1000100,1
    34200.2,4,11,2,1000100,1
    34200.3,2,11,1,1000100,1
    34200.4,5,0,9,1000150,1
    34200.5,3,11,2,1000100,1
    """
  private let book = """
    1000300,7,1000100,5,1000400,8,1000000,6
    1000300,7,1000100,3,1000400,8,1000000,6
    1000300,7,1000100,2,1000400,8,1000000,6
    1000300,7,1000100,2,1000400,8,1000000,6
    1000300,7,1000000,6,1000400,8,999900,4
    """

  @Test func everyMessageMovesTheBookAsRecorded() throws {
    #expect(
      try LobsterReplay.run(messages: messages, book: book)
        == LobsterReplay.Result(rowsChecked: 4, rowsDisagreeing: 0, firstDisagreeing: []))
  }

  @Test func aRowThatDoesNotFollowDisagrees() throws {
    let wrong = book.replacingOccurrences(of: "1000100,3", with: "1000100,4")
    let result = try LobsterReplay.run(messages: messages, book: wrong)
    #expect(result.firstDisagreeing == [2])
    // A level may only be revealed at the far end.
    let revealed = book.replacingOccurrences(of: "999900,4", with: "1000050,4")
    #expect(try LobsterReplay.run(messages: messages, book: revealed).firstDisagreeing == [5])
  }

  @Test func unreadableFilesAreRefusedWithTheRow() {
    #expect(throws: ReplayError("message row 2: unknown type 9")) {
      try LobsterReplay.run(messages: messages.replacingOccurrences(of: ",4,11", with: ",9,11"), book: book)
    }
    #expect(throws: ReplayError("5 messages and 1 book rows: a row belongs to each message")) {
      try LobsterReplay.run(messages: messages, book: "1000300,7,1000100,5")
    }
  }
}
