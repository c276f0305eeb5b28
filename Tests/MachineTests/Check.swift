import Testing

/// `#expect` of a value whose making changes something, which the macro cannot take.
func check<Value: Equatable>(
  _ value: Value, is expected: Value, _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(value == expected, comment, sourceLocation: sourceLocation)
}
