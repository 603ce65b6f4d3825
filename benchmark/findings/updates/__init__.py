"""One-step updates: does a rule keep them of one size at every depth?"""
