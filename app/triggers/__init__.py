"""What we are told: the catalogue of triggers, their payloads, and the routes that take them."""
