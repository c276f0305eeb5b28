extension ScenarioTables {
  /// Cases of reduce-only.
  static let reduceOnly = ScenarioCase.parse(
    "reduce-only",
    """
    # nothing to reduce
    A sell 5 @ 100 reduce -> notReducing

    # reduce-only never flips
    A sell 5 @ 100 -> resting
    B buy 5 @ 100 -> filled 5 | trade A 5@100
    B sell 9 @ 110 reduce -> resting
    B buy 1 @ 90 reduce -> notReducing
    book -> none / 5@110
    A buy 9 @ 110 -> resting 5 | trade B 5@110
    position B -> 0

    # the newest shrinks first when the position shrinks
    A sell 5 @ 100 -> resting
    B buy 5 @ 100 -> filled 5 | trade A 5@100
    B sell 3 @ 110 reduce #x -> resting
    B sell 9 @ 111 reduce #y -> resting
    A buy 4 @ 90 -> resting
    B sell 4 @ 90 -> filled 4 | trade A 4@90 | B#y cancelledAsNotReducing | B#x amended 1
    book -> none / 1@110

    # FOK for more than the position is refused
    A sell 5 @ 100 -> resting
    B buy 5 @ 100 -> filled 5 | trade A 5@100
    A buy 9 @ 95 -> resting
    B sell 6 @ 95 fok reduce -> notReducing
    B sell 5 @ 95 fok reduce -> filled 5 | trade A 5@95

    # a replaced reduce-only order frees its lots
    A sell 5 @ 100 -> resting
    B buy 5 @ 100 -> filled 5 | trade A 5@100
    B sell 5 @ 110 reduce #x -> resting
    B sell 1 @ 110 reduce -> notReducing
    B replace #x sell 5 @ 111 reduce -> amended
    book -> none / 5@111

    # a reduce-only market order shrinks to the position
    A sell 5 @ 100 -> resting
    B buy 5 @ 100 -> filled 5 | trade A 5@100
    C buy 9 @ 95 -> resting
    B sell 9 market reduce -> filled 5 | trade C 5@95
    position B -> 0

    # a closed position ends its reduce-only orders
    A sell 5 @ 100 -> resting
    B buy 5 @ 100 -> filled 5 | trade A 5@100
    B sell 5 @ 110 reduce #x -> resting
    C buy 5 @ 99 -> resting
    B sell 5 @ 99 -> filled 5 | trade C 5@99 | B#x cancelledAsNotReducing
    book -> none / none
    """)
}
