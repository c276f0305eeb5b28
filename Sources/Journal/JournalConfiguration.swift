/// How a machine's journal is kept.
public struct JournalConfiguration: Sendable, Hashable {
  /// Largest size of the data file, in bytes; address space, not memory or disk, until it is used.
  public var mapSize: Int
  /// From this share of the map, in percent, `Journal.room` is at most `low`.
  public var alarmPercent: Int
  /// With fewer bytes free than this, on disk or in the map, `Journal.room` is `full`: what a machine itself must still
  /// write fits into the rest. At least eight times the largest batch. A map smaller than eight times this keeps an
  /// eighth of itself free instead.
  public var headroomBytes: Int
  public init(mapSize: Int = 64 << 30, alarmPercent: Int = 70, headroomBytes: Int = 256 << 20) {
    self.mapSize = mapSize
    self.alarmPercent = alarmPercent
    self.headroomBytes = headroomBytes
  }

  /// Bytes of disk that the journal holds preallocated for the hour of need: room for the largest batch though another
  /// program has filled the disk.
  public var ballastBytes: Int { headroomBytes / 8 }
}
