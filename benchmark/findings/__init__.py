"""What a study's results say: verdicts, tables and figures as data, a file per question.

``benchmark.report`` shows them; nothing here knows of pages or drawings.
"""
