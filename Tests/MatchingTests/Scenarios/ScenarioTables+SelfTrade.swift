extension ScenarioTables {
  /// Cases of self-trade prevention.
  static let selfTrade = ScenarioCase.parse(
    "self-trade prevention",
    """
    # by default the incoming order stops
    A sell 5 @ 100 #a -> resting
    A buy 3 @ 100 -> selfTradePrevented
    book -> none / 5@100

    # cancel taker keeps what was traded before
    B sell 1 @ 99 -> resting
    A sell 5 @ 100 -> resting
    A buy 3 @ 100 stp=taker -> selfTradePrevented 1 | trade B 1@99

    # cancel maker goes on with the others
    A sell 5 @ 100 #a -> resting
    B sell 5 @ 101 -> resting
    A buy 3 @ 101 stp=maker -> filled 3 | A#a cancelledBySelfTrade | trade B 3@101
    book -> none / 2@101

    # cancel both
    A sell 5 @ 100 #a -> resting
    B sell 5 @ 101 -> resting
    A buy 3 @ 101 stp=both -> selfTradePrevented | A#a cancelledBySelfTrade
    book -> none / 5@101

    # decrement shrinks the larger one
    A sell 5 @ 100 #a -> resting
    A buy 3 @ 100 stp=decrement -> selfTradePrevented | A#a amended 2
    book -> none / 2@100

    # decrement removes the smaller one and goes on
    A sell 2 @ 100 #a -> resting
    B sell 5 @ 101 -> resting
    A buy 3 @ 101 stp=decrement -> filled 1 | A#a cancelledBySelfTrade | trade B 1@101
    book -> none / 4@101

    # decrement of equals ends both
    A sell 2 @ 100 #a -> resting
    A buy 2 @ 100 stp=decrement -> selfTradePrevented | A#a cancelledBySelfTrade
    book -> none / none

    # decrement takes an iceberg whole with its slice
    A sell 9 @ 100 show=2 #a -> resting
    A buy 3 @ 100 stp=decrement -> resting | A#a cancelledBySelfTrade
    book -> 1@100 / none

    # decrement leaves an iceberg its hidden lots
    A sell 9 @ 100 show=4 #a -> resting
    A buy 3 @ 100 stp=decrement -> selfTradePrevented | A#a amended 6
    book -> none / 1@100
    B buy 9 @ 100 -> resting 6 | trade A#a 1@100 | trade A#a 4@100 | trade A#a 1@100

    # the incoming order's choice counts
    A sell 5 @ 100 stp=maker #a -> resting
    A buy 3 @ 100 stp=taker -> selfTradePrevented
    book -> none / 5@100

    # a trading group never trades with itself
    G sell 5 @ 100 #g -> resting
    H buy 3 @ 100 -> selfTradePrevented
    H buy 3 @ 100 stp=maker -> resting | G#g cancelledBySelfTrade
    A sell 1 @ 100 -> filled 1 | trade H 1@100
    H buy 1 @ 100 -> resting

    # FOK ends its count at the own group
    A sell 1 @ 99 -> resting
    B sell 5 @ 100 -> resting
    A sell 5 @ 101 -> resting
    B buy 3 @ 101 fok -> notFillable
    B buy 3 @ 101 fok stp=both -> notFillable

    # FOK counts past own orders that it would cancel
    B sell 5 @ 100 #b -> resting
    A sell 3 @ 101 -> resting
    B buy 3 @ 101 fok stp=maker -> filled 3 | B#b cancelledBySelfTrade | trade A 3@101
    book -> none / none

    # FOK with decrement cannot fill what it loses
    B sell 2 @ 100 #b -> resting
    A sell 3 @ 101 -> resting
    B buy 3 @ 101 fok stp=decrement -> notFillable
    B buy 2 @ 101 fok stp=decrement -> notFillable
    book -> none / 2@100 3@101

    # an immediate order stopped by its own group says so
    A sell 5 @ 100 -> resting
    A buy 3 @ 100 ioc -> selfTradePrevented
    A buy 3 market -> selfTradePrevented

    # a replacement meets its own other order
    A sell 5 @ 100 #a -> resting
    A buy 2 @ 90 #b -> resting
    A replace #b buy 2 @ 100 stp=maker -> amended | A#a cancelledBySelfTrade
    book -> 2@100 / none
    """)
}
