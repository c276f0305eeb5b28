import Messaging
import Operations

/// Links between hosts, one for each direction: frames take their time, and in bad weather are lost, doubled, late or
/// out of order; a cut link loses all.
final class SimulatedNetwork {
  /// What is wrong with a link. Chances are per thousand frames; times are nanoseconds.
  struct Weather {
    var loss = 0
    var duplication = 0
    var reordering = 0
    var delay: Int64 = 0
    var cuts = 0
  }

  private struct Link {
    var weather = Weather()
    var inFlight = 0
    /// Frames arrive in order unless the weather is bad.
    var lastArrival: Int64 = 0
    var random: SeededGenerator
  }

  /// Frames on their way on one link beyond which the sender is told to wait.
  private static let capacity = 256

  private let time: SimulatedTime
  private let hosts: Int
  private var links: [Link]
  private(set) var counts = NetworkCounts()
  /// Bad weather pauses everywhere.
  var isCalm = false

  init(time: SimulatedTime, hosts: Int, seed: UInt64) {
    self.time = time
    self.hosts = hosts
    links = (0..<(hosts * hosts)).map { Link(random: SeededGenerator(seed: seed &+ UInt64($0) &* 0x9E37)) }
  }

  /// Changes the weather of one direction.
  func change(_ from: Int, _ to: Int, _ body: (inout Weather) -> Void) { body(&links[from * hosts + to].weather) }

  func heal() { for index in links.indices { links[index].weather = Weather() } }

  func isCut(_ from: Int, _ to: Int) -> Bool { !isCalm && links[from * hosts + to].weather.cuts > 0 }

  /// Sends a frame; `arrive` is called for each copy that gets through.
  func send(from: Int, to: Int, _ arrive: @escaping () -> Void) -> Socket.SendResult {
    let index = from * hosts + to
    guard links[index].inFlight < Self.capacity else { return .wouldBlock }
    counts.frames += 1
    let weather = isCalm ? Weather() : links[index].weather
    if weather.cuts > 0 {
      counts.cut += 1
      return .sent
    }
    if links[index].random.below(1_000) < weather.loss {
      counts.lost += 1
      return .sent
    }
    carry(index, weather, arrive)
    if links[index].random.below(1_000) < weather.duplication {
      counts.duplicated += 1
      carry(index, weather, arrive)
    }
    return .sent
  }

  private func carry(_ index: Int, _ weather: Weather, _ arrive: @escaping () -> Void) {
    var arrival = time.now + 40_000 + Int64(links[index].random.below(200_000))
    if weather.delay > 0 {
      counts.delayed += 1
      arrival += weather.delay / 2 + Int64(links[index].random.below(Int(weather.delay)))
    }
    if links[index].random.below(1_000) < weather.reordering {
      counts.reordered += 1
      arrival += Int64(links[index].random.below(3_000_000))
    } else {
      arrival = max(arrival, links[index].lastArrival)
      links[index].lastArrival = arrival
    }
    links[index].inFlight += 1
    time.schedule(after: arrival - time.now) { [unowned self] in
      links[index].inFlight -= 1
      // A frame on its way when the link is cut is lost with it.
      if links[index].weather.cuts > 0 { counts.cut += 1 } else { arrive() }
    }
  }
}

/// What the network did to frames.
struct NetworkCounts {
  var frames = 0
  var lost = 0
  var duplicated = 0
  var reordered = 0
  var delayed = 0
  var cut = 0
}
