import Market
import Operations
import Pricing
import Wire

/// The oracle: the real pricing of a seeded walk of the index.
final class SimulatedMarks: SimulatedEdge {
  /// What it publishes goes on where the process before left off.
  struct Source {
    var calculator: MarkCalculator
    var walk: IndexWalk
    var previous: Timestamp?
  }

  private static let interval: Int64 = 250_000_000
  private let simulation: Simulation

  init(on simulation: Simulation, host: Int, incarnation: UInt32) {
    self.simulation = simulation
    super.init(
      .marks, on: simulation.cluster, host: host, incarnation: incarnation,
      peers: simulation.cluster.market.shards.map(MachineID.shard) + [.risk])
  }

  override func work() -> Int64 {
    let now = wall
    let index = simulation.marks.walk.advance(to: now)
    do throws(PricingRefusal) {
      let marks = try simulation.marks.calculator.marks(
        of: UnderlyingID(0), index: index, now: now, previous: simulation.marks.previous,
        version: UInt64(now.nanoseconds))
      Frame.write(.marks, marks.risk, in: &frame)
      send(to: .risk)
      for (shard, published) in marks.shards {
        Frame.write(.marks, published, in: &frame)
        send(to: .shard(shard))
        simulation.clients.take(published, of: shard)
      }
      simulation.marks.previous = now
    } catch {
      cluster.tell("marks: \(error)")
    }
    return Self.interval
  }
}
