"""What Prometheus is told at `GET /metrics`: what the processes have counted, and what is open in the database."""
