"""An invented hospital to practise on: its records, its documents and its own tooling.

It knows what such data looks like and nothing of backups: `production` makes it, changes it as
a working day does, and says what a restored copy must hold.
"""
