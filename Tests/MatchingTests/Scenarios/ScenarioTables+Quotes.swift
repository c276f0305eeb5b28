extension ScenarioTables {
  /// Cases of quotes.
  static let quotes = ScenarioCase.parse(
    "quotes",
    """
    # a quote stands on both sides and is replaced in one input
    M quote P 5@99 4@101 #q -> quoted
    book -> 5@99 / 4@101
    M quote P 3@98 2@102 #r -> quoted
    book -> 3@98 / 2@102
    M cancel #q -> unknownOrder
    M cancel #r -> cancelled
    M cancel #r-ask -> cancelled

    # an empty side stays empty
    M quote P 5@99 - -> quoted
    book -> 5@99 / none
    M quote P - 4@101 -> quoted
    book -> none / 4@101
    M quote P - - -> quoted
    book -> none / none

    # each side is refused alone
    M quote P 5@99 4@160 #q -> outsideBand | M#q-ask outsideBand
    book -> 5@99 / none
    M quote P 5@99.5 4@101 #r -> priceOffTick | M#r priceOffTick
    book -> none / 4@101
    M quote P 5@99.5 4@160 #s -> priceOffTick | M#s priceOffTick | M#s-ask outsideBand
    book -> none / none

    # a quote that crosses itself is refused whole
    M quote P 5@99 4@101 -> quoted
    M quote P 5@101 4@101 #q -> unsupportedCombination | M#q unsupportedCombination | M#q-ask unsupportedCombination
    book -> none / none

    # what a quote may not carry
    M quote P 5@99 4@101 ioc -> unsupportedCombination | M unsupportedCombination | M unsupportedCombination
    M quote P 5@99 4@101 reduce -> unsupportedCombination | M unsupportedCombination | M unsupportedCombination
    M quote P 5@99 4@101 raw=type:1 -> unsupportedCombination | M unsupportedCombination | M unsupportedCombination
    M quote P 5@99 4@101 raw=nonce:5 -> unsupportedCombination | M unsupportedCombination | M unsupportedCombination
    M quote P 5@99 4@101 raw=source:1 -> unsupportedCombination | M unsupportedCombination | \
      M unsupportedCombination
    M quote P 5@99 4@101 raw=reserved:1 -> unsupportedCombination | M unsupportedCombination | \
      M unsupportedCombination
    M quote P 5@99 4@101 slide -> unsupportedCombination | M unsupportedCombination | M unsupportedCombination
    M quote P 5@99 4@101 raw=side:3 -> malformed | M malformed | M malformed
    M quote P 5@99 4@101 stp=maker post slide cod gtd=5 label=3 -> quoted

    # a quote takes what it crosses
    A sell 2 @ 98 -> resting
    M quote P 5@99 4@101 -> quoted 2 | trade A 2@98
    book -> 3@99 / 4@101

    # a post-only quote refuses or slides
    A sell 2 @ 98 -> resting
    M quote P 5@99 4@101 post #q -> wouldTake | M#q wouldTake
    M quote P 5@99 4@101 post slide -> quoted
    book -> 5@97 / 2@98 4@101

    # a set of quotes frees its credit first
    with credit=100
    marks 100 margin=10 -> nothing
    M quote P 5@99 - ; quote Q 5@99 - #q -> quoted, quoted
    M quote P - - ; quote Q 10@99 - -> quoted, quoted
    book -> none / none
    book Q -> 10@99 / none

    # a quote does not wait for credit
    with credit=45
    marks 100 margin=10 -> nothing
    M quote P 5@99 4@101 #q -> insufficientCredit | M#q insufficientCredit
    M buy 5 @ 99 -> held | request 1 charge 50 short 45

    # the old quotes of a whole set go first, in order
    M quote P 5@99 4@101 ; quote Q 5@99 4@101 -> quoted, quoted
    M quote Q 1@99 1@101 ; quote P 1@99 1@101 -> quoted, quoted
    book Q -> 1@99 / 1@101

    # a quote of a closed instrument leaves the old one
    M quote P 5@99 4@101 -> quoted
    stop-all -> nothing
    M quote P 3@99 3@101 #q -> halted | M#q halted | M#q-ask halted
    book -> 5@99 / 4@101

    # a quote side can be amended and cancelled, not replaced
    M quote P 5@99 4@101 #q -> quoted
    M amend #q 2 -> amended
    M replace #q buy 1 @ 98 -> unsupportedCombination
    M cancel #q-ask -> cancelled
    book -> 2@99 / none

    # cancel-all can mean quotes alone
    M quote P 5@99 4@101 #q -> quoted
    M buy 1 @ 90 #o -> resting
    M cancelall all quotes -> cancelled | M#q-ask cancelled | M#q cancelled
    book -> 1@90 / none

    # quotes count as open orders
    with open=1
    M quote P 5@99 4@101 #q -> tooManyOpenOrders | M#q-ask tooManyOpenOrders
    book -> 5@99 / none

    # a dated quote expires on both sides
    M quote P 5@99 4@101 gtd=2 #q -> quoted
    wait 2000 -> M#q expiredOrder | M#q-ask expiredOrder

    # the house does not quote
    op quote P 5@99 4@101 -> notAuthorised

    # a quote never trades with its own order
    M sell 2 @ 98 #o -> resting
    M quote P 5@99 4@101 #q -> quoted
    book -> none / 2@98 4@101

    # two quotes of one instrument in one set both stand
    M quote P 1@99 - ; quote P 2@98 - -> quoted, quoted
    book -> 1@99 2@98 / none
    M quote P 3@97 - -> quoted
    book -> 3@97 / none
    """)
}
