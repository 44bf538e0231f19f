"""Files from servers: which addresses are allowed, downloads that continue, failures in words."""
