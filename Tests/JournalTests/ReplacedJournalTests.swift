import Foundation
import Journal
import Market
import Testing

@Suite struct ReplacedJournalTests {
  private let directory = TemporaryDirectory()

  /// A journal that is restored, or handed over, comes as another file under the same name.
  @Test func aReaderTellsThatAnotherFileWasPutInPlaceAndTheNextOneReadsThat() throws {
    do {
      let journal = try Journal(directory: directory.path, machine: .risk)
      try journal.appendBatch(3)
    }
    let reader = try JournalReader(directory: directory.path, machine: .risk)
    #expect(reader.isCurrent)
    let manager = FileManager.default
    try manager.copyItem(atPath: "\(directory.path)/data.mdb", toPath: "\(directory.path)/copy")
    try manager.removeItem(atPath: "\(directory.path)/data.mdb")
    try manager.moveItem(atPath: "\(directory.path)/copy", toPath: "\(directory.path)/data.mdb")
    let journal = try Journal(directory: directory.path, machine: .risk)
    try journal.appendBatch(4)
    #expect(!reader.isCurrent)
    let next = try JournalReader(directory: directory.path, machine: .risk)
    #expect(next.isCurrent)
    #expect(try next.lastSequence() == SequenceNumber(7))
  }
}
