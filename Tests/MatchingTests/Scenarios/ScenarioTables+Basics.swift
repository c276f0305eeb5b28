extension ScenarioTables {
  /// Cases of time in force, priority, change.
  static let basics = ScenarioCase.parse(
    "time in force, priority, change",
    """
    # an IOC's residual never rests
    A sell 2 @ 100 -> resting
    B buy 5 @ 100 ioc -> residualCancelled 2 | trade A 2@100
    book -> none / none
    B sell 1 @ 90 ioc -> residualCancelled
    book -> none / none

    # a filled maker leaves the id index
    A sell 2 @ 100 #a -> resting
    B buy 2 @ 100 -> filled 2 | trade A#a 2@100
    A cancel #a -> unknownOrder
    A amend #a 1 -> unknownOrder
    A replace #a sell 1 @ 101 -> unknownOrder

    # a filled maker's client id is free again
    A sell 2 @ 100 id=7 -> resting
    A sell 1 @ 101 id=7 -> duplicateClientID
    B buy 2 @ 100 -> filled 2 | trade A 2@100
    A sell 1 @ 101 id=7 -> resting
    A cancel id=7 -> cancelled

    # replace never corrupts the id index
    A sell 5 @ 102 #a -> resting
    A sell 5 @ 103 #b -> resting
    A replace #a sell 4 @ 101 -> amended
    A replace #a sell 3 @ 104 -> amended
    A cancel #b -> cancelled
    A cancel #a -> cancelled
    A cancel #a -> unknownOrder
    book -> none / none

    # cancel keeps FIFO for the rest
    A sell 1 @ 100 #1 -> resting
    B sell 2 @ 100 #2 -> resting
    C sell 3 @ 100 #3 -> resting
    D sell 4 @ 100 #4 -> resting
    B cancel #2 -> cancelled
    M buy 6 @ 100 -> filled 6 | trade A#1 1@100 | trade C#3 3@100 | trade D#4 2@100

    # trades print at the maker's price
    A sell 1 @ 101 -> resting
    A sell 1 @ 103 -> resting
    B buy 2 @ 110 -> filled 2 | trade A 1@101 | trade A 1@103
    A buy 3 @ 99 -> resting
    B sell 3 @ 60 -> filled 3 | trade A 3@99

    # FOK leaves no trace when refused
    A sell 2 @ 100 -> resting
    A sell 2 @ 101 -> resting
    B buy 5 @ 101 fok -> notFillable
    book -> none / 2@100 2@101
    B buy 5 @ 101 -> resting 4 | trade A 2@100 | trade A 2@101

    # FOK fills whole over several levels
    A sell 2 @ 100 -> resting
    C sell 2 @ 101 -> resting
    B buy 4 @ 101 fok -> filled 4 | trade A 2@100 | trade C 2@101

    # FOK counts no order beyond its limit
    A sell 2 @ 100 -> resting
    A sell 9 @ 102 -> resting
    B buy 3 @ 101 fok -> notFillable

    # a stale or repeated id is a clean refusal
    A buy 5 @ 100 #a -> resting
    repeat -> again resting
    A buy 6 @ 100 nonce=1 -> nonceReused
    A cancel #a -> cancelled
    A cancel #a -> unknownOrder
    A buy 6 @ 100 nonce=1 -> nonceReused
    B cancel #a -> unknownOrder

    # an order of the same name can come again only when the first is gone
    A buy 5 @ 99 expires=1 #a -> resting
    wait 2000 -> nothing
    A buy 4 @ 98 nonce=1 -> duplicateOrder
    A cancel #a -> cancelled
    A buy 4 @ 98 nonce=1 -> again duplicateOrder

    # a market order takes what its band holds and drops the rest
    A sell 2 @ 120 -> resting
    A sell 2 @ 150 -> resting
    marks 100 high=130 -> nothing
    B buy 9 market -> residualCancelled 2 | trade A 2@120
    book -> none / 2@150

    # a market order with nothing to meet rests nowhere
    B buy 9 market -> residualCancelled
    B sell 9 market fok -> notFillable
    B sell 9 market ioc -> residualCancelled
    book -> none / none

    # a market order carries no price, date, day or post-only
    B buy 9 market raw=price:100000000 -> unsupportedCombination
    B buy 9 market gtd=5 -> unsupportedCombination
    B buy 9 market day -> unsupportedCombination
    B buy 9 market post -> unsupportedCombination
    B buy 9 market show=3 -> unsupportedCombination

    # post-only refuses to take
    A sell 5 @ 100 -> resting
    B buy 1 @ 100 post -> wouldTake
    B buy 1 @ 99 post -> resting
    B buy 1 @ 99 post ioc -> unsupportedCombination
    B buy 1 @ 99 post fok -> unsupportedCombination

    # post-only slides to the best price that does not cross
    A sell 5 @ 100 -> resting
    B buy 1 @ 105 post slide -> resting
    B buy 1 @ 98 post slide -> resting
    C sell 1 @ 90 post slide -> resting
    book -> 1@99 1@98 / 5@100 1@100
    B buy 1 @ 100 slide -> unsupportedCombination

    # a slid order stays inside the band and on the ladder
    A sell 5 @ 51 -> resting
    marks 100 low=51 -> nothing
    B buy 1 @ 60 post slide -> wouldTake
    A sell 5 @ 51 -> resting

    # a slide steps over the coarse ticks of a tick table
    A sell 5 @ 104 T -> resting
    B buy 1 @ 110 post slide T -> resting
    C cancelall all -> cancelled
    A sell 5 @ 102 T -> resting 1 | trade B 1@102
    A sell 1 @ 100 T -> resting
    M buy 1 @ 101 T -> priceOffTick
    B buy 1 @ 100 post slide T -> resting
    book T -> 1@99 / 1@100 4@102 5@104

    # a day order ends at eight in the morning
    A buy 5 @ 99 day #a -> resting
    wait 35199000 -> beat | beat
    wait 1000 -> A#a expiredOrder
    book -> none / none

    # a dated order expires at its stamp
    A buy 5 @ 99 gtd=5 #a -> resting
    wait 4999 -> nothing
    wait 1 -> A#a expiredOrder
    A buy 5 @ 99 gtd=0 -> expired
    A buy 5 @ 99 gtd=-3 -> expired

    # what is past its expiry never trades, though its timer is late
    with step=1
    A sell 1 @ 99 gtd=5 #a -> resting
    B sell 1 @ 98 gtd=5 #b -> resting
    C sell 1 @ 97 gtd=5 #c -> resting
    D sell 1 @ 100 #d -> resting
    later 5000
    M buy 1 @ 100 -> sweeping | A#a expiredOrder
    tick -> B#b expiredOrder
    tick -> C#c expiredOrder
    tick -> trade D#d 1@100 | M filled
    book -> none / none

    # a replacement may cross and keeps its name
    A sell 5 @ 100 -> resting
    B buy 2 @ 90 #b -> resting
    B replace #b buy 7 @ 100 -> amended 5 | trade A 5@100
    B cancel #b -> cancelled

    # a replacement loses its place
    A sell 1 @ 100 #a -> resting
    B sell 1 @ 100 #b -> resting
    A replace #a sell 1 @ 100 -> amended
    C buy 1 @ 100 -> filled 1 | trade B#b 1@100

    # a refused replacement leaves the old order
    A buy 5 @ 90 #a -> resting
    B sell 1 @ 100 -> resting
    A replace #a buy 5 @ 100 post -> wouldTake
    A replace #a buy 5 @ 160 -> outsideBand
    A replace #a sell 5 @ 120 -> unsupportedCombination
    A replace #a buy 5 @ 91 Q -> unknownOrder
    B replace #a buy 5 @ 91 -> unknownOrder
    book -> 5@90 / 1@100

    # an amendment only makes smaller and keeps its place
    A sell 5 @ 100 #a -> resting
    B sell 5 @ 100 #b -> resting
    A amend #a 5 -> notDecreasing
    A amend #a 6 -> notDecreasing
    A amend #a 0 -> quantityOutOfRange
    A amend #a 1.5 -> quantityOffLot
    A amend #a 2 -> amended
    C buy 3 @ 100 -> filled 3 | trade A#a 2@100 | trade B#b 1@100

    # by client id
    A buy 5 @ 99 id=7 #a -> resting
    A buy 5 @ 98 id=7 -> duplicateClientID
    B buy 5 @ 98 id=7 -> resting
    A amend id=7 4 -> amended
    A replace id=7 buy 3 @ 97 -> amended
    A cancel id=7 -> cancelled
    A cancel id=7 -> unknownOrder
    A cancel id=0 -> unknownOrder
    B cancel id=7 -> cancelled
    """)
}
