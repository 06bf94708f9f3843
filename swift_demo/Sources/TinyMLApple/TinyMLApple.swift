// The content of this target needs Apple's frameworks.
