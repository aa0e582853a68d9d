"""What other systems are told: subscriptions, filters, formats, sending."""
