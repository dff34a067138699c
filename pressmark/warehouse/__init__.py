"""The PostgreSQL warehouse, on the embedded server or an external one."""
