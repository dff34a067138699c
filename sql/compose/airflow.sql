-- Airflow's metadata beside the warehouse; run once, by the Postgres image, when its volume is empty.
CREATE DATABASE airflow;
