import Authority
import Bytes
import Cryptography
import Journal
import Logging
import Machine
import Market
import Messaging
import Wire

/// The standby's side of replication: it applies and keeps what the owner sends, batch by batch, and says so.
extension HostCore where M: ~Copyable {
  /// One frame of a copy that takes itself for the owner.
  func receive(_ kind: FrameKind, _ body: inout ByteReader, fromOwnerOn node: String, _ identity: [UInt8]) {
    guard reign == .standby, !isEnding else { return }
    switch kind {
    case .copiedBatch:
      guard let batch = CopiedBatch(from: &body) else { return }
      take(batch, node, identity)
    case .commonGround:
      let ground = CommonGround(from: &body)
      if body.isExhausted { cut(to: ground, node) }
    case .snapshotOffer: consider(&body)
    case .snapshotPart:
      if let part = SnapshotPart(from: &body) { take(part) }
    case .owedMessages: take(OwedMessages(from: &body), &body)
    case .handOver:
      guard record?.inSync.contains(nodeName) == true else { return }
      wasHandedOver = true
      decide()
    default: return
    }
  }

  private func position(in term: Term) -> CopyPosition {
    CopyPosition(
      machine: id, node: nodeName, term: term, sequence: durable.sequence, chainHead: durable.chainHead,
      echo: lastAsked)
  }

  private func take(_ copied: CopiedBatch, _ node: String, _ identity: [UInt8]) {
    // A former owner may still speak.
    guard copied.term >= max(record?.term ?? Term(0), followedTerm) else { return }
    let isNew = ownerIdentity != identity || followedTerm != copied.term
    followedTerm = copied.term
    lastAsked = copied.asked
    ownerIdentity = identity
    // What is being written is waited for: only then is it known where this journal ends.
    if isNew { mustAskToFollow = true }
    guard !isAdopting else { return }
    askToFollow()
    guard !mustAskToFollow else { return }
    if let own = recentLinks.first(where: { $0.sequence == copied.durable }), own.link != copied.durableLink {
      return attempt("following") { throw ReignError.diverged(id, at: copied.durable, from: node) }
    }
    if intake != nil {
      // Signs of life go on meanwhile; entries that fit say that it may go without.
      guard !copied.entries.isEmpty, copied.after == sequencer.lastSequence else { return }
      dropIntake()
    }
    guard !copied.entries.isEmpty else {
      if copied.after > sequencer.lastSequence { mustAskToFollow = true }
      acknowledgeOwner()
      return askToFollow()
    }
    guard copied.after == sequencer.lastSequence else {
      if copied.after > sequencer.lastSequence { mustAskToFollow = true }
      return askToFollow()
    }
    attempt("following") {
      var reader = ByteReader(copied.entries)
      while reader.remaining > 0 {
        let entry = reader.blob()
        guard !reader.hasFailed else { throw RuntimeError.malformedBatch(id, after: copied.after, from: node) }
        try sequencer.follow(entry)
        inputs += 1
      }
      let batch = sequencer.close()
      batch.trims = copied.trims
      closed.append(batch)
      world.write(batch)
    }
  }

  /// Tells the owner where this journal ends; it goes on from there.
  func askToFollow() {
    guard mustAskToFollow, closed.isEmpty, !isAdopting, let ownerIdentity else { return }
    mustAskToFollow = false
    Frame.write(.follow, position(in: followedTerm), in: &frame)
    _ = world.send(frame.bytes, to: ownerIdentity)
  }

  /// Says what is durable here: the owner's fence.
  private func acknowledgeOwner() {
    guard reign == .standby, let ownerIdentity else { return }
    Frame.write(.followed, position(in: followedTerm), in: &frame)
    _ = world.send(frame.bytes, to: ownerIdentity)
  }

  /// A batch that was followed is durable.
  func followedBatchIsDurable() {
    while let batch = closed.first, batch.isDurable {
      closed.removeFirst()
      recentLinks.append(CommonGround.Link(sequence: batch.position.sequence, link: batch.position.chainHead))
      sequencer.reuse(batch)
    }
    if recentLinks.count > Self.recentLinkLimit {
      recentLinks.removeFirst(recentLinks.count - Self.recentLinkLimit / 2)
    }
    if !mustAskToFollow { acknowledgeOwner() }
    askToFollow()
    assumeOwnership()
  }

  private static var recentLinkLimit: Int { 512 }

  /// The own journal has an end that the owner's has not, of inputs that nobody was told of: it goes.
  private func cut(to ground: CommonGround, _ node: String) {
    guard ground.term >= max(record?.term ?? Term(0), followedTerm), closed.isEmpty else { return }
    attempt("following") {
      for link in ground.links where try world.link(endingAt: link.sequence) == link.link {
        guard link.sequence < durable.sequence else { return }
        try world.cutJournal(after: link.sequence)
        throw ReignError.cut(id, after: link.sequence)
      }
      throw ReignError.noCommonGround(id, with: node)
    }
  }
}
