extension ScenarioTables {
  /// Cases of bounded steps.
  static let sweeps = ScenarioCase.parse(
    "bounded steps",
    """
    # a long order trades on in bounded steps
    with step=2
    A sell 1 @ 100 #1 -> resting
    A sell 1 @ 101 #2 -> resting
    A sell 1 @ 102 #3 -> resting
    B buy 5 @ 105 #b -> sweeping 2 | trade A#1 1@100 | trade A#2 1@101
    continue -> trade A#3 1@102 | B#b resting 2
    book -> 2@105 / none
    repeat -> again resting 3

    # while it does, others wait in order of coming
    with step=2
    A sell 1 @ 100 -> resting
    A sell 1 @ 101 -> resting
    A sell 1 @ 102 -> resting
    A sell 1 @ 103 -> resting
    A sell 1 @ 104 -> resting
    B buy 9 @ 105 #b -> sweeping 2 | trade A 1@100 | trade A 1@101
    C buy 1 @ 102 #c -> queued | trade A 1@102 | trade A 1@103
    D buy 1 @ 101 #d -> resting | trade A 1@104 | B#b resting 4 | C#c resting 1
    continue -> nothing
    book -> 4@105 1@102 1@101 / none

    # a waiting order takes its turn after the sweep
    with step=1
    A sell 1 @ 100 -> resting
    A sell 1 @ 101 -> resting
    A sell 1 @ 102 -> resting
    B buy 2 @ 105 #b ; buy 1 @ 90 #b2 -> sweeping 1, queued | trade A 1@100
    C buy 1 @ 102 #c -> queued | trade A 1@101 | B#b filled
    continue -> B#b2 resting 1
    continue -> nothing
    continue -> trade A 1@102 | C#c filled
    book -> 1@90 / none

    # amendments and cancels go on meanwhile
    with step=1
    A sell 1 @ 100 -> resting
    A sell 1 @ 101 -> resting
    A sell 5 @ 102 #a -> resting
    B buy 9 @ 105 #b ; cancelall all -> sweeping 1, queued | trade A 1@100
    A amend #a 2 -> amended | trade A 1@101
    A cancel #a -> unknownOrder | trade A#a 2@102 | B#b resting 5
    continue -> B cancelled
    continue -> B#b cancelled
    continue -> nothing
    book -> none / none

    # a cancel finds the sweeping order
    with step=1
    A sell 1 @ 100 -> resting
    A sell 1 @ 101 -> resting
    A sell 1 @ 102 -> resting
    B buy 9 @ 105 #b -> sweeping 1 | trade A 1@100
    later 1
    B cancel #b -> cancelled | trade A 1@101 | B#b cancelled
    book -> none / 1@102

    # a cancel finds the queued order
    with step=1
    A sell 1 @ 100 #1 -> resting
    A sell 1 @ 101 #2 -> resting
    A sell 1 @ 102 #3 -> resting
    A sell 1 @ 103 #4 -> resting
    B buy 9 @ 105 #b -> sweeping 1 | trade A#1 1@100
    C buy 1 @ 106 #c -> queued | trade A#2 1@101
    C cancel #c -> cancelled | trade A#3 1@102 | C#c cancelled
    continue -> trade A#4 1@103 | B#b resting 5
    continue -> nothing
    book -> 5@105 / none

    # a cancel-all ends held, queued and sweeping orders at once
    with step=1
    A sell 1 @ 100 -> resting
    A sell 1 @ 101 -> resting
    A sell 1 @ 102 -> resting
    A sell 1 @ 103 -> resting
    B buy 9 @ 105 #b ; buy 2 @ 90 #b2 -> sweeping 1, queued | trade A 1@100
    B cancelall all -> cancelled | trade A 1@101 | B#b2 cancelled | B#b cancelled
    continue -> nothing
    book -> none / 1@102 1@103

    # the queue is bounded
    with step=1 queue=1
    A sell 1 @ 100 -> resting
    A sell 1 @ 101 -> resting
    A sell 1 @ 102 -> resting
    A sell 1 @ 103 -> resting
    A sell 1 @ 104 -> resting
    B buy 9 @ 105 #b -> sweeping 1 | trade A 1@100
    C buy 1 @ 99 #c -> queued | trade A 1@101
    D buy 1 @ 99 #d -> busy | trade A 1@102
    D buy 1 @ 99 Q -> resting | trade A 1@103

    # a stop into a blocked book is queued and then armed
    with step=1
    A sell 1 @ 100 -> resting
    A sell 1 @ 101 -> resting
    A sell 1 @ 102 -> resting
    B buy 3 @ 105 #b -> sweeping 1 | trade A 1@100
    C buy 1 @ 120 stop=110 #c -> queued | trade A 1@101
    continue -> trade A 1@102 | B#b filled
    continue -> nothing
    C cancel #c -> cancelled | C#c cancelled

    # a quote into a blocked book waits whole
    with step=1
    M quote P 1@90 1@120 #q -> quoted
    A sell 1 @ 100 -> resting
    A sell 1 @ 101 -> resting
    A sell 1 @ 102 -> resting
    B buy 3 @ 105 #b -> sweeping 1 | trade A 1@100
    M quote P 2@91 2@119 #r -> queued | trade A 1@101
    book -> 1@90 / 1@102 1@120
    continue -> trade A 1@102 | B#b filled
    continue -> M#r quoted
    book -> 2@91 / 2@119

    # a quote's side that sweeps is told at its end
    with step=1
    A sell 1 @ 100 -> resting
    A sell 1 @ 101 -> resting
    A sell 1 @ 102 -> resting
    M quote P 9@105 2@119 #r -> sweeping 1 | trade A 1@100
    book -> none / 1@101 1@102 2@119
    continue -> trade A 1@101
    continue -> trade A 1@102 | M#r resting 6
    repeat -> again quoted 3

    # a freeze ends what sweeps
    with step=1
    A sell 1 @ 100 -> resting
    A sell 1 @ 101 -> resting
    A sell 1 @ 102 -> resting
    B buy 9 @ 105 #b -> sweeping 1 | trade A 1@100
    freeze B 1 -> trade A 1@101 | B#b cancelledByFreeze
    book -> none / 1@102

    # the sweep's rest is dropped for an immediate order
    with step=1
    A sell 1 @ 100 -> resting
    A sell 1 @ 101 -> resting
    B buy 9 @ 105 ioc #b -> sweeping 1 | trade A 1@100
    continue -> trade A 1@101 | B#b residualCancelled
    book -> none / none

    # a sweep stopped by its own group says so
    with step=1
    A sell 1 @ 100 -> resting
    B sell 1 @ 101 -> resting
    B buy 9 @ 105 #b -> sweeping 1 | trade A 1@100
    continue -> B#b selfTradePrevented

    # a liquidation and an unfinished order keep apart
    with step=1
    A sell 5 @ 100 -> resting
    B buy 5 @ 100 -> filled 5 | trade A 5@100
    freeze B 1 -> frozen B
    C sell 1 @ 100 -> resting
    C sell 1 @ 101 -> resting
    C sell 1 @ 102 -> resting
    C sell 1 @ 103 -> resting
    D buy 9 @ 105 #d -> sweeping 1 | trade C 1@100
    liquidate B 1 1 P -5 90 -> trade C 1@101 | liquidation busy 0

    # an action's later operations wait for its sweep
    with step=1
    A sell 1 @ 100 -> resting
    A sell 1 @ 101 -> resting
    B buy 2 @ 105 #b ; buy 1 @ 90 Q #q ; deadman 5000 -> sweeping 1, queued, queued | trade A 1@100
    continue -> trade A 1@101 | B#b filled
    continue -> B#q resting 1
    book Q -> 1@90 / none

    # a kill switch ends what is queued for no instrument, a cancel-all does not find it
    with step=1
    B sell 1 @ 100 -> resting
    B sell 1 @ 101 -> resting
    B sell 1 @ 102 -> resting
    B sell 1 @ 103 -> resting
    A buy 4 @ 103 #s ; buy 1 @ 90 77 #u -> sweeping 1, queued | trade B 1@100
    A cancelall all label=5 -> cancelled | trade B 1@101
    A kill -> applied | trade B 1@102 | A#u cancelledByKillSwitch | A#s cancelledByKillSwitch
    """)
}
