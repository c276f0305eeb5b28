/// How much room a journal has left to grow.
public enum JournalRoom: Sendable, Hashable {
  case ample
  /// Somebody should look: the map has reached the alarm, or the disk has less than twice the headroom.
  case low
  /// New input is to be refused, and only what the machine itself must write is to be written: `reason` says what is
  /// full, and how much is left.
  case full(reason: String)

  /// Whether new input may be taken.
  public var isAccepting: Bool { if case .full = self { false } else { true } }
}

/// Decides how much room there is from what was measured. What was found full counts as full until a quarter more than
/// the headroom is free, so that it does not flutter.
struct RoomGauge {
  /// Bytes to keep free on disk, and in the map.
  let diskHeadroom: Int
  let mapHeadroom: Int
  /// Free bytes of the map from which on there is no alarm.
  private let mapAlarm: Int
  private(set) var room = JournalRoom.ample

  init(_ configuration: JournalConfiguration, mapSize: Int) {
    diskHeadroom = configuration.headroomBytes
    mapHeadroom = min(configuration.headroomBytes, mapSize / 8)
    mapAlarm = mapSize / 100 * (100 - configuration.alarmPercent)
  }

  /// - Parameters:
  ///   - mapFree: Bytes that the journal can still write within its map, freed pages included.
  ///   - diskFree: Bytes that it can still write to its file system, its ballast not included.
  mutating func measured(mapFree: Int, diskFree: Int) {
    let margin = room.isAccepting ? 4 : 5
    if diskFree < diskHeadroom / 4 * margin {
      room = .full(reason: Self.reason("disk full", diskFree, diskHeadroom))
    } else if mapFree < mapHeadroom / 4 * margin {
      room = .full(reason: Self.reason("journal map full", mapFree, mapHeadroom))
    } else {
      room = diskFree < diskHeadroom * 2 || mapFree < mapAlarm ? .low : .ample
    }
  }

  private static func reason(_ what: String, _ free: Int, _ headroom: Int) -> String {
    "\(what): \(free >> 10) KiB free, and \(headroom >> 10) KiB must stay for the machine's own needs"
  }
}
