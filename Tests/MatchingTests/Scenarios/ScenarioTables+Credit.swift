extension ScenarioTables {
  /// Cases of credit, liquidation, settlement, listing.
  static let credit = ScenarioCase.parse(
    "credit, liquidation, settlement, listing",
    """
    # an order beyond the ceiling is held alone
    with credit=0
    marks 100 margin=10 -> nothing
    credit A 20 -> took A 20 used 0
    A buy 3 @ 100 #a ; buy 2 @ 99 #b -> held, resting | request 1 charge 30 short 10
    credit A 30 -> took A 30 used 0
    credit A 50 -> took A 50 used 0 | A#a resting 3
    book -> 3@100 2@99 / none

    # a held order is cancelled, refused or times out
    with credit=0
    marks 100 margin=10 -> nothing
    credit A 0 -> took A 0 used 0
    A buy 1 @ 100 #a -> held | request 1 charge 10 short 10
    A cancel #a -> cancelled | A#a cancelled
    A buy 1 @ 100 #b -> held | request 2 charge 10 short 10
    refuse A 2 -> A#b insufficientCredit
    A buy 1 @ 100 #c -> held | request 3 charge 10 short 10
    wait 1000 -> A#c creditTimeout
    A buy 1 @ 100 id=4 #d -> held | request 4 charge 10 short 10
    A cancel id=4 -> cancelled | A#d cancelled

    # the stored answer follows the end of a held order
    with credit=0
    marks 100 margin=10 -> nothing
    credit A 0 -> took A 0 used 0
    A buy 1 @ 100 #a -> held | request 1 charge 10 short 10
    repeat -> again held
    credit A 10 -> took A 10 used 0 | A#a resting 1
    repeat -> again resting

    # held orders are bounded
    with credit=0 held=1
    marks 100 margin=10 -> nothing
    credit A 0 -> took A 0 used 0
    A buy 1 @ 100 #a -> held | request 1 charge 10 short 10
    A buy 1 @ 100 #b -> tooManyHeldOrders

    # a grant runs one held order as IOC
    with credit=0
    marks 100 margin=10 -> nothing
    credit A 0 -> took A 0 used 0
    credit B 1000 -> took B 1000 used 0
    B sell 2 @ 100 -> resting
    A buy 5 @ 100 #a -> held | request 1 charge 50 short 50
    grant A 1 50 -> trade B 2@100 | A#a residualCancelled | grant used 20 20
    grant A 1 50 -> grant unused 20 20
    book -> none / none

    # a held replacement leaves the old order until it is accepted
    with credit=0
    marks 100 margin=10 -> nothing
    credit A 10 -> took A 10 used 0
    A buy 1 @ 90 #a -> resting
    A replace #a buy 3 @ 95 -> held | request 1 charge 30 short 20
    book -> 1@90 / none
    credit A 30 -> took A 30 used 0 | A#a amended 3
    book -> 3@95 / none

    # a replacement frees the charge of the old order
    with credit=0
    marks 100 margin=10 -> nothing
    credit A 10 -> took A 10 used 0
    A buy 1 @ 90 #a -> resting
    A replace #a buy 1 @ 95 -> amended

    # a lower ceiling stops at what is used
    with credit=0
    marks 100 margin=10 -> nothing
    credit A 50 -> took A 50 used 0
    A buy 3 @ 100 -> resting
    credit A 5 -> took A 30 used 0

    # a recall cancels the newest first in bounded steps
    with credit=0 step=2
    marks 100 margin=10 -> nothing
    credit A 100 -> took A 100 used 0
    A buy 1 @ 90 #a -> resting
    A buy 1 @ 91 #b -> resting
    A buy 1 @ 92 #c -> resting
    A buy 1 @ 93 #d -> resting
    credit A 15 forced -> A#d cancelledByRecall | A#c cancelledByRecall
    continue -> A#b cancelledByRecall | took A 15 used 0
    book -> 1@90 / none

    # the loss to the mark and the multiplier are charged
    with credit=0 taker=10000
    marks 100 margin=10 -> nothing
    credit A 1 -> took A 1 used 0
    A buy 2 @ 110 -> held | request 1 charge 42.2 short 41.2
    credit B 1 times=1500000 -> took B 1 used 0
    B buy 2 @ 110 -> held | request 2 charge 63.3 short 62.3

    # a credit finds held orders while their book is blocked
    with credit=0 step=1
    marks 100 margin=10 -> nothing
    credit A 0 -> took A 0 used 0
    credit B 1000 -> took B 1000 used 0
    credit C 1000 -> took C 1000 used 0
    A buy 1 @ 103 #a -> held | request 1 charge 13 short 13
    B sell 1 @ 100 -> resting
    B sell 1 @ 101 -> resting
    B sell 1 @ 102 -> resting
    B sell 1 @ 103 -> resting
    C buy 9 @ 102 #c -> sweeping 1 | trade B 1@100
    later 1
    credit A 1000 -> trade B 1@101 | took A 1000 used 0
    continue -> trade B 1@102 | C#c resting 6
    continue -> nothing
    continue -> trade B 1@103 | A#a filled

    # a freeze cancels everything and refuses what comes
    A sell 5 @ 100 -> resting
    B buy 5 @ 100 -> filled 5 | trade A 5@100
    B buy 1 @ 90 #a -> resting
    B buy 1 @ 110 stop=110 #s -> armed
    freeze B 1 -> B#a cancelledByFreeze | B#s cancelledByFreeze | frozen B
    B buy 1 @ 90 -> accountFrozen
    release B 9 -> nothing
    B buy 1 @ 90 -> accountFrozen
    release B 1 -> nothing
    credit B 100000 -> took B 100000 used 0
    B buy 1 @ 90 -> resting

    # a liquidation reduces at its limit and does a step once
    A sell 5 @ 100 -> resting
    B buy 5 @ 100 -> filled 5 | trade A 5@100
    C buy 2 @ 95 -> resting
    C buy 9 @ 90 -> resting
    liquidate B 1 1 P -5 92 -> liquidation accountFrozen 0
    freeze B 1 -> frozen B
    liquidate B 1 2 P 5 92 -> liquidation notReducing 0
    liquidate B 1 3 P -9 92 -> trade C 2@95 | liquidation residualCancelled -2
    liquidate B 1 3 P -9 92 -> liquidation residualCancelled -2
    liquidate B 1 2 P -9 92 -> liquidation duplicateOrder 0
    liquidate B 1 4 P -9 80 -> trade C 3@90 | liquidation filled -3
    position B -> 0

    # a liquidation is not stopped by its own group
    A sell 5 @ 100 -> resting
    H buy 5 @ 100 -> filled 5 | trade A 5@100
    G buy 3 @ 96 #g -> resting
    C buy 5 @ 95 -> resting
    freeze H 1 -> frozen H
    liquidate H 1 1 P -5 90 -> G#g cancelledBySelfTrade | trade C 5@95 | liquidation filled -5

    # settlement closes every position
    A sell 7 @ 100 F -> resting
    B buy 3 @ 100 F -> filled 3 | trade A 3@100
    C buy 4 @ 100 F -> filled 4 | trade A 4@100
    D buy 1 @ 90 F #d -> resting
    D buy 1 @ 110 stop=110 F #s -> armed
    settle F 110 -> nothing
    later 10000
    tick -> D#d cancelledByExpiry | D#s cancelledByExpiry | closed A 7@110 | closed B 3@110 | closed C 4@110
    position A F -> 0
    settle F 5 -> nothing

    # a settlement in bounded steps always balances
    with step=2
    A sell 7 @ 100 F -> resting
    B buy 3 @ 100 F -> filled 3 | trade A 3@100
    C buy 4 @ 100 F -> filled 4 | trade A 4@100
    later 10000
    settle F 110 -> closed A 3@110 | closed B 3@110
    continue -> closed A 4@110 | closed C 4@110
    position A F -> 0

    # positions are closed in the order in which they were opened
    with step=3
    D sell 6 @ 100 F -> resting
    C buy 1 @ 100 F -> filled 1 | trade D 1@100
    A buy 2 @ 100 F -> filled 2 | trade D 2@100
    B buy 3 @ 100 F -> filled 3 | trade D 3@100
    later 10000
    settle F 110 -> closed A 2@110 | closed C 1@110 | closed D 3@110
    continue -> closed B 3@110 | closed D 3@110
    continue -> nothing

    # a position that was closed meanwhile, or has changed sides, is opened anew
    with step=2
    D sell 3 @ 100 F -> resting
    A buy 1 @ 100 F -> filled 1 | trade D 1@100
    B buy 1 @ 100 F -> filled 1 | trade D 1@100
    C buy 1 @ 100 F -> filled 1 | trade D 1@100
    D buy 2 @ 90 F -> resting
    A sell 2 @ 90 F -> filled 2 | trade D 2@90
    D sell 2 @ 100 F -> resting
    A buy 2 @ 100 F -> filled 2 | trade D 2@100
    later 10000
    settle F 110 -> closed B 1@110 | closed D 1@110
    continue -> closed C 1@110 | closed D 1@110
    continue -> closed A 1@110 | closed D 1@110

    # an option settles at what it is worth
    A sell 2 @ 60 C -> resting
    B buy 2 @ 60 C -> filled 2 | trade A 2@60
    later 10000
    settle C 130 -> closed A 2@30 | closed B 2@30

    # a new instrument trades as soon as it is listed and marked
    A buy 1 @ 90 8 -> unknownInstrument
    list 8 0 -> nothing
    list 10 0 -> nothing
    list 9 1 -> nothing
    A buy 1 @ 90 8 -> marksMissing
    A buy 1 @ 90 9 -> wrongShard
    A buy 1 @ 90 10 -> unknownInstrument

    # orders that wait are told apart from those that rest
    with credit=0
    marks 100 margin=10 -> nothing
    credit A 10 -> took A 10 used 0
    A buy 2 @ 100 #a -> held | request 1 charge 20 short 10
    A buy 1 @ 100 #b -> resting
    A cancelall all -> cancelled | A#a cancelled | A#b cancelled
    book -> none / none
    """)
}
