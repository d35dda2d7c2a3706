"""Results as ROS 2 messages, made without ROS: what the MCAP file holds and what the example node publishes."""
