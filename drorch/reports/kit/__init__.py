"""The recovery kit for the safe: HTML and PDF, in English and French."""
