extension ScenarioTables {
  /// Cases of fill or kill and minimum quantities that something would disturb while they trade.
  static let allOrNothing = ScenarioCase.parse(
    "all or nothing",
    """
    # protection that would trip half-way refuses it
    M protect 4 window=1000 freeze=500 -> applied
    M quote P 3@99 - ; quote P 5@98 - #p -> quoted, quoted
    A sell 8 @ 98 fok -> notFillable
    book -> 3@99 5@98 / none
    A sell 3 @ 98 fok -> filled 3 | trade M 3@99 | tripped M until +500 | M#p cancelledByProtection

    # protection that trips with the last lots does not
    M protect 6 window=1000 freeze=500 -> applied
    M quote P 3@99 - ; quote P 5@98 - #p -> quoted, quoted
    A sell 9 @ 98 fok -> notFillable
    A sell 4 @ 98 fok -> filled 4 | trade M 3@99 | trade M#p 1@98 | tripped M until +500 | M#p cancelledByProtection

    # what was counted before counts, until it leaves the window
    M protect 6 window=1000 freeze=500 -> applied
    M quote P 1@99 - ; quote P 3@98 - ; quote P 2@97 - -> quoted, quoted, quoted
    A sell 1 @ 99 -> filled 1 | trade M 1@99
    A sell 5 @ 97 fok -> notFillable
    later 1000
    A sell 5 @ 97 fok -> filled 5 | trade M 3@98 | trade M 2@97 | tripped M until +1500

    # others fill what protected quotes leave
    M protect 4 window=1000 freeze=500 -> applied
    M quote P 3@99 - ; quote P 5@98 - #p -> quoted, quoted
    B buy 5 @ 97 -> resting
    A sell 8 @ 97 fok -> filled 8 | trade M 3@99 | tripped M until +500 | M#p cancelledByProtection | trade B 5@97

    # quotes that are taken out spend a unit each
    with step=2
    M protect 4 window=1000 freeze=500 -> applied
    M quote P 3@99 - ; quote P 5@98 - #p -> quoted, quoted
    B buy 5 @ 97 -> resting
    A sell 8 @ 97 fok -> tooManyFills
    book -> 3@99 5@98 5@97 / none

    # a net limit is rehearsed too
    marks 100 delta=2 vega=1 -> nothing
    M protect 0 window=1000 freeze=500 delta=8 -> applied
    M quote P 3@99 - ; quote P 5@98 - #p -> quoted, quoted
    A sell 4 @ 98 fok -> notFillable
    A sell 3 @ 98 fok -> filled 3 | trade M 3@99 | tripped M until +500 | M#p cancelledByProtection

    # reduce-only orders that would be trimmed refuse it
    A sell 5 @ 100 -> resting
    B buy 5 @ 100 -> filled 5 | trade A 5@100
    B sell 4 @ 101 -> resting
    B sell 5 @ 102 reduce #r -> resting
    C buy 9 @ 102 fok -> notFillable
    book -> none / 4@101 5@102
    C buy 5 @ 102 fok -> filled 5 | trade B 4@101 | B#r amended 1 | trade B#r 1@102

    # the newest are trimmed first
    A sell 6 @ 100 -> resting
    B buy 6 @ 100 -> filled 6 | trade A 6@100
    B sell 2 @ 102 reduce #x -> resting
    B sell 4 @ 103 reduce #y -> resting
    B sell 3 @ 101 -> resting
    C buy 7 @ 103 fok -> notFillable
    C buy 6 @ 103 fok -> filled 6 | trade B 3@101 | B#y amended 1 | trade B#x 2@102 | trade B#y 1@103

    # orders that are trimmed spend a unit each
    with step=4
    A sell 4 @ 100 -> resting
    B buy 4 @ 100 -> filled 4 | trade A 4@100
    B sell 4 @ 101 -> resting
    B sell 1 @ 102 reduce #x -> resting
    B sell 3 @ 102 reduce #y -> resting
    D sell 2 @ 103 -> resting
    D sell 1 @ 104 -> resting
    C buy 7 @ 104 fok -> tooManyFills
    C buy 6 @ 103 fok -> filled 6 | trade B 4@101 | B#y cancelledAsNotReducing | B#x cancelledAsNotReducing | \
      trade D 2@103

    # and so do those of the order's own account, but not the one that it replaces
    with step=4
    A sell 4 @ 100 -> resting
    B buy 4 @ 100 -> filled 4 | trade A 4@100
    A buy 1 @ 90 reduce #x -> resting
    A buy 1 @ 91 reduce #y -> resting
    A buy 1 @ 92 reduce #z -> resting
    B sell 9 @ 101 -> resting
    C sell 2 @ 102 -> resting
    A buy 11 @ 102 fok -> tooManyFills
    A replace #z buy 11 @ 102 fok -> filled 11 | trade B 9@101 | A#y cancelledAsNotReducing | \
      A#x cancelledAsNotReducing | trade C 2@102

    # reduce-only orders that trade need no trimming
    A sell 5 @ 100 -> resting
    B buy 5 @ 100 -> filled 5 | trade A 5@100
    B sell 2 @ 101 reduce -> resting
    B sell 3 @ 102 reduce -> resting
    C buy 5 @ 102 fok -> filled 5 | trade B 2@101 | trade B 3@102

    # an own order between an iceberg's slices
    A sell 6 @ 100 show=2 -> resting
    B sell 1 @ 100 #b -> resting
    B buy 4 @ 100 fok -> notFillable
    B buy 4 @ 100 fok stp=maker -> filled 4 | trade A 2@100 | B#b cancelledBySelfTrade | trade A 2@100

    # orders between an iceberg's slices spend units
    with step=4
    A sell 6 @ 100 show=1 -> resting
    C sell 1 @ 100 -> resting
    B buy 5 @ 100 fok -> tooManyFills
    B buy 4 @ 100 fok -> filled 4 | trade A 1@100 | trade C 1@100 | trade A 1@100 | trade A 1@100

    # a minimum is rehearsed alike
    M protect 4 window=1000 freeze=500 -> applied
    M quote P 3@99 - ; quote P 5@98 - #p -> quoted, quoted
    A sell 8 @ 98 min=4 -> notFillable
    A sell 8 @ 98 min=3 -> resting 3 | trade M 3@99 | tripped M until +500 | M#p cancelledByProtection
    book -> none / 5@98

    # a refusal spends the units of its rehearsal
    with step=3
    A sell 1 @ 100 -> resting
    A sell 1 @ 101 -> resting
    B buy 5 @ 101 fok ; buy 2 @ 101 #b -> notFillable, sweeping 1 | trade A 1@100
    continue -> trade A 1@101 | B#b filled
    book -> none / none

    # a rehearsal leaves no trace
    M protect 6 window=1000 freeze=500 -> applied
    M quote P 3@99 - ; quote P 5@98 - -> quoted, quoted
    A sell 9 @ 98 fok -> notFillable
    A sell 9 @ 98 fok -> notFillable
    A sell 3 @ 99 -> filled 3 | trade M 3@99
    M quote P 3@99 - -> quoted
    """)
}
