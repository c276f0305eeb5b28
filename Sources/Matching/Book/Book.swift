import Bytes
import Market

/// One hosted instrument: its contract, the marks in force, and the handles of its two sides.
struct Book: BitwiseCopyable {
  let instrument: InstrumentID
  let contract: Contract
  /// Version of the marks that last named the instrument; they count only while it is the shard's newest.
  var marksVersion: UInt64 = 0
  var mark: Int64 = 0
  var marginToBuy: Int64 = 0
  var marginToSell: Int64 = 0
  var bandLow: Int64 = 0
  var bandHigh: Int64 = 0
  /// Book deltas sent so far.
  var deltas: UInt64 = 0
  /// Σ shown lots · weight, see `BookDelta`.
  var checksum: UInt64 = 0
  /// Open orders in the book.
  var orderCount = 0
  /// Settlement has been ordered, at `settlementIndex`.
  var isSettling = false
  /// Every position has been cash-settled.
  var isSettled = false
  var settlementIndex: Int64 = 0

  init(_ instrument: Instrument) {
    self.instrument = instrument.id
    contract = Contract(instrument)
  }
}

/// The shard's books in two flat arrays; the memory of a book's ladders is mapped with its first order.
struct BookSet: ~Copyable {
  /// Most instruments of one shard: a resting order names its book by 16 bits.
  static let mostBooks = 1 << 16

  private(set) var count = 0
  private var books: UnsafeMutablePointer<Book>
  private var sides: UnsafeMutablePointer<BookSide?>
  private var ladders: [UnsafeMutableRawPointer] = []

  init(_ instruments: [Instrument]) {
    count = instruments.count
    books = .allocate(capacity: max(1, count))
    sides = .allocate(capacity: max(1, count) * 2)
    for (place, instrument) in instruments.enumerated() { (books + place).initialize(to: Book(instrument)) }
    sides.initialize(repeating: nil, count: count * 2)
  }
  deinit {
    for memory in ladders { LazyMemory.unmap(memory, byteCount: BookSide.byteCount) }
    books.deallocate()
    sides.deallocate()
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

  /// The side as it is, or `nil` while nothing ever rested there.
  @inline(__always) func side(_ book: Int, _ side: Side) -> BookSide? { sides[book &* 2 &+ Int(side.rawValue)] }

  /// The side in place, mapped if it is not yet.
  @inline(__always) mutating func mapped(_ book: Int, _ side: Side) -> UnsafeMutablePointer<BookSide> {
    let place = sides + (book &* 2 &+ Int(side.rawValue))
    if place.pointee == nil { map(place) }
    return UnsafeMutableRawPointer(place).assumingMemoryBound(to: BookSide.self)
  }

  @inline(never) private mutating func map(_ place: UnsafeMutablePointer<BookSide?>) {
    let memory = LazyMemory.map(byteCount: BookSide.byteCount)
    ladders.append(memory)
    place.pointee = BookSide(memory)
  }
}
