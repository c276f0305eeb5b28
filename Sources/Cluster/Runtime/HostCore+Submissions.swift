import Bytes
import Journal
import Logging
import Machine
import Market
import Messaging
import Wire

/// Signed actions on their way into the journal.
extension HostCore where M: ~Copyable {
  /// Most frames of actions that wait for the consumers to be heard.
  private static var heldLimit: Int { 1_024 }

  /// Takes the actions of one frame, each of which a gateway has checked.
  func submit(_ body: inout ByteReader, _ identity: [UInt8]) {
    if isHeldBack {
      if heldSubmissions.count < Self.heldLimit {
        heldSubmissions.append((identity, [UInt8](body.bytes(body.remaining))))
      }
      return
    }
    let room = world.room
    let peer = sequencer.open.peer(identity)
    while body.remaining > 0 {
      let action = body.blob()
      guard !body.hasFailed else { return refuse("a gateway", "a malformed submission") }
      if case .full(let reason) = room, !Self.onlyCancels(action) {
        refuse(action, reason, identity)
        continue
      }
      sequencer.open.origins.append((append(.action, action), peer))
      sessions?.saw(action)
    }
  }

  /// Takes what came while consumers had not been heard.
  func takeHeldSubmissions() {
    guard !heldSubmissions.isEmpty else { return }
    let held = heldSubmissions
    heldSubmissions.removeAll()
    for (identity, bytes) in held {
      bytes.withUnsafeBytes { bytes in
        var body = ByteReader(bytes)
        submit(&body, identity)
      }
    }
  }

  /// Tells the gateway that an action was not taken, and never reached the journal.
  private func refuse(_ action: UnsafeRawBufferPointer, _ reason: String, _ identity: [UInt8]) {
    var reader = ByteReader(action)
    let header = SignedActionHeader(from: &reader)
    guard !reader.hasFailed else { return }
    refusedForRoom += 1
    let refusal = Refusal(
      account: header.account, key: header.key, nonce: header.nonce, outcome: .shardUnavailable,
      retryAfterMilliseconds: configuration.roomRetryMilliseconds, reason: "shard not accepting: \(reason) (\(id))")
    Frame.write(.refusal, refusal, in: &frame)
    _ = world.send(frame.bytes, to: identity)
  }

  /// What takes nothing but orders away is taken as long as there is any room.
  private static func onlyCancels(_ action: UnsafeRawBufferPointer) -> Bool {
    var reader = ByteReader(action)
    let header = SignedActionHeader(from: &reader)
    guard !reader.hasFailed, header.operationCount > 0,
      reader.remaining == Int(header.operationCount) * Operation.byteCount
    else { return false }
    let operations = reader.bytes(reader.remaining)
    return (0..<Int(header.operationCount)).allSatisfy { index in
      let operation = operations.loadUnaligned(fromByteOffset: index * Operation.byteCount, as: Operation.self)
      return operation.kind == .cancel || operation.kind == .cancelAll
    }
  }
}
