/// How a machine's journal is kept.
public struct JournalConfiguration: Sendable, Hashable {
  /// Largest size of the data file, in bytes; address space, not memory or disk, until it is used.
  public var mapSize: Int
  /// From this share of the map, in percent, `Journal.needsRoom` says so.
  public var alarmPercent: Int
  /// From this share of the map, in percent, no batch is begun.
  public var refusalPercent: Int
  public init(mapSize: Int = 64 << 30, alarmPercent: Int = 70, refusalPercent: Int = 95) {
    self.mapSize = mapSize
    self.alarmPercent = alarmPercent
    self.refusalPercent = refusalPercent
  }
}
