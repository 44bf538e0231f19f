"""Archives that nobody vouches for, unpacked or refused."""
