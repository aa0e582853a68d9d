"""What we owe: deliveries, their claims and attempts, the retry schedule, circuits, and the worker."""
