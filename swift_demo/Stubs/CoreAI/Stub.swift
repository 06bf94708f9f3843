/// Stands where Apple's implementation would be; nothing here is ever called.
func stub() -> Never { fatalError("a stand-in that is only type-checked") }
