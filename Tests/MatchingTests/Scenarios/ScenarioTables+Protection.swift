extension ScenarioTables {
  /// Cases of protection.
  static let protection = ScenarioCase.parse(
    "protection",
    """
    # a limit on quantity cancels the quotes in the same step
    M protect 5 window=1000 freeze=500 -> applied
    M quote P 4@99 4@101 #p -> quoted
    M quote Q 4@99 4@101 #q -> quoted
    A sell 2 @ 99 -> filled 2 | trade M#p 2@99
    A sell 2 @ 99 -> filled 2 | trade M#p 2@99 | tripped M until +500 | M#q-ask cancelledByProtection | \
      M#q cancelledByProtection | M#p-ask cancelledByProtection
    book -> none / none
    book Q -> none / none
    M quote P 4@99 4@101 #r -> protectionFrozen | M#r protectionFrozen | M#r-ask protectionFrozen
    wait 499 -> nothing
    M quote P 4@99 4@101 #s -> protectionFrozen | M#s protectionFrozen | M#s-ask protectionFrozen
    wait 1 -> nothing
    M quote P 4@99 4@101 #t -> quoted

    # a share is the limit over the shards that host the underlying
    M protect 3 window=1000 freeze=500 -> applied
    M quote P 9@99 - #p -> quoted
    A sell 1 @ 99 -> filled 1 | trade M#p 1@99
    A sell 1 @ 99 -> filled 1 | trade M#p 1@99 | tripped M until +500 | M#p cancelledByProtection

    # the window rolls
    M protect 8 window=1000 freeze=500 -> applied
    M quote P 9@99 - #p -> quoted
    A sell 3 @ 99 -> filled 3 | trade M#p 3@99
    later 999
    A sell 1 @ 99 -> filled 1 | trade M#p 1@99
    later 1
    A sell 3 @ 99 -> filled 3 | trade M#p 3@99
    A sell 1 @ 99 -> filled 1 | trade M#p 1@99 | tripped M until +1500 | M#p cancelledByProtection

    # a net limit counts both ways
    marks 100 delta=2 vega=1 -> nothing
    M protect 0 window=1000 freeze=500 delta=12 -> applied
    M quote P 9@99 9@101 #p -> quoted
    A sell 3 @ 99 -> filled 3 | trade M#p 3@99
    A buy 3 @ 101 -> filled 3 | trade M#p-ask 3@101
    A sell 3 @ 99 -> filled 3 | trade M#p 3@99
    A sell 1 @ 99 -> filled 1 | trade M#p 1@99 | tripped M until +500 | M#p-ask cancelledByProtection | \
      M#p cancelledByProtection

    # vega has a limit of its own
    marks 100 delta=2 vega=1 -> nothing
    M protect 0 window=1000 freeze=500 vega=4 -> applied
    M quote P 9@99 9@101 #p -> quoted
    A sell 2 @ 99 -> filled 2 | trade M#p 2@99
    A sell 1 @ 99 -> filled 1 | trade M#p 1@99 | tripped M until +500 | M#p-ask cancelledByProtection | \
      M#p cancelledByProtection

    # only fills of quotes as makers count
    M protect 4 window=1000 freeze=500 -> applied
    M buy 9 @ 99 #o -> resting
    M quote P 9@98 9@102 #p -> quoted
    A sell 9 @ 99 -> filled 9 | trade M#o 9@99
    A sell 9 @ 110 -> resting
    M buy 5 @ 110 -> selfTradePrevented

    # without a freeze it lasts until reset
    M protect 2 window=1000 -> applied
    M quote P 9@99 - #p -> quoted
    A sell 2 @ 99 -> filled 2 | trade M#p 2@99 | tripped M until reset | M#p cancelledByProtection
    wait 100000 -> nothing
    M quote P 9@99 - #q -> protectionFrozen | M#q protectionFrozen
    M reset -> applied
    M quote P 9@99 - #r -> quoted

    # a trip elsewhere freezes here too
    M quote P 9@99 9@101 #p -> quoted
    tripped-elsewhere M 300 -> M#p-ask cancelledByProtection | M#p cancelledByProtection
    M quote P 9@99 - #q -> protectionFrozen | M#q protectionFrozen
    wait 300 -> nothing
    M quote P 9@99 - #r -> quoted

    # a trip in the middle of a sweep takes the rest of the quotes out of it
    M protect 2 window=1000 freeze=500 -> applied
    M quote P 2@99 - ; quote P 5@98 - #p -> quoted, quoted
    B buy 3 @ 97 -> resting
    A sell 9 @ 97 -> resting 5 | trade M 2@99 | tripped M until +500 | M#p cancelledByProtection | trade B 3@97
    book -> none / 4@97

    # quotes that are out stay out though the job is late
    with step=2
    M protect 2 window=1000 freeze=500 -> applied
    M quote P 5@99 5@101 #p -> quoted
    M quote Q 5@99 5@101 #q -> quoted
    A sell 2 @ 99 -> filled 2 | trade M#p 2@99 | tripped M until +500 | M#q-ask cancelledByProtection
    M reset -> applied | M#q cancelledByProtection | M#p-ask cancelledByProtection
    continue -> M#p cancelledByProtection
    book -> none / none
    book Q -> none / none

    # settings that cannot be
    M protect -1 window=1000 -> unsupportedCombination
    M protect 5 -> unsupportedCombination
    M protect 0 -> applied
    M protect 5 window=1000 label=1 -> unsupportedCombination
    M protect 5 window=1000 Q -> unsupportedCombination
    M reset label=1 -> unsupportedCombination
    M reset Q -> unsupportedCombination

    # setting it anew forgets what was counted
    M protect 4 window=1000 freeze=500 -> applied
    M quote P 9@99 - #p -> quoted
    A sell 2 @ 99 -> filled 2 | trade M#p 2@99
    M protect 4 window=1000 freeze=500 -> applied
    A sell 2 @ 99 -> filled 2 | trade M#p 2@99
    A sell 1 @ 99 -> filled 1 | trade M#p 1@99 | tripped M until +500 | M#p cancelledByProtection

    # the dead man's orders go when his time is up
    A buy 1 @ 90 #a -> resting
    A buy 1 @ 110 stop=110 #s -> armed
    A deadman 500 -> applied
    A deadman 500 -> applied
    wait 499 -> nothing
    A buy 1 @ 91 #b -> resting
    wait 1 -> A#b cancelledByDeadMan | A#a cancelledByDeadMan | A#s cancelledByDeadMan
    A buy 1 @ 90 #c -> resting
    wait 1000 -> nothing

    # a dead-man timer is put off and disarmed
    A buy 1 @ 90 #a -> resting
    A deadman 500 -> applied
    wait 400 -> nothing
    A deadman 500 -> applied
    wait 400 -> nothing
    A deadman 0 -> applied
    wait 4000 -> nothing
    A deadman 500 label=1 -> unsupportedCombination

    # a kill switch cancels all and refuses until it is lifted
    A buy 1 @ 90 #a -> resting
    A buy 1 @ 110 stop=110 #s -> armed
    A kill -> applied | A#a cancelledByKillSwitch | A#s cancelledByKillSwitch
    A buy 1 @ 90 -> accountKilled
    A cancelall all -> cancelled
    A unkill -> applied
    A buy 1 @ 90 -> resting
    A kill raw=type:2 -> unsupportedCombination
    A kill label=4 -> unsupportedCombination

    # only the house lifts what the house set
    A buy 1 @ 90 #a -> resting
    op kill A -> applied | A#a cancelledByKillSwitch
    A buy 1 @ 90 -> accountKilled
    A unkill -> notAuthorised
    op unkill A -> applied
    A buy 1 @ 90 -> resting
    op kill raw=nonce:77 -> unknownAccount
    op kill A label=3 -> unsupportedCombination

    # the house can lift what an account set
    A kill -> applied
    op unkill A -> applied
    A buy 1 @ 90 -> resting
    """)
}
