"""How likely a study is to answer: its own plan and findings, on rows whose truth is planted."""
