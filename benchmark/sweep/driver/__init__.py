"""The driver's Ray: started or joined, watched, and cleaned up after."""
