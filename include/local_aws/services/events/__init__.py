"""What is told of by itself: events on the bus, notifications to topics, and their delivery."""
