"""What each command of ``streamer`` does."""
