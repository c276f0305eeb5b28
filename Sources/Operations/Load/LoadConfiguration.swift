import Market

/// What a load generator drives.
public struct LoadConfiguration: Sendable {
  /// Orders (operations) a second, offered open loop: at their intended times, whatever the exchange does.
  public var rate = 1_000
  /// Operations under one signature; they are due together.
  public var batch = 32
  /// Accounts that trade.
  public var accounts = 64
  /// Open orders that an account may have in a shard before it cancels instead of placing more.
  public var maximumOpen = Workload.maximumOpen
  public var mix = LoadMix.standard
  public var seed: UInt64 = 1
  /// Accounts that quote set market-maker protection first: coins that their quotes may trade in a second.
  public static let protectedQuantity = Quantity(whole: 1_000)
  /// The measured window.
  public var seconds = 10.0
  /// Load before it, not measured.
  public var warmup = 2.0
  /// Validity of a signature; actions still unanswered then are given up.
  public var signatureSeconds: UInt64 = 30
  /// An unanswered action is sent again, byte for byte, after this long.
  public var resendSeconds = 2.0
  /// After the window, how long to wait for answers.
  public var drainSeconds = 10.0
  /// Only this shard is driven; all of them without it.
  public var onlyShard: Int?
  /// File for what was answered, slice by slice of time.
  public var timelinePath: String?
  public var timelineSliceMilliseconds = 100
  public init() {}
}
