import Bytes
import Market
import Messaging
import Wire

/// A connection to a machine, wherever its owner is: as `MachineLink`, over simulated sockets.
struct SimulatedLink {
  let machine: MachineID
  /// Hosts with a copy, and the place of the socket to each.
  private var copies: [(host: Int, socket: Int, term: Term, isOwner: Bool)]
  private var owner: Int?
  private var askedAt = Int64.min

  private static let search: Int64 = 100_000_000
  private static let check: Int64 = 1_000_000_000

  init(to machine: MachineID) {
    self.machine = machine
    copies = []
  }

  /// The machine has its copies on these hosts now. Sockets are numbered in the order in which they are made.
  mutating func follow(_ hosts: [Int], _ nextSocket: inout Int) {
    copies.removeAll { !hosts.contains($0.host) }
    for host in hosts where !copies.contains(where: { $0.host == host }) {
      copies.append((host, nextSocket, Term(0), false))
      nextSocket += 1
      // The one that was the only copy may be no owner for long.
      askedAt = .min
    }
    findOwner()
  }

  private mutating func findOwner() {
    owner = copies.indices.filter { copies[$0].isOwner }.max { copies[$0].term < copies[$1].term }
  }

  func holds(_ socket: Int) -> Bool { copies.contains { $0.socket == socket } }

  private var current: Int? { owner ?? (copies.count == 1 ? 0 : nil) }

  /// Sends to the owner; to every copy while none is known.
  func offer(_ send: (_ socket: Int, _ host: Int) -> Socket.SendResult) -> Socket.SendResult {
    if let current { return send(copies[current].socket, copies[current].host) }
    var result = Socket.SendResult.unreachable
    for copy in copies where send(copy.socket, copy.host) == .sent { result = .sent }
    return result
  }

  /// A copy says whether it owns the machine.
  /// - Returns: whether another one owns it now.
  mutating func heard(_ notice: OwnershipNotice, at socket: Int) -> Bool {
    guard notice.machine == machine, let index = copies.firstIndex(where: { $0.socket == socket }) else { return false }
    copies[index].term = notice.term
    copies[index].isOwner = notice.isOwner
    let before = owner
    findOwner()
    return owner != nil && owner != before
  }

  /// Asks who owns the machine, when it is time.
  mutating func tend(at now: Int64, _ send: (_ socket: Int, _ host: Int) -> Socket.SendResult) {
    guard copies.count > 1 else { return }
    guard askedAt == .min || now - askedAt >= (owner == nil ? Self.search : Self.check) else { return }
    askedAt = now
    for copy in copies { _ = send(copy.socket, copy.host) }
  }
}
