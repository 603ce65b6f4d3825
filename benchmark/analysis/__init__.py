"""Statistics on plain arrays: numpy and scipy in, frozen dataclasses out."""
