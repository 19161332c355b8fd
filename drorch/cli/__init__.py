"""The command line: parse, call app, print, exit code. The only door to click and rich."""
