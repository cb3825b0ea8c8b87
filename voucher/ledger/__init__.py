"""The book-keeping kernel: the only writer of the ledger's tables. It knows accounts and limits, and no policy."""
