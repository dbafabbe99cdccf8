"""What is known of a problem without a network, and what a network is measured by."""
