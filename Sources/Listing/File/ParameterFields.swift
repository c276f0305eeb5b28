import Bytes
import Market
import Pricing

extension MarketParameters {
  /// The `[parameters]` table: every field optional, with the unit last in its name. `nil` gives the defaults.
  init(reading section: Section?) throws(ListingError) {
    self.init()
    verifyingContract = LocalAddress.verifyingContract
    tradeModule = LocalAddress.tradeModule
    batchModule = LocalAddress.batchModule
    withdrawalModule = LocalAddress.withdrawalModule
    guard var section else { return }
    func count(_ key: String, _ value: UInt32, _ range: ClosedRange<Int64>) throws(ListingError) -> UInt32 {
      UInt32(try section.integer(key, default: Int64(value), in: range))
    }
    func milliseconds(
      _ key: String, _ value: Interval, _ range: ClosedRange<Int64>
    ) throws(ListingError) -> Interval {
      .milliseconds(try section.integer(key, default: value.nanoseconds / 1_000_000, in: range))
    }
    func seconds(_ key: String, _ value: Interval, _ range: ClosedRange<Int64>) throws(ListingError) -> Interval {
      .seconds(try section.integer(key, default: value.nanoseconds / 1_000_000_000, in: range))
    }
    makerFee = try count("maker_fee_ppm", makerFee, 0...100_000)
    takerFee = try count("taker_fee_ppm", takerFee, 0...100_000)
    heartbeatLapse = try milliseconds("heartbeat_lapse_ms", heartbeatLapse, 100...600_000)
    heartbeatInterval = try milliseconds("heartbeat_interval_ms", heartbeatInterval, 10...60_000)
    heldOrderTimeout = try milliseconds("held_order_timeout_ms", heldOrderTimeout, 1...60_000)
    heldOrdersPerAccount = try count("held_orders_per_account", heldOrdersPerAccount, 1...65_536)
    openOrdersPerAccount = try count("open_orders_per_account", openOrdersPerAccount, 1...10_000_000)
    liveNonces = try count("live_nonces", liveNonces, 16...16_777_216)
    signatureLifetime = try seconds("signature_lifetime_s", signatureLifetime, 1...31_536_000)
    stepBound = try count("step_bound", stepBound, 16...1_000_000)
    epochLength = try milliseconds("epoch_length_ms", epochLength, 50...3_600_000)
    haltAfterEpochs = try count("halt_after_epochs", haltAfterEpochs, 2...1_000_000)
    initialMarginFactor = try count("initial_margin_factor_ppm", initialMarginFactor, 100_000...10_000_000)
    maintenanceMarginFactor = try count(
      "maintenance_margin_factor_ppm", maintenanceMarginFactor, 100_000...10_000_000)
    liquidationBand = try count("liquidation_band_ppm", liquidationBand, 0...900_000)
    withdrawalTimeout = try seconds("withdrawal_timeout_s", withdrawalTimeout, 1...86_400)
    queuedOperations = try count("queued_operations", queuedOperations, 1...1_000_000)
    indicativeInterval = try milliseconds("indicative_interval_ms", indicativeInterval, 10...60_000)
    operatorAddress = try section.address("operator_address", default: operatorAddress)
    attestationQuorum = UInt16(try count("attestation_quorum", UInt32(attestationQuorum), 1...1_024))
    chainID = UInt64(try section.integer("chain_id", default: Int64(chainID), in: 1...Int64.max))
    verifyingContract = try section.address("verifying_contract", default: verifyingContract)
    tradeModule = try section.address("trade_module", default: tradeModule)
    batchModule = try section.address("batch_module", default: batchModule)
    withdrawalModule = try section.address("withdrawal_module", default: withdrawalModule)

    guard maintenanceMarginFactor <= initialMarginFactor else {
      throw section.refusal(
        "maintenance_margin_factor_ppm", "must not exceed initial_margin_factor_ppm, \(initialMarginFactor)",
        value: "\(maintenanceMarginFactor)")
    }
    guard heartbeatInterval < heartbeatLapse else {
      throw section.refusal(
        "heartbeat_interval_ms", "must be shorter than heartbeat_lapse_ms",
        value: "\(heartbeatInterval.nanoseconds / 1_000_000)")
    }
    guard tradeModule != batchModule, tradeModule != withdrawalModule, batchModule != withdrawalModule else {
      throw section.refusal("batch_module", "the three modules must have three addresses", value: "\(batchModule)")
    }
    try section.finish()
  }
}

extension MarkSettings {
  /// The `[marks]` table: every field optional. `nil` gives the defaults.
  init(reading section: Section?) throws(ListingError) {
    self.init()
    guard var section else { return }
    futureBand = try section.number("future_band", default: futureBand, in: 0.000_1...0.9)
    optionBand = try section.number("option_band", default: optionBand, in: 0.000_1...10)
    optionBandOfIndex = try section.number("option_band_of_index", default: optionBandOfIndex, in: 0.000_1...1)
    shortOptionContingency = try section.number(
      "short_option_contingency", default: shortOptionContingency, in: 0.005...1)
    try section.finish()
  }
}
