import Bytes
import Logging
import Machine
import Market
import Wire

#if NOVATION_PLANT
  import Synchronization
#endif

/// The clock that inputs are stamped by, held against those of the machines that this one listens to.
extension HostCore where M: ~Copyable {
  /// Asks the sources what their clocks say, a few times a second, and draws the conclusion from what they have said.
  func tendClock() {
    let now = world.monotonic()
    if now >= askClocksAt {
      askClocksAt = now + configuration.clockNanoseconds
      for index in role.sources.indices {
        Frame.write(.askTime, ClockReading(asked: sequencer.clockReading, stamp: .zero), in: &frame)
        _ = world.send(frame.bytes, toSource: index)
      }
    }
    judgeClock(at: now)
  }

  /// A peer asks what this machine's clock says; whoever owns the machine.
  func answerTime(_ body: inout ByteReader, _ identity: [UInt8], _ name: String) {
    let question = ClockReading(from: &body)
    guard body.isExhausted else { return refuse(name, "a question for the time") }
    Frame.write(.time, ClockReading(asked: question.asked, stamp: sequencer.clockReading), in: &frame)
    _ = world.send(frame.bytes, to: identity)
  }

  /// What a source's clock says.
  func heardTime(_ body: inout ByteReader, fromSource index: Int) {
    let answer = ClockReading(from: &body)
    guard body.isExhausted else { return }
    peerClocks.heard(
      index, answer.stamp, asked: answer.asked, own: sequencer.clockReading, at: world.monotonic())
  }

  private func judgeClock(at now: Int64) {
    let behind = peerClocks.behind(at: now)
    if behind > configuration.clockToleranceNanoseconds {
      // Stamps never fall, so going on is always safe; a stamp that is late would make others take it for silence.
      log.notice("clock set forward", metadata: ["machine": "\(id)", "milliseconds": "\(behind / 1_000_000)"])
      sequencer.advanceClock(by: behind)
      peerClocks.forget()
    }
    let ahead = believesItsClock ? 0 : peerClocks.ahead(at: now)
    guard ahead > configuration.clockLimitNanoseconds else {
      clockAheadSince = nil
      return
    }
    if clockAheadSince == nil { clockAheadSince = now }
    guard reign == .owner || isHandingOver, now - clockAheadSince! > configuration.clockPatienceNanoseconds else {
      return
    }
    attempt("comparing clocks") { throw ReignError.clockAhead(id, by: ahead, of: role.sources) }
  }

  private var believesItsClock: Bool {
    #if NOVATION_PLANT
      HostFaults.believesClocks.load(ordering: .relaxed)
    #else
      false
    #endif
  }

  /// Nothing is stamped: the clock is known to be ahead, or, at the beginning of a reign, not known to be right.
  var isClockDoubtful: Bool {
    if clockAheadSince != nil { return true }
    guard clockUntil != 0 else { return false }
    let now = world.monotonic()
    // A copy that followed has held its clock against its peers' all along.
    let wanted = followedTerm == Term(0) ? (role.sources.count + 1) / 2 : min(1, role.sources.count)
    guard now >= clockUntil || peerClocks.count(at: now) >= wanted else { return true }
    let waited = (now - clockUntil + configuration.consumerNanoseconds) / 1_000_000
    clockUntil = 0
    if waited > Self.notableMilliseconds {
      log.info(
        "waited for peers' clocks",
        metadata: [
          "machine": "\(id)", "milliseconds": "\(waited)",
          "heard": "\(peerClocks.count(at: now)) of \(role.sources.count)",
        ])
    }
    return false
  }

  private static var notableMilliseconds: Int64 { 20 }

  /// Nothing is taken or stamped yet.
  var isHeldBack: Bool { isAwaitingConsumers || isClockDoubtful }
}
