import Bytes
import Machine
import Market
import Wire

/// Knows, at a shard, which gateways live, and ends the sessions of one that does not: when it has been silent for too
/// long, or when a new process speaks in its name. What it says is over becomes input of the machine, in the journal
/// like all others.
///
/// It says so twice: an order that waited for credit, or for another to finish, when its session ended would come to
/// rest after the first.
public struct SessionWatch: Sendable {
  /// Nanoseconds.
  public struct Times: Sendable, Hashable {
    /// A gateway silent for so long is gone.
    public var silence: Int64
    /// Until the second time: no order waits for longer.
    public var linger: Int64
    public init(silence: Int64, linger: Int64) {
      self.silence = silence
      self.linger = linger
    }
  }

  private struct Gateway {
    let machine: MachineID
    var heardAt: Int64
    /// `nil` until it is heard.
    var incarnation: UInt64?
    var isGone = false
    /// Places below this one may have orders here; of those, places below `seen` since the last ends.
    var places: UInt16
    var seen: UInt16 = 0
    var again: (at: Int64, generation: UInt64)?

    /// The ends of all sessions up to a generation.
    func ends(through generation: UInt64) -> [SessionEnd] {
      (0..<places).map {
        SessionEnd(session: SessionName(gateway: machine.index, place: $0).rawValue, generation: generation)
      }
    }
  }

  private let times: Times
  private var gateways: [Gateway]
  /// When it was last asked what is due.
  private var askedAt: Int64

  /// - Parameter isFresh: the machine has only begun. Any other may hold orders of sessions that nobody remembers.
  public init(gateways: [MachineID], times: Times, now: Int64, isFresh: Bool) {
    self.times = times
    askedAt = now
    self.gateways = gateways.map {
      Gateway(machine: $0, heardAt: now, places: isFresh ? 0 : SessionName.mostPlaces)
    }
  }

  /// An encoded `SignedAction` was journalled.
  @inline(__always) mutating func saw(_ action: UnsafeRawBufferPointer) {
    guard action.count >= SignedActionHeader.byteCount else { return }
    let session = action.loadUnaligned(fromByteOffset: SignedActionHeader.sessionOffset, as: UInt64.self)
    if session != 0 { saw(UInt64(littleEndian: session)) }
  }

  /// An action of the session was journalled.
  mutating func saw(_ session: UInt64) {
    guard let name = SessionName(rawValue: session),
      let index = gateways.firstIndex(where: { $0.machine == MachineID(.gateway, name.gateway) })
    else { return }
    gateways[index].seen = max(gateways[index].seen, name.place + 1)
    gateways[index].places = max(gateways[index].places, name.place + 1)
  }

  /// A gateway lives; what an earlier process of that name had is over.
  mutating func heard(_ heartbeat: GatewayHeartbeat, at now: Int64) -> [SessionEnd] {
    guard let index = gateways.firstIndex(where: { $0.machine == heartbeat.gateway }) else { return [] }
    gateways[index].heardAt = now
    let wasGone = gateways[index].isGone
    gateways[index].isGone = false
    guard gateways[index].incarnation != heartbeat.incarnation else {
      // It only could not be heard: what its sessions have sent since is theirs to keep.
      if wasGone { gateways[index].again = nil }
      return []
    }
    gateways[index].incarnation = heartbeat.incarnation
    return end(index, through: heartbeat.incarnation &- 1, at: now)
  }

  /// Whose time is over by now.
  mutating func due(at now: Int64) -> [SessionEnd] {
    var ends: [SessionEnd] = []
    // Who did not look for a while cannot say who was silent meanwhile.
    let missed = now - askedAt
    askedAt = now
    for index in gateways.indices {
      if missed > times.silence / 4 { gateways[index].heardAt += missed }
      if !gateways[index].isGone, now - gateways[index].heardAt > times.silence {
        gateways[index].isGone = true
        ends += end(index, through: .max, at: now)
      }
      if let again = gateways[index].again, now >= again.at {
        gateways[index].again = nil
        ends += gateways[index].ends(through: again.generation)
        gateways[index].places = gateways[index].seen
      }
    }
    return ends
  }

  private mutating func end(_ index: Int, through generation: UInt64, at now: Int64) -> [SessionEnd] {
    guard gateways[index].places > 0 else { return [] }
    gateways[index].seen = 0
    gateways[index].again = (now + times.linger, generation)
    return gateways[index].ends(through: generation)
  }
}
