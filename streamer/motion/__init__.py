"""Where pixels went: the levels of a frame, flow to the frame before, and the anchors that it leads back to."""
