"""What pages, the API and reports read; nothing here writes."""
