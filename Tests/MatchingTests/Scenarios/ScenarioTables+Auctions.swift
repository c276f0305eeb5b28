extension ScenarioTables {
  /// Cases of trading states and auctions.
  static let auctions = ScenarioCase.parse(
    "trading states and auctions",
    """
    # orders gather and cross at one price
    op auction P 1000 -> applied | P auction
    A buy 5 @ 103 #a -> resting
    B sell 3 @ 98 #b -> resting
    C sell 4 @ 101 #c -> resting
    book -> 5@103 / 3@98 4@101
    wait 1000 -> P auction 5@101 -2 | P uncrossing 5@101 -2 | trade A#a 3@101 | trade A#a 2@101 | P open 5@101 0
    book -> none / 2@101

    # the indicative price is told as time passes
    with indicative=300
    op auction P 1000 -> applied | P auction
    A buy 5 @ 103 #a -> resting
    B sell 3 @ 98 #b -> resting
    wait 300 -> P auction 3@100 2
    wait 300 -> P auction 3@100 2
    wait 300 -> P auction 3@100 2
    wait 100 -> P uncrossing 3@100 2 | trade A#a 3@100 | P open 3@100 0

    # most volume, then least imbalance
    op auction P 1000 -> applied | P auction
    A buy 5 @ 105 -> resting
    A buy 5 @ 103 -> resting
    B sell 6 @ 101 -> resting
    B sell 2 @ 104 -> resting
    wait 1000 -> P auction 6@101 4 | P uncrossing 6@101 4 | trade A 5@101 | trade A 1@101 | P open 6@101 0

    # then the nearest to the mark
    op auction P 1000 -> applied | P auction
    A buy 5 @ 110 -> resting
    B sell 5 @ 90 -> resting
    marks 95 -> nothing
    wait 1000 -> P auction 5@95 0 | P uncrossing 5@95 0 | trade A 5@95 | P open 5@95 0

    # nearest to the mark means the edge when the mark lies outside
    op auction P 1000 -> applied | P auction
    A buy 5 @ 110 -> resting
    B sell 5 @ 105 -> resting
    wait 1000 -> P auction 5@105 0 | P uncrossing 5@105 0 | trade A 5@105 | P open 5@105 0

    # equally near means the lower
    op auction P 1000 -> applied | P auction
    A buy 5 @ 102 -> resting
    A buy 1 @ 98 -> resting
    B sell 5 @ 98 -> resting
    B sell 1 @ 102 -> resting
    wait 1000 -> P auction 5@100 0 | P uncrossing 5@100 0 | trade A 5@100 | P open 5@100 0

    # nothing crosses, nothing trades
    op auction P 1000 -> applied | P auction
    A buy 5 @ 95 -> resting
    B sell 5 @ 105 -> resting
    wait 1000 -> P auction | P uncrossing | P open
    book -> 5@95 / 5@105

    # the older order is the maker
    with maker=10000 taker=20000
    op auction P 1000 -> applied | P auction
    B sell 1 @ 100 #b -> resting
    A buy 1 @ 100 #a -> resting
    wait 1000 -> P auction 1@100 0 | P uncrossing 1@100 0 | fee 1 | fee 2 | trade B#b 1@100 | P open 1@100 0

    # market orders rest for the auction and go with its end
    op auction P 1000 -> applied | P auction
    A buy 5 market #a -> resting
    B sell 3 @ 100 #b -> resting
    C sell 9 market #c -> resting
    D buy 1 @ 120 -> resting
    book -> 5@150 1@120 / 9@50 3@100
    wait 1000 -> P auction 6@99 -3 | P uncrossing 6@99 -3 | trade A#a 5@99 | trade C#c 1@99 | \
      C#c cancelledAfterAuction | P open 6@99 0
    book -> none / 3@100

    # an auction takes no IOC, FOK or minimum
    op auction P 1000 -> applied | P auction
    A buy 5 @ 100 ioc -> inAuction
    A buy 5 @ 100 fok -> inAuction
    A buy 5 @ 100 min=2 -> inAuction
    A buy 5 market min=2 -> inAuction
    A buy 5 market fok -> inAuction
    A buy 5 market ioc #m -> resting
    A buy 5 @ 100 post #p -> resting

    # post-only orders cross in an auction like others
    B sell 5 @ 99 -> resting
    op auction P 1000 -> applied | P auction
    A buy 5 @ 100 post #p -> resting
    wait 1000 -> P auction 5@100 0 | P uncrossing 5@100 0 | trade B 5@100 | P open 5@100 0

    # icebergs show their slices one after another in an auction
    op auction P 1000 -> applied | P auction
    A buy 6 @ 100 show=2 #a -> resting
    B sell 5 @ 100 #b -> resting
    book -> 2@100 / 5@100
    wait 1000 -> P auction 5@100 1 | P uncrossing 5@100 1 | trade A#a 2@100 | trade B#b 2@100 | \
      trade B#b 1@100 | P open 5@100 0
    book -> 1@100 / none

    # hidden lots count for the price
    op auction P 1000 -> applied | P auction
    A buy 10 @ 102 show=1 #a -> resting
    B sell 4 @ 98 -> resting
    C sell 4 @ 101 -> resting
    wait 1000 -> P auction 8@101 2 | P uncrossing 8@101 2 | trade A#a 1@101 | trade B 1@101 | trade B 1@101 | \
      trade B 1@101 | trade C 1@101 | trade C 1@101 | trade C 1@101 | trade C 1@101 | P open 8@101 0

    # a trading group does not trade with itself in an auction
    op auction P 1000 -> applied | P auction
    A sell 5 @ 98 #a -> resting
    B sell 5 @ 99 #b -> resting
    A buy 5 @ 101 #c -> resting
    wait 1000 -> P auction 5@98 0 | P uncrossing 5@98 0 | A#c cancelledBySelfTrade | P open 0@98 0
    book -> none / 5@98 5@99

    # the newer order's choice counts in an auction
    op auction P 1000 -> applied | P auction
    A sell 5 @ 98 #a -> resting
    B sell 5 @ 99 #b -> resting
    A buy 5 @ 101 stp=maker #c -> resting
    wait 1000 -> P auction 5@98 0 | P uncrossing 5@98 0 | A#a cancelledBySelfTrade | trade B#b 5@100 | \
      P open 5@100 0
    book -> none / none

    # decrement in an auction
    op auction P 1000 -> applied | P auction
    A sell 5 @ 98 #a -> resting
    B sell 5 @ 99 #b -> resting
    A buy 7 @ 101 stp=decrement #c -> resting
    wait 1000 -> P auction 7@100 -3 | P uncrossing 7@100 -3 | A#a cancelledBySelfTrade | A#c amended 2 | \
      trade B#b 2@100 | P open 2@100 0
    book -> none / 3@99

    # orders past their expiry do not trade in an auction
    op auction P 5000 -> applied | P auction
    A sell 5 @ 98 gtd=5 #a -> resting
    B buy 5 @ 101 #b -> resting
    wait 5000 -> P auction 5@100 0 | A#a expiredOrder | P uncrossing | P open
    book -> 5@101 / none

    # a crossed rest gets a price of its own
    op auction P 1000 -> applied | P auction
    A sell 10 @ 95 #a -> resting
    A buy 10 @ 100 #b -> resting
    B buy 5 @ 97 #c -> resting
    wait 1000 -> P auction 10@100 0 | P uncrossing 10@100 0 | A#b cancelledBySelfTrade | trade A#a 5@97 | \
      P open 5@97 0
    book -> none / 5@95

    # a long uncrossing goes on in bounded steps and keeps others out
    with step=2 indicative=5000
    op auction P 1000 -> applied | P auction
    A sell 1 @ 100 #1 -> resting
    A sell 1 @ 100 #2 -> resting
    A sell 3 @ 100 #3 -> resting
    B buy 1 @ 100 #4 -> resting
    B buy 1 @ 100 #5 -> resting
    B buy 1 @ 100 #6 -> resting
    B buy 1 @ 100 #7 -> resting
    wait 1000 -> nothing
    C buy 1 @ 99 #8 -> queued | P uncrossing 4@100 -1 | trade A#1 1@100
    continue -> trade A#2 1@100 | trade A#3 1@100
    continue -> trade A#3 1@100 | P open 4@100 0 | C#8 resting 1
    continue -> nothing
    book -> 1@99 / 1@100

    # the price is searched in bounded steps
    with step=2 indicative=5000
    op auction P 1000 -> applied | P auction
    A buy 1 @ 103 -> resting
    A buy 1 @ 102 -> resting
    B sell 1 @ 98 -> resting
    B sell 1 @ 99 -> resting
    C sell 1 @ 105 -> resting
    wait 1000 -> nothing
    D buy 1 @ 110 #d -> queued
    continue -> P uncrossing 2@100 0 | trade A 1@100
    continue -> trade A 1@100 | P open 2@100 0
    continue -> trade C 1@105 | D#d filled
    book -> none / none

    # a level counts as it was when the search looked at it
    with step=1 indicative=5000
    op auction P 1000 -> applied | P auction
    A buy 5 @ 103 #a -> resting
    C buy 1 @ 101 #c -> resting
    B sell 5 @ 98 -> resting
    wait 1000 -> nothing
    A cancel #a -> cancelled
    continue -> nothing
    continue -> P uncrossing 5@102 0
    continue -> nothing
    continue -> nothing
    continue -> trade C#c 1@100 | P open 1@100 0
    book -> none / 4@98

    # an order that goes before the search comes to it does not count
    with step=1 indicative=5000
    op auction P 1000 -> applied | P auction
    A buy 5 @ 103 -> resting
    B sell 2 @ 98 -> resting
    B sell 3 @ 100 #b -> resting
    wait 1000 -> nothing
    B cancel #b -> cancelled
    continue -> P uncrossing 2@100 3
    continue -> trade A 2@100 | P open 2@100 0

    # an indicative looks at no more levels than a step has units
    with step=3 indicative=400
    op auction P 1000 -> applied | P auction
    A buy 1 @ 104 -> resting
    A buy 1 @ 103 -> resting
    A buy 1 @ 102 -> resting
    B sell 1 @ 96 -> resting
    B sell 1 @ 97 -> resting
    B sell 1 @ 98 -> resting
    wait 400 -> P auction 1@104 0
    wait 400 -> P auction 1@104 0
    wait 200 -> nothing
    continue -> nothing
    continue -> P uncrossing 3@100 0 | trade A 1@100 | trade A 1@100

    # a search where nothing crosses looks at nothing
    with step=1 indicative=5000
    op auction P 1000 -> applied | P auction
    A buy 5 @ 95 -> resting
    B sell 5 @ 105 -> resting
    wait 1000 -> nothing
    continue -> P uncrossing | P open

    # market orders that are cancelled in the auction are not there at its end
    op auction P 1000 -> applied | P auction
    A buy 1 market #a -> resting
    B buy 1 market #b -> resting
    C buy 1 market #c -> resting
    B cancel #b -> cancelled
    D sell 5 @ 120 -> resting
    A cancel #a -> cancelled
    op open P -> applied | P uncrossing 1@120 -4 | trade C#c 1@120 | P open 1@120 0
    book -> none / 4@120

    # opening ends an auction at once
    op auction P 1000 -> applied | P auction
    A buy 5 @ 103 -> resting
    B sell 3 @ 98 -> resting
    op open P -> applied | P uncrossing 3@100 2 | trade A 3@100 | P open 3@100 0
    op open P -> applied

    # a halted book takes no orders
    A buy 5 @ 90 #a -> resting
    op halt P -> applied | P halted
    A buy 1 @ 90 -> instrumentHalted
    A replace #a buy 1 @ 90 -> instrumentHalted
    A amend #a 3 -> amended
    A cancel #a -> cancelled
    A buy 1 @ 90 Q -> resting
    op halt P -> applied

    # a halted book opens through its auction
    A buy 5 @ 90 #a -> resting
    op halt P -> applied | P halted
    op open P -> applied | P uncrossing | P open
    A buy 5 @ 91 -> resting

    # a halt in an auction keeps its orders until it is opened
    op auction P 1000 -> applied | P auction
    A buy 5 @ 103 #a -> resting
    B sell 3 market #b -> resting
    op halt P -> applied | P halted
    wait 1000 -> nothing
    op open P -> applied | P uncrossing 3@100 2 | trade A#a 3@100 | P open 3@100 0
    book -> 2@103 / none

    # one word for all instruments
    op halt all -> applied | P halted | Q halted | T halted | I halted | C halted | U halted | F halted
    op open all -> applied | P uncrossing | P open | Q uncrossing | Q open | T uncrossing | T open | \
      I uncrossing | I open | C uncrossing | C open | U uncrossing | U open | F uncrossing | F open

    # an auction is set anew
    op auction P 1000 -> applied | P auction
    wait 500 -> P auction
    op auction P 1000 -> applied | P auction
    wait 500 -> P auction
    wait 500 -> P auction | P uncrossing | P open

    # trading states that cannot be
    op auction P 0 -> unsupportedCombination
    op halt P label=1 -> unsupportedCombination
    op open P raw=type:3 -> unsupportedCombination
    op open P raw=type:9 -> unsupportedCombination
    op open P raw=nonce:5 -> unsupportedCombination
    op halt E -> wrongShard
    op halt 77 -> unknownInstrument
    A halt P -> notAuthorised

    # an expired book is left alone
    later 10000
    op halt F -> applied

    # a liquidation waits for an auction's end
    A sell 5 @ 100 -> resting
    B buy 5 @ 100 -> filled 5 | trade A 5@100
    freeze B 1 -> frozen B
    op auction P 1000 -> applied | P auction
    liquidate B 1 1 P -5 90 -> liquidation inAuction 0

    # reduce-only orders cross in an auction without flipping
    A sell 5 @ 100 -> resting
    B buy 5 @ 100 -> filled 5 | trade A 5@100
    op auction P 1000 -> applied | P auction
    B sell 9 @ 95 reduce #r -> resting
    C buy 9 @ 100 -> resting
    wait 1000 -> P auction 5@100 4 | P uncrossing 5@100 4 | trade B#r 5@100 | P open 5@100 0
    position B -> 0
    """)
}
