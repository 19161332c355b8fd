"""The restic wrapper: argv, JSON, exit codes, versions. Nothing else in the program knows them."""
