#if NOVATION_PLANT
  import Synchronization

  /// Bugs of the runtime itself, for a test build: a process plants them before its hosts serve.
  public enum HostFaults {
    /// Replies leave before their inputs are durable.
    public static let acknowledgesBeforeSync = Atomic<Bool>(false)
    /// Streams leave before their inputs are durable.
    public static let sendsBeforeSync = Atomic<Bool>(false)
    /// What was sent in a later epoch is received in this one.
    public static let ignoresEpochs = Atomic<Bool>(false)
    /// A machine is rebuilt without its ticks.
    public static let forgetsTicks = Atomic<Bool>(false)
    /// Who hears nothing never asks again.
    public static let neverResubscribes = Atomic<Bool>(false)
    /// Who gave its machine to another copy goes on as if it were the owner.
    public static let goesOnAfterHandOver = Atomic<Bool>(false)
    /// A journal that has never sent what its consumers have heard is taken for the newest.
    public static let believesOldCopies = Atomic<Bool>(false)
    /// An owner stamps by its clock, however far that is ahead of its peers'.
    public static let believesClocks = Atomic<Bool>(false)
  }
#endif
