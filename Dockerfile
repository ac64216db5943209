FROM apache/airflow:3.3.2-python3.11

COPY requirements.txt requirements-local.txt requirements-compose.txt /tmp/requirements/
RUN pip install --no-cache-dir \
      --requirement /tmp/requirements/requirements.txt \
      --requirement /tmp/requirements/requirements-local.txt \
      --requirement /tmp/requirements/requirements-compose.txt

USER root
# A volume takes over its mount point's owner: any user of group 0 can write there.
RUN install --directory --owner=airflow --group=0 --mode=0775 /var/lib/local-aws /opt/airflow/.local/demo
USER airflow

COPY --chown=airflow:0 dags /opt/airflow/dags
COPY --chown=airflow:0 plugins /opt/airflow/plugins
COPY --chown=airflow:0 include /opt/airflow/include
