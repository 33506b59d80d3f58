"""Files: medium, segments, journal, catalog, locks. Knows no trees."""
