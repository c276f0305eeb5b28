extension ScenarioTables {
  /// Cases of stops.
  static let stops = ScenarioCase.parse(
    "stops",
    """
    # a stop waits for the mark
    A buy 5 @ 105 stop=103 #a -> armed
    B sell 9 @ 104 -> resting
    marks 102 -> nothing
    marks 103 -> A#a triggered 5 | trade B 5@104 | A#a filled
    book -> none / 4@104

    # a stop that is met when it comes is its plain order at once
    B sell 9 @ 100 -> resting
    A buy 5 @ 105 stop=100 #a -> filled 5 | trade B 5@100
    A buy 5 market stop=99 -> residualCancelled 4 | trade B 4@100
    A sell 1 @ 98 stop=100 -> resting

    # a sell stop waits for a fall
    A sell 5 @ 95 stop=97 #a -> armed
    B buy 2 @ 96 -> resting
    marks 98 -> nothing
    marks 96 -> A#a triggered 5 | trade B 2@96 | A#a resting 3
    book -> none / 3@95

    # a take-profit waits the other way round
    A sell 5 @ 100 take=103 #a -> armed
    B buy 5 @ 98 take=97 #b -> armed
    marks 102 -> nothing
    marks 103 -> A#a triggered 5 | A#a resting 5
    marks 97 -> B#b triggered 5 | B#b resting 5
    book -> 5@98 / 5@100

    # a stop market takes what is there
    A buy 5 market stop=103 #a -> armed
    B sell 3 @ 104 -> resting
    marks 103 -> A#a triggered 5 | trade B 3@104 | A#a residualCancelled
    book -> none / none

    # a stop by the index
    A buy 5 @ 105 stop=103 by=index #a -> armed
    marks 104 index=100 -> nothing
    marks 100 index=103 -> A#a triggered 5 | A#a resting 5

    # a stop by the last price
    A sell 5 @ 90 stop=98 by=last #a -> armed
    B buy 1 @ 99 -> resting
    C sell 1 @ 99 -> filled 1 | trade B 1@99
    B buy 1 @ 98 -> resting
    C sell 1 @ 98 -> filled 1 | trade B 1@98 | A#a triggered 5 | A#a resting 5
    book -> none / 5@90

    # one stop's trade fires the next
    A sell 1 market stop=98 by=last #a -> armed
    B sell 1 market stop=97 by=last #b -> armed
    C buy 1 @ 98 -> resting
    C buy 1 @ 97 -> resting
    C buy 1 @ 96 -> resting
    D sell 1 @ 98 -> filled 1 | trade C 1@98 | A#a triggered 1 | trade C 1@97 | A#a filled | B#b triggered 1 \
      | trade C 1@96 | B#b filled

    # a trailing stop follows and falls
    A sell 2 market trail=3 #a -> armed
    M buy 5 @ 60 -> resting
    marks 105 -> nothing
    marks 103 -> nothing
    marks 102 -> A#a triggered 2 | trade M 2@60 | A#a filled

    # a trailing buy follows down
    A buy 2 market trail=3 #a -> armed
    M sell 5 @ 140 -> resting
    marks 95 -> nothing
    marks 97 -> nothing
    marks 98 -> A#a triggered 2 | trade M 2@140 | A#a filled

    # a trailing stop by the last price waits for the first trade
    A sell 2 market trail=3 by=last #a -> armed
    M buy 5 @ 60 -> resting
    B buy 1 @ 100 -> resting
    C sell 1 @ 100 -> filled 1 | trade B 1@100
    B buy 1 @ 97 -> resting
    C sell 1 @ 97 -> filled 1 | trade B 1@97 | A#a triggered 2 | trade M 2@60 | A#a filled

    # stops fire in order of trigger, then of coming
    A buy 1 @ 90 stop=105 #a -> armed
    B buy 1 @ 90 stop=103 #b -> armed
    C buy 1 @ 90 stop=105 #c -> armed
    D sell 1 @ 140 take=104 #d -> armed
    A buy 1 market trail=2 #e -> armed
    marks 106 -> B#b triggered 1 | B#b resting 1 | D#d triggered 1 | D#d resting 1 | A#a triggered 1 | \
      A#a resting 1 | C#c triggered 1 | C#c resting 1 | A#e triggered 1 | trade D#d 1@140 | A#e filled

    # stops that wait for a fall fire from the highest
    A sell 1 @ 140 stop=95 #a -> armed
    B sell 1 @ 140 stop=97 #b -> armed
    C buy 1 @ 60 take=96 #c -> armed
    marks 94 -> B#b triggered 1 | B#b resting 1 | C#c triggered 1 | C#c resting 1 | A#a triggered 1 | A#a resting 1

    # a stop reserves nothing until it triggers
    with credit=10
    A buy 5 @ 130 stop=110 #a -> armed
    A sell 1 @ 99 -> resting
    marks 110 -> A#a triggered 5 | request 1 charge 100 short 91
    refuse A 1 -> A#a insufficientCredit

    # a triggered stop may be refused
    A buy 5 @ 140 stop=110 #a -> armed
    A sell 5 @ 120 stop=90 reduce #b -> armed
    marks 110 high=130 -> A#a triggered 5 | A#a outsideBand
    marks 89 -> A#b triggered 5 | A#b notReducing

    # an armed stop is cancelled by name, client id and cancel-all
    A buy 5 @ 105 stop=103 #a -> armed
    A buy 5 @ 105 stop=103 id=4 #b -> armed
    A buy 5 @ 105 stop=103 label=2 #c -> armed
    A buy 5 @ 105 stop=103 id=4 -> duplicateClientID
    A cancel #a -> cancelled | A#a cancelled
    A cancel id=4 -> cancelled | A#b cancelled
    A cancelall P label=2 -> cancelled | A#c cancelled

    # an armed stop can be neither amended nor replaced
    A buy 5 @ 105 stop=103 #a -> armed
    A amend #a 1 -> unknownOrder
    A replace #a buy 5 @ 106 -> unknownOrder
    A replace #a buy 5 @ 106 stop=104 -> unsupportedCombination

    # an armed stop expires
    A buy 5 @ 105 stop=103 gtd=5 #a -> armed
    wait 5000 -> A#a expiredOrder
    marks 104 -> nothing

    # the stored answer of an armed stop stays
    A buy 5 @ 105 stop=103 #a -> armed
    marks 104 -> A#a triggered 5 | A#a resting 5
    repeat -> again armed

    # stops that cannot be
    A buy 5 @ 105 stop=0 -> priceOutOfRange
    A buy 5 @ 105 stop=-1 -> priceOutOfRange
    A buy 5 market stop=103 raw=price:100000000 -> unsupportedCombination
    A buy 5 market trail=3 raw=price:100000000 -> unsupportedCombination
    A buy 5 @ 105 stop=103 post -> unsupportedCombination
    A buy 5 @ 105 stop=103 show=2 -> unsupportedCombination
    A buy 5 @ 105 stop=103 min=2 -> unsupportedCombination
    A buy 5 market stop=103 gtd=5 -> unsupportedCombination
    A buy 5 market trail=3 day -> unsupportedCombination
    A buy 5 @ 105.5 stop=103 -> priceOffTick
    A buy 5 @ 105 stop=103 ioc -> armed
    A buy 5 @ 160 stop=103 -> armed
    A buy 5 @ 105 stop=103 by=last raw=source:3 -> unsupportedCombination

    # fired stops are taken up in bounded steps and can still be cancelled
    with step=2
    A buy 1 @ 90 stop=103 #a -> armed
    A buy 1 @ 91 stop=103 #b -> armed
    A buy 1 @ 92 stop=103 #c -> armed
    A buy 1 @ 93 stop=103 #d -> armed
    A buy 1 @ 94 stop=103 #e -> armed
    marks 103 -> A#a triggered 1 | A#a resting 1 | A#b triggered 1 | A#b resting 1
    A cancel #e -> cancelled | A#c triggered 1 | A#c resting 1 | A#d triggered 1 | A#d resting 1 | A#e cancelled
    book -> 1@93 1@92 1@91 1@90 / none

    # stops of a halted book wait for its auction
    A buy 5 @ 105 stop=103 #a -> armed
    op halt P -> applied | P halted
    marks 104 -> nothing
    marks 100 -> nothing
    marks 105 -> nothing
    op auction P 1000 -> applied | P auction | A#a triggered 5 | A#a resting 5

    # a stop fires into an auction
    op auction P 1000 -> applied | P auction
    A buy 5 @ 105 stop=103 #a -> armed
    A buy 5 @ 105 ioc stop=103 #b -> armed
    A buy 5 market stop=103 #c -> armed
    marks 104 -> A#a triggered 5 | A#a resting 5 | A#b triggered 5 | A#b inAuction | A#c triggered 5 | A#c resting 5
    book -> 5@150 5@105 / none
    """)
}
