import Foundation
import Market

/// What the cluster's clients say they were told: every acknowledgement in their own logs, in order of machine,
/// sequence and term.
package struct ClientEvidence {
  struct Acknowledgement {
    var machine: MachineID
    var sequence: SequenceNumber
    var term: Term
    var account: AccountID
    var key: KeyID
    var nonce: UInt64
    var isRepeated: Bool
    /// Place of its results in `results`.
    fileprivate var first: Int
    fileprivate var count: Int
  }

  private(set) var acknowledgements: [Acknowledgement] = []
  private var results: [ActionReply.Result] = []

  package init() {}

  /// What clients were told, in any order.
  package init(_ replies: [ActionReply]) {
    for reply in replies { append(reply) }
    acknowledgements.sort { ($0.machine, $0.sequence, $0.term) < ($1.machine, $1.sequence, $1.term) }
  }

  /// Reads every `*.log` in `directory`; a directory that is not there holds none.
  init(directory: String) throws {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    for name in names.sorted() where name.hasSuffix(".log") {
      try ClientLog.read(path: "\(directory)/\(name)") { record in
        if case .acknowledged(let reply) = record { append(reply) }
      }
    }
    acknowledgements.sort { ($0.machine, $0.sequence, $0.term) < ($1.machine, $1.sequence, $1.term) }
  }

  private mutating func append(_ reply: ActionReply) {
    acknowledgements.append(
      Acknowledgement(
        machine: reply.machine, sequence: reply.sequence, term: reply.term, account: reply.account, key: reply.key,
        nonce: reply.nonce, isRepeated: reply.isRepeated, first: results.count, count: reply.results.count))
    results += reply.results
  }

  func results(of acknowledgement: Acknowledgement) -> ArraySlice<ActionReply.Result> {
    results[acknowledgement.first..<(acknowledgement.first + acknowledgement.count)]
  }

  /// The acknowledgements of one machine's journal, in order of sequence.
  func range(of machine: MachineID) -> Range<Int> {
    let first = acknowledgements.partitioningIndex { $0.machine >= machine }
    let end = acknowledgements.partitioningIndex { $0.machine > machine }
    return first..<end
  }
}

extension Array {
  /// The first place whose element satisfies `belongsAfter`, which all later ones do too.
  fileprivate func partitioningIndex(_ belongsAfter: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if belongsAfter(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
