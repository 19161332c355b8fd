"""The quarterly report for people: HTML, PDF and Markdown, in English and French."""
