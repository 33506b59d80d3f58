"""Collectors that write measurements of the outside world into an archive."""

# protocol   what a collector is: something that measures a round of readings when asked
# schedule   when the next round is due
# clock      what time it is, and whether that can be believed
# holding    rounds that wait until it can
# recorder   rounds into streams
# loop       all of these together
# overview   what the archive says about its streams at this moment
# live       that as a table on a terminal; lines: as a line now and then
# host       this machine's own measurements
