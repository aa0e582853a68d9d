"""What all routes share: request ids, bodies, and errors of one shape."""
