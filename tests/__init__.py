"""The tests; how they are laid out stands in tests/README.md."""
