"""The programs that stand for images; each runs in a process of its own."""
