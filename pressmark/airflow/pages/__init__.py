"""The operator pages inside Airflow. `pressmark.airflow.plugin` registers them.

Pages query `mart` as the analyst, with a short time limit. All content from outlets is escaped. Links are relative, so
that the pages work behind a path prefix, and nothing is loaded from other servers.
"""
