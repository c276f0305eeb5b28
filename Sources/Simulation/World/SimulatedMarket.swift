import Cryptography
import Listing
import Market

/// The market that simulations trade: one underlying on two shards, with each kind of contract and settlement, and an
/// expiry that comes while the simulation runs.
enum SimulatedMarket {
  /// Seconds from the beginning of a simulation to its first expiry.
  static let secondsToExpiry: Int64 = 3

  /// The key of the one verifier.
  static let verifierKey = key(1)

  /// The key that a number names.
  static func key(_ number: UInt64) -> PrivateKey {
    var bytes = [UInt8](repeating: 0x42, count: 24)
    for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: number >> (56 - 8 * UInt64(shift)))) }
    guard let key = PrivateKey(bytes) else { preconditionFailure("a small number is a key") }
    return key
  }

  /// 2027-01-14 at 08:00 UTC, when the first expiry comes.
  private static let expiry = Timestamp(seconds: 1_799_913_600)
  /// When simulations begin.
  static let origin = Timestamp(seconds: expiry.seconds - secondsToExpiry)

  /// The market as it was opened the day before.
  static func listing() throws -> Listing {
    var listing = try ListingFile(text: text, name: "simulation").open(at: Timestamp(seconds: expiry.seconds - 80_000))
    listing.market.parameters.verifiers = [verifierKey.address]
    return listing
  }

  private static let text = """
    version = 1

    [parameters]
    epoch_length_ms = 500
    held_order_timeout_ms = 500
    withdrawal_timeout_s = 2
    step_bound = 16
    live_nonces = 512

    [[currencies]]
    name = "USDC"
    token = "0x6e6f766174696f6e000000000000000000000200"

    [[currencies]]
    name = "BTC"
    underlying = "BTC"
    collateral_weight_ppm = 950000
    token = "0x6e6f766174696f6e000000000000000000000201"

    [[underlyings]]
    name = "BTC"
    opening_index = 100000
    carry = 0.05
    index_volatility = 0.5

    [[underlyings.contracts]]
    kind = "perpetual"
    quoting = "linear"
    tick_size = "0.5"
    lot_size = "0.001"
    maximum_order = 100000

    [[underlyings.contracts]]
    kind = "future"
    quoting = "inverse"
    tick_size = "2.5"
    lot_size = 10
    maximum_order = 100000

    [[underlyings.contracts]]
    kind = "option"
    quoting = "linear"
    tick_size = 5
    lot_size = "0.01"
    maximum_order = 100000

    [[underlyings.contracts]]
    kind = "option"
    quoting = "coin"
    tick_size = "0.0001"
    lot_size = "0.1"
    maximum_order = 10000

    [[underlyings.expiries]]
    days = 1
    futures = ["inverse"]
    options = ["linear"]
    strikes = [100000]
    smile = { a = 0.000485, b = 0.01, rho = -0.05, m = 0, sigma = 0.02 }

    [[underlyings.expiries]]
    days = 8
    futures = ["inverse"]
    options = ["coin"]
    strikes = [100000]
    smile = { a = 0.003, b = 0.02, rho = -0.05, m = 0, sigma = 0.04 }
    """
}
