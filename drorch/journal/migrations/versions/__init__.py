"""One file for each revision; journal/schema.py names the newest."""
