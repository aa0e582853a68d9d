"""What statisticians receive: the rows of a record, where they are kept, and the reindex of all records."""
