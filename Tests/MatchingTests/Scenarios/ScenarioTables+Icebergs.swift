extension ScenarioTables {
  /// Cases of icebergs and minimum quantity.
  static let icebergs = ScenarioCase.parse(
    "icebergs and minimum quantity",
    """
    # only the slice shows
    A sell 10 @ 100 show=3 #a -> resting
    book -> none / 3@100

    # a refreshed slice goes behind the others
    A sell 7 @ 100 show=3 #a -> resting
    B sell 2 @ 100 #b -> resting
    C buy 4 @ 100 -> filled 4 | trade A#a 3@100 | trade B#b 1@100
    book -> none / 1@100 3@100
    C buy 4 @ 100 -> filled 4 | trade B#b 1@100 | trade A#a 3@100
    book -> none / 1@100

    # one order can take many slices
    A sell 7 @ 100 show=2 #a -> resting
    C buy 7 @ 100 -> filled 7 | trade A#a 2@100 | trade A#a 2@100 | trade A#a 2@100 | trade A#a 1@100
    A cancel #a -> unknownOrder

    # a display of the whole is an ordinary order
    A sell 7 @ 100 show=7 -> resting
    book -> none / 7@100

    # what trades first is taken from the whole
    B buy 4 @ 100 -> resting
    A sell 10 @ 100 show=3 #a -> resting 4 | trade B 4@100
    book -> none / 3@100

    # an amendment takes hidden lots first
    A sell 10 @ 100 show=3 #a -> resting
    B sell 1 @ 100 -> resting
    A amend #a 5 -> amended
    book -> none / 3@100 1@100
    A amend #a 2 -> amended
    book -> none / 2@100 1@100
    C buy 3 @ 100 -> filled 3 | trade A#a 2@100 | trade B 1@100

    # cancelling takes all of it
    A sell 10 @ 100 show=3 #a -> resting
    A cancel #a -> cancelled
    book -> none / none

    # a replacement starts anew
    A sell 10 @ 100 show=3 #a -> resting
    A replace #a sell 6 @ 100 -> amended
    book -> none / 6@100
    A replace #a sell 6 @ 100 show=2 -> amended
    book -> none / 2@100

    # minimum quantity is filled or refused
    A sell 2 @ 100 -> resting
    B buy 5 @ 100 min=3 -> notFillable
    C sell 2 @ 100 -> resting
    B buy 5 @ 100 min=3 -> resting 4 | trade A 2@100 | trade C 2@100
    book -> 1@100 / none

    # minimum quantity of an immediate order
    A sell 2 @ 100 -> resting
    B buy 5 @ 100 min=3 ioc -> notFillable
    B buy 5 @ 100 min=2 ioc -> residualCancelled 2 | trade A 2@100

    # a minimum counts hidden lots
    A sell 10 @ 100 show=1 -> resting
    B buy 9 @ 100 min=8 -> filled 9 | trade A 1@100 | trade A 1@100 | trade A 1@100 | trade A 1@100 | \
      trade A 1@100 | trade A 1@100 | trade A 1@100 | trade A 1@100 | trade A 1@100

    # a minimum above what a step may fill is refused
    with step=3
    A sell 1 @ 100 -> resting
    A sell 1 @ 100 -> resting
    A sell 1 @ 100 -> resting
    A sell 1 @ 100 -> resting
    B buy 4 @ 100 fok -> tooManyFills
    B buy 4 @ 100 min=4 -> tooManyFills
    B buy 3 @ 100 fok -> filled 3 | trade A 1@100 | trade A 1@100 | trade A 1@100

    # the slices of an iceberg that an order needs spend a unit each
    with step=3
    A sell 4 @ 100 show=1 -> resting
    B buy 4 @ 100 fok -> tooManyFills
    B buy 1 @ 100 fok -> filled 1 | trade A 1@100

    # not enough is told before too many
    with step=2
    A sell 1 @ 100 -> resting
    B buy 4 @ 100 fok -> notFillable
    A sell 1 @ 100 -> resting
    A sell 1 @ 100 -> resting
    B buy 4 @ 100 fok -> tooManyFills
    """)
}
