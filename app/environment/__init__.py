"""The environment: the variables that are read, their forms and defaults, and what is wrong with them."""
