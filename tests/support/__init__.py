"""What the tests share: scenes and fakes, never the rules under test."""
