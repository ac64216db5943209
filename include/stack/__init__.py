"""The embedded AWS and Airflow as child processes on this machine: started, watched and stopped together."""
