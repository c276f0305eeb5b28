extension ScenarioTables {
  /// Cases of refusals.
  static let refusals = ScenarioCase.parse(
    "refusals",
    """
    # sides, types and flags that do not exist
    A buy 1 @ 100 raw=side:2 -> malformed
    A buy 1 @ 100 raw=type:7 -> unsupportedCombination
    A buy 1 @ 100 raw=force:5 -> unsupportedCombination
    A buy 1 @ 100 raw=flags:256 -> unsupportedCombination
    A buy 1 @ 100 raw=stp:5 -> unsupportedCombination
    A buy 1 @ 100 raw=reserved:1 -> unsupportedCombination
    A buy 1 @ 100 raw=index:1 -> unsupportedCombination
    A buy 1 @ 100 raw=source:1 -> unsupportedCombination
    A buy 1 @ 100 raw=trigger:100 -> unsupportedCombination
    A buy 1 @ 100 raw=flags:32 -> unsupportedCombination
    A buy 1 @ 100 raw=flags:128 -> unsupportedCombination
    A buy 1 @ 100 raw=flags:64 -> unsupportedCombination
    A buy 1 @ 100 raw=kind:6 -> malformed
    A buy 1 @ 100 raw=kind:13 -> malformed
    A buy 1 @ 100 gtd=5 raw=expiry:0 -> unsupportedCombination
    A buy 1 @ 100 raw=expiry:1700000009 -> unsupportedCombination

    # minimum and display do not go with everything
    A buy 5 @ 100 min=3 fok -> unsupportedCombination
    A buy 5 @ 100 min=3 post -> unsupportedCombination
    A buy 5 @ 100 raw=flags:8 -> unsupportedCombination
    A buy 5 @ 100 show=-1 -> unsupportedCombination
    A buy 5 @ 100 show=2 ioc -> unsupportedCombination
    A buy 5 @ 100 show=2 fok -> unsupportedCombination
    A buy 5 @ 100 show=2 reduce -> unsupportedCombination
    A buy 5 @ 100 show=2.5 -> quantityOffLot
    A buy 5 @ 100 show=6 -> quantityOutOfRange
    A buy 5 @ 100 min=6 -> quantityOutOfRange

    # instruments
    A buy 1 @ 100 E -> wrongShard
    A buy 1 @ 100 77 -> unknownInstrument
    A cancel #none 77 -> unknownInstrument
    A cancelall 77 -> unknownInstrument
    A cancelall E -> wrongShard
    A amend #none 1 E -> wrongShard

    # prices
    A buy 1 @ -1 -> priceOutOfRange
    A buy 1 @ 100.5 -> priceOffTick
    A buy 1 @ 4194304 -> priceOutOfRange
    A buy 1 @ 151 -> outsideBand
    A sell 1 @ 49 -> outsideBand
    A buy 2 @ 0 I -> priceOutOfRange
    A buy 1 @ 100 raw=price:9223372036854775807 -> priceOffTick

    # prices of a tick table
    A buy 1 @ 99 T -> resting
    A buy 1 @ 101 T -> priceOffTick
    A buy 1 @ 102 T -> resting
    A buy 1 @ 118 T -> resting
    A buy 1 @ 122 T -> priceOffTick
    A buy 1 @ 130 T -> resting

    # a market order's edge lies on the tick table
    marks 100 high=129 low=61 -> nothing
    A sell 1 @ 120 T -> resting
    A sell 1 @ 128 T -> priceOffTick
    A sell 1 @ 61 Q -> resting
    B buy 5 market T -> residualCancelled 1 | trade A 1@120
    B sell 5 market Q -> residualCancelled

    # quantities
    A buy 0 @ 100 -> quantityOutOfRange
    A buy -1 @ 100 -> quantityOutOfRange
    A buy 1.5 @ 100 -> quantityOffLot
    A buy 1001 @ 100 -> quantityOutOfRange
    A buy 1000 @ 100 -> resting
    A buy 1 @ 100 I -> quantityOutOfRange
    A buy 2 @ 100 I -> resting
    A buy 51 @ 100 I -> quantityOutOfRange

    # quantities at Int64 limits never overflow
    A buy 1 @ 100 raw=quantity:9223372036854775807 -> quantityOffLot
    A buy 1 @ 100 raw=quantity:9223372036800000000 -> quantityOutOfRange
    A buy 1 @ 100 raw=quantity:-9223372036854775808 -> quantityOutOfRange
    A buy 1 @ 100 raw=display:9223372036854775807 -> quantityOffLot
    A buy 1 @ 100 raw=display:-9223372036854775808 -> unsupportedCombination
    A buy 1 @ 100 stop=110 raw=trigger:9223372036854775807 -> armed
    A buy 1 market trail=3 raw=trigger:9223372036854775807 -> armed
    A sell 1 market trail=3 raw=trigger:9223372036854775807 -> armed
    A buy 1 @ 100 raw=price:-9223372036854775808 -> priceOutOfRange

    # who may act
    A buy 1 @ 100 forged -> wrongSigner
    A buy 1 @ 100 expires=-1 -> expired
    A buy 1 @ 100 expires=9999999 -> expiryTooFar
    A buy 1 @ 100 expires=0 -> resting
    op buy 1 @ 100 -> notAuthorised
    op cancelall all -> notAuthorised
    A halt P -> notAuthorised
    A kill B -> unsupportedCombination

    # an account opens with its first credit
    with credit=0
    A buy 1 @ 100 -> unknownAccount
    credit A 1000 -> took A 1000 used 0
    A buy 1 @ 100 -> resting

    # the signer of a trade bounds its fee
    with taker=10000
    A buy 1 @ 100 fee=0.99 -> feeAboveMaximum
    A buy 1 @ 100 fee=1 -> resting
    A buy 1 market fee=1.49 -> feeAboveMaximum
    A buy 1 market fee=1.5 -> residualCancelled

    # live signatures are bounded, the last sixteenth is for cancels
    with nonces=16
    A buy 1 @ 160 -> outsideBand
    A buy 1 @ 160 -> outsideBand
    A buy 1 @ 160 -> outsideBand
    A buy 1 @ 160 -> outsideBand
    A buy 1 @ 160 -> outsideBand
    A buy 1 @ 160 -> outsideBand
    A buy 1 @ 160 -> outsideBand
    A buy 1 @ 160 -> outsideBand
    A buy 1 @ 160 -> outsideBand
    A buy 1 @ 160 -> outsideBand
    A buy 1 @ 160 -> outsideBand
    A buy 1 @ 160 -> outsideBand
    A buy 1 @ 160 -> outsideBand
    A buy 1 @ 160 -> outsideBand
    A buy 1 @ 160 -> outsideBand
    A buy 1 @ 65 -> tooManyLiveNonces
    A cancelall all -> cancelled
    A cancelall all -> tooManyLiveNonces
    wait 61000 -> nothing
    A buy 1 @ 65 -> resting

    # open orders are bounded, armed stops among them
    with open=2
    A buy 1 @ 90 -> resting
    A buy 1 @ 110 stop=110 -> armed
    A buy 1 @ 91 -> tooManyOpenOrders
    A buy 1 @ 110 stop=110 -> tooManyOpenOrders
    A buy 1 @ 91 ioc -> residualCancelled
    A buy 1 market -> residualCancelled
    B buy 1 @ 91 -> resting

    # risk's silence, then the marks'
    with lapse=2000
    A buy 1 @ 90 #a -> resting
    later 2001
    A buy 1 @ 90 -> riskSilent
    beat -> nothing
    A buy 1 @ 90 -> marksSilent
    A cancel #a -> cancelled
    marks 100 -> nothing
    A buy 1 @ 90 -> resting

    # an instrument without a mark
    A buy 1 @ 90 #a -> resting
    marks 100 without=P -> nothing
    A buy 1 @ 90 -> marksMissing
    A buy 1 @ 90 Q -> resting
    A cancel #a -> cancelled
    marks 100 -> nothing
    A buy 1 @ 90 -> resting

    # a halt of risk refuses orders but not cancels
    A buy 2 @ 90 #a -> resting
    stop-all -> nothing
    A buy 1 @ 90 -> halted
    A amend #a 1 -> amended
    A cancel #a -> cancelled
    go-on -> nothing
    A buy 1 @ 90 -> resting

    # an expired instrument refuses orders but not cancels
    A buy 2 @ 90 F #a -> resting
    later 10000
    A buy 2 @ 90 F -> instrumentExpired
    A cancel #a F -> cancelled

    # one action's operations stand alone
    A buy 1 @ 90 ; sell 0 @ 120 ; sell 2 @ 120 Q ; cancel #none -> resting, quantityOutOfRange, resting, unknownOrder
    book -> 1@90 / none

    # fees round up
    with maker=1 taker=1
    A sell 1 @ 101 -> resting
    B buy 1 @ 101 -> filled 1 | fee 0.000101 | fee 0.000101 | trade A 1@101

    # an inverse trade moves coins
    A sell 10 @ 100 I -> resting
    B buy 10 @ 100 I -> filled 10 | trade A 10@100
    position B I -> 10

    # seals count epochs
    seal -> commitment 1
    seal -> commitment 2

    # beats come by the clock
    with beat=250
    wait 249 -> nothing
    wait 1 -> beat | beat
    wait 600 -> beat | beat
    """)
}
