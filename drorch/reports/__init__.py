"""Reports: a run's document (core/document.py) made readable. Knows values and templates, nothing else."""
