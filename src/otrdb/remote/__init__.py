"""An archive on another machine, by the same interface: `otrdb.connect` gives it."""
