"""The measurements of docs/benchmarks.md: `make bench`."""
