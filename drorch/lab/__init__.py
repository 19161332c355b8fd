"""Embedded S3 regions on loopback, for trying, tests and the demo.

Knows rclone's command line and where its binary lies; nothing of what is stored in the regions.
"""
