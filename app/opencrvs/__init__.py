"""How we call OpenCRVS core."""
