"""What Airflow runs of Pressmark. Only this package imports Airflow."""
