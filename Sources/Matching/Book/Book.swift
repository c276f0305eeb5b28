import Bytes
import Market

/// One hosted instrument: its contract, the marks in force, and what is going on in it; what every order needs comes
/// first, in three cache lines.
struct Book: BitwiseCopyable {
  /// Plain orders are taken without a further look while the time is before this; see `ShardMachine.updateGate`.
  var plainUntil = Timestamp.zero
  /// Lowest and highest price of a plain order.
  var plainLow: Int64 = 0
  var plainHigh: Int64 = -1
  /// Most lots of a plain order: at these prices none of its amounts overflows.
  var plainLots: Int64 = 0
  var mark: Int64 = 0
  var marginToBuy: Int64 = 0
  var marginToSell: Int64 = 0
  /// Book deltas sent so far.
  var deltas: UInt64 = 0
  /// Σ shown lots · weight, see `BookDelta`.
  var checksum: UInt64 = 0
  let instrument: InstrumentID
  /// Open orders in the book.
  var orderCount: UInt32 = 0
  let contract: Contract
  /// Σ hidden lots of its icebergs.
  var hiddenLots: Int64 = 0
  var bandLow: Int64 = 0
  var bandHigh: Int64 = 0
  /// Price of the last trade; `hasTraded` tells whether there was one.
  var last: Int64 = 0
  var hasTraded = false
  /// It traded since the triggers on the last price were looked at.
  var isLastNew = false
  var state = TradingState.open
  /// Settlement has been ordered, at `settlementIndex`.
  var isSettling = false
  /// Every position has been cash-settled.
  var isSettled = false
  /// Version of the marks that last named the instrument; they count only while it is the shard's newest.
  var marksVersion: UInt64 = 0
  /// Of one lot, see `ShardMarks`.
  var delta: Int64 = 0
  var vega: Int64 = 0
  var settlementIndex: Int64 = 0
  /// The unfinished order that blocks the book, or 0.
  var sweep: Slot = 0
  /// Operations that wait for the book.
  var queued: UInt32 = 0
  /// Armed stops, by what they watch.
  var stops: UInt32 = 0
  /// When the auction ends, and when it next tells its price.
  var auctionEnd = Timestamp.never
  var indicativeAt = Timestamp.never
  /// The price that is being uncrossed at, or −1; and the lots that have traded.
  var auctionTick: Int64 = -1
  var auctionVolume: Int64 = 0
  /// The pass over the queue in which an operation for this book was passed over.
  var queuePass: UInt64 = 0

  /// The settlement currency's place among the shard's.
  let currency: Int

  init(_ instrument: Instrument, currency: Int) {
    self.instrument = instrument.id
    self.currency = currency
    contract = Contract(instrument)
  }

  /// Whether new orders must wait for an unfinished one.
  @inline(__always) var isBlocked: Bool { sweep != 0 || queued != 0 || state == .uncrossing }
}

/// The shard's books in flat arrays; the memory of a book's ladders is mapped with its first order.
struct BookSet: ~Copyable {
  /// Most instruments of one shard: a resting order names its book by 16 bits.
  static let mostBooks = 1 << 16

  private(set) var count = 0
  private let books: UnsafeMutablePointer<Book>
  private let sides: UnsafeMutablePointer<BookSide>
  private var ladders: [UnsafeMutableRawPointer] = []

  init() {
    assert(MemoryLayout<Book>.stride == 320 && MemoryLayout<BookSide>.stride == 16)
    books = LazyMemory.map(byteCount: Self.mostBooks * MemoryLayout<Book>.stride)
      .bindMemory(to: Book.self, capacity: Self.mostBooks)
    sides = LazyMemory.map(byteCount: Self.mostBooks * 2 * MemoryLayout<BookSide>.stride)
      .bindMemory(to: BookSide.self, capacity: Self.mostBooks * 2)
  }
  deinit {
    for memory in ladders { LazyMemory.unmap(memory, byteCount: BookSide.byteCount) }
    LazyMemory.unmap(books, byteCount: Self.mostBooks * MemoryLayout<Book>.stride)
    LazyMemory.unmap(sides, byteCount: Self.mostBooks * 2 * MemoryLayout<BookSide>.stride)
  }

  /// Adds a book; there must be room.
  mutating func append(_ instrument: Instrument, currency: Int) {
    precondition(count < Self.mostBooks)
    (books + count).initialize(to: Book(instrument, currency: currency))
    (sides + count * 2).initialize(repeating: BookSide(), count: 2)
    count += 1
  }

  @inline(__always) subscript(book: Int) -> Book {
    unsafeAddress {
      assert(book < count)
      return UnsafePointer(books + book)
    }
    unsafeMutableAddress {
      assert(book < count)
      return books + book
    }
  }
  @inline(__always) func at(_ book: Int) -> UnsafeMutablePointer<Book> { books + book }

  /// The side in place; nothing but `best` may be asked of it before it is mapped.
  @inline(__always) func side(_ book: Int, _ side: Side) -> UnsafeMutablePointer<BookSide> {
    sides + (book &* 2 &+ Int(side.rawValue))
  }

  /// Gives the side its memory, if it has none yet.
  @inline(__always) mutating func map(_ book: Int, _ side: Side) {
    let place = self.side(book, side)
    if !place.pointee.isMapped { map(place) }
  }
  @inline(never) private mutating func map(_ place: UnsafeMutablePointer<BookSide>) {
    let memory = LazyMemory.map(byteCount: BookSide.byteCount)
    ladders.append(memory)
    place.pointee.map(memory)
  }
}
