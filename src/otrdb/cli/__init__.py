"""The `otrdb` command."""
