"""What is known of spinal levels in other people: published numbers, PAM50, and a prior of both."""
