"""What is on disk, byte by byte: names of log segments, records of the timeline.

Pure: bytes and numbers in, bytes and numbers out. `store` moves them.
"""
