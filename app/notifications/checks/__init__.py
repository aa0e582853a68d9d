"""Whether messages are as they should be, before anybody receives one."""
