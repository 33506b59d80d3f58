"""Two simpler archivers with the same interface, to check and measure against."""
