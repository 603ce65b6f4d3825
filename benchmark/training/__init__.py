"""Trains the replicas of one chunk together, step by step."""
