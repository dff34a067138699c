"""Outlet health: the rules that evaluate an outlet (`rules`, pure) and the database around them (`monitor`)."""
