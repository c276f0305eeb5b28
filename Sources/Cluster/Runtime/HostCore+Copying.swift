import Authority
import Bytes
import Journal
import Machine
import Market
import Messaging
import Wire

/// The owner's side of giving a copy a snapshot: it offers, and answers what is asked. It keeps no record of how far
/// the copy has come, only that it must not lose what the copy will ask for next.
extension HostCore where M: ~Copyable {
  /// Bytes of owed messages in one answer, about.
  private static var owedBytes: Int { 256 << 10 }
  /// Most parts that one request gets.
  private static var partsPerRequest: UInt32 { 64 }
  /// A copy that asked for nothing for so long has given up.
  private static var receiverSilenceNanoseconds: Int64 { 30_000_000_000 }

  /// Offers the newest snapshot that everybody may know of to a copy whose journal ends with `sequence`.
  /// - Returns: false if there is none that is later.
  func offerSnapshot(to node: String, after sequence: SequenceNumber) throws -> Bool {
    guard let offer = try world.newestSnapshot(), offer.position.sequence > sequence,
      offer.position.sequence <= released
    else { return false }
    Frame.begin(.snapshotOffer, in: &frame)
    sequencer.term.write(to: &frame)
    offer.write(to: &frame)
    _ = world.send(frame.bytes, toCopyOn: node)
    receivers.removeAll { $0.node == node }
    receivers.append(Receiver(node: node, sequence: offer.position.sequence, heardAt: world.monotonic()))
    return true
  }

  /// A copy asks for a part of what it was offered.
  func answer(_ request: CopyRequest) {
    attempt("reading a snapshot for a standby") {
      guard let receiver = receivers.firstIndex(where: { $0.node == request.node }),
        receivers[receiver].sequence == request.sequence
      else {
        // Offered by another owner, or by this one in another life.
        _ = try offerSnapshot(to: request.node, after: SequenceNumber(0))
        return
      }
      receivers[receiver].heardAt = world.monotonic()
      if request.consumer == .none { try sendParts(request) } else { try sendOwed(request) }
    }
  }

  private func sendParts(_ request: CopyRequest) throws {
    for part in 0..<min(request.partCount, Self.partsPerRequest) {
      let number = request.firstPart &+ part
      guard let bytes = try world.snapshotPart(of: request.sequence, number) else {
        // It is not kept any more: there are newer ones.
        _ = try offerSnapshot(to: request.node, after: SequenceNumber(0))
        return
      }
      Frame.begin(.snapshotPart, in: &frame)
      bytes.withUnsafeBytes { bytes in
        SnapshotPart(term: sequencer.term, sequence: request.sequence, part: number, bytes: bytes).write(to: &frame)
      }
      guard world.send(frame.bytes, toCopyOn: request.node) == .sent else { return }
    }
  }

  private func sendOwed(_ request: CopyRequest) throws {
    var chunks: [OwedChunk] = []
    var bytes = 0
    var isLast = true
    try world.forEachOutbox(destination: request.consumer, from: request.firstNumber) { chunk in
      guard chunk.lastNumber <= request.lastNumber else { return false }
      guard bytes < Self.owedBytes else {
        isLast = false
        return false
      }
      chunks.append(OwedChunk(chunk))
      bytes += chunk.messages.count
      return true
    }
    Frame.write(
      .owedMessages,
      OwedMessages(
        term: sequencer.term, consumer: request.consumer, firstNumber: request.firstNumber, isLast: isLast),
      in: &frame)
    for chunk in chunks { chunk.write(to: &frame) }
    _ = world.send(frame.bytes, toCopyOn: request.node)
  }

  /// Tells what of the journal other copies will still ask for.
  func tellNeeds() {
    let now = world.monotonic()
    receivers.removeAll { now - $0.heardAt > Self.receiverSilenceNanoseconds }
    var needs = followers.map { Retention.Need("standby \($0.node)", through: $0.acknowledged) }
    needs += receivers.map { Retention.Need("standby \($0.node)", through: $0.sequence) }
    for node in fencing where !needs.contains(where: { $0.name == "standby \(node)" }) {
      // In sync, and not heard of since this reign began.
      needs.append(Retention.Need("standby \(node)", through: SequenceNumber(0)))
    }
    world.copiesNeed(needs)
  }
}
