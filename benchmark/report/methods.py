def blocks(results): return []
def citation(): return ""
