extension ScenarioTables {
  /// Cases of mass cancels.
  static let massCancels = ScenarioCase.parse(
    "mass cancels",
    """
    # by account: everything
    A buy 1 @ 90 #a -> resting
    A buy 1 @ 91 Q #b -> resting
    A buy 1 @ 110 stop=110 #s -> armed
    B buy 1 @ 90 -> resting
    A cancelall all -> cancelled | A#b cancelled | A#a cancelled | A#s cancelled
    book -> 1@90 / none

    # by instrument
    A buy 1 @ 90 #a -> resting
    A buy 1 @ 91 Q #b -> resting
    A cancelall P -> cancelled | A#a cancelled
    book Q -> 1@91 / none

    # by kind of instrument
    A buy 1 @ 90 #p -> resting
    A buy 1 @ 90 F #f -> resting
    A buy 1 @ 90 C #c -> resting
    A buy 1 @ 90 U #u -> resting
    A cancelall all scope=4 -> cancelled | A#c cancelled
    A cancelall all scope=3 -> cancelled | A#u cancelled
    A cancelall all scope=2 -> cancelled | A#f cancelled
    A cancelall all scope=5 -> cancelled
    A cancelall all scope=1 -> cancelled | A#p cancelled
    A cancelall all scope=6 -> unsupportedCombination

    # by label
    A buy 1 @ 90 label=1 #a -> resting
    A buy 1 @ 91 label=2 #b -> resting
    A buy 1 @ 92 #c -> resting
    A cancelall all label=2 -> cancelled | A#b cancelled
    A cancelall all label=0 -> cancelled | A#c cancelled
    book -> 1@90 / none

    # in bounded steps, newest first, sparing what comes later
    with step=2
    A buy 1 @ 90 #a -> resting
    A buy 1 @ 91 #b -> resting
    A buy 1 @ 92 #c -> resting
    A buy 1 @ 93 #d -> resting
    A buy 1 @ 94 #e -> resting
    A cancelall all -> cancelled | A#e cancelled | A#d cancelled
    A buy 1 @ 95 #f -> resting | A#c cancelled | A#b cancelled
    continue -> A#a cancelled
    book -> 1@95 / none

    # eight orders are passed over for a unit
    with step=2
    A buy 1 @ 80 label=1 #x -> resting
    A buy 8 @ 90 ; buy 1 @ 90 ; buy 1 @ 90 ; buy 1 @ 90 ; buy 1 @ 90 ; buy 1 @ 90 ; buy 1 @ 90 ; buy 1 @ 90 -> \
      resting, resting, resting, resting, resting, resting, resting, resting
    A cancelall all label=1 -> cancelled | A#x cancelled

    # and the ninth spends another
    with step=2
    A buy 1 @ 80 label=1 #x -> resting
    A buy 8 @ 90 ; buy 1 @ 90 ; buy 1 @ 90 ; buy 1 @ 90 ; buy 1 @ 90 ; buy 1 @ 90 ; buy 1 @ 90 ; buy 1 @ 90 -> \
      resting, resting, resting, resting, resting, resting, resting, resting
    A buy 1 @ 91 -> resting
    A cancelall all label=1 -> cancelled
    continue -> A#x cancelled

    # what has been passed over is not looked at again
    with step=1
    A buy 1 @ 90 label=1 #a -> resting
    A buy 1 @ 91 label=2 #b -> resting
    A buy 1 @ 92 label=1 #c -> resting
    A cancelall all label=1 -> cancelled | A#c cancelled
    continue -> nothing
    A buy 1 @ 93 label=1 #d -> resting | A#a cancelled
    book -> 1@93 1@91 / none

    # a mass cancel goes on though the order where it stopped has gone
    with step=1
    A buy 1 @ 89 label=1 #z -> resting
    A buy 1 @ 90 label=1 #a -> resting
    A buy 1 @ 91 label=2 #b -> resting
    A buy 1 @ 92 label=1 #c -> resting
    A cancelall all label=1 -> cancelled | A#c cancelled
    A cancel #a -> cancelled
    continue -> A#z cancelled
    book -> 1@91 / none

    # and though the stop where it stopped has gone
    with step=1
    A buy 1 @ 110 stop=110 label=1 #z -> armed
    A buy 1 @ 110 stop=110 label=1 #a -> armed
    A buy 1 @ 110 stop=110 label=2 #b -> armed
    A buy 1 @ 92 label=1 #c -> resting
    A cancelall all label=1 -> cancelled | A#c cancelled
    A cancel #a -> cancelled | A#a cancelled
    continue -> A#z cancelled
    A cancel #b -> cancelled | A#b cancelled

    # a cancel-all of quotes looks at no stops
    with step=1
    A buy 1 @ 110 stop=110 #s -> armed
    A buy 1 @ 90 -> resting
    A cancelall all quotes -> cancelled
    A buy 1 @ 91 -> resting
    A cancel #s -> cancelled | A#s cancelled

    # two mass cancels of one account stop each where it stands
    with step=1
    A buy 1 @ 90 label=1 #a -> resting
    A buy 1 @ 91 label=2 #b -> resting
    A buy 1 @ 92 label=1 #c -> resting
    A cancelall all label=1 ; cancelall all label=2 -> cancelled, cancelled | A#c cancelled
    continue -> nothing
    continue -> A#a cancelled
    continue -> A#b cancelled

    # a session's end passes over what a later generation has renewed
    with step=1
    A buy 1 @ 90 cod session=7.1 #a -> resting
    A buy 1 @ 91 cod session=7.2 #b -> resting
    A buy 1 @ 92 session=7.1 #c -> resting
    A buy 1 @ 110 stop=110 cod session=7.2 #s -> armed
    B buy 1 @ 110 stop=110 cod session=7.1 #t -> armed
    gone 7 1 -> nothing
    continue -> A#a cancelledByDisconnect
    continue -> B#t cancelledByDisconnect
    book -> 1@92 1@91 / none

    # flags that mean nothing here
    A cancelall all post -> unsupportedCombination
    A cancelall all raw=flags:64 -> unsupportedCombination
    A cancel #none post -> unsupportedCombination
    A amend #none 1 reduce -> unsupportedCombination

    # a session's end cancels what lives with it
    A buy 1 @ 90 cod session=7.1 #a -> resting
    A buy 1 @ 91 cod session=7.2 #b -> resting
    A buy 1 @ 92 session=7.1 #c -> resting
    A buy 1 @ 110 stop=110 cod session=7.1 #s -> armed
    B buy 1 @ 93 cod session=7.1 #d -> resting
    A buy 1 @ 94 cod session=8.1 #e -> resting
    gone 7 1 -> B#d cancelledByDisconnect | A#a cancelledByDisconnect | A#s cancelledByDisconnect
    gone 7 2 -> A#b cancelledByDisconnect
    book -> 1@94 1@92 / none

    # the label of a replacement is its own, its client id is kept
    A buy 1 @ 90 label=1 id=5 #a -> resting
    A replace #a buy 1 @ 91 label=2 -> amended
    A cancelall all label=1 -> cancelled
    A cancel id=5 -> cancelled
    """)
}
