"""Speed, size and published numbers, measured against other ways of doing the same; nothing here is installed."""
