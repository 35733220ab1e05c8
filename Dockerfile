# The site and its commands. It needs DJANGO_SECRET_KEY (or DJANGO_SECRET_KEY_FILE) when it starts and holds no
# secret itself. compose.yaml runs it with PostgreSQL; alone it keeps an SQLite database in the volume /data. Uploaded
# files wait there too.

FROM python:3.11-slim AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements.txt ./
# Wheels only: nothing is compiled, so no compiler is needed and every build installs the same.
RUN pip wheel --only-binary :all: --wheel-dir wheels -r requirements.txt \
    && python -m venv /venv \
    && /venv/bin/pip install --no-index --find-links wheels -r requirements.txt


FROM python:3.11-slim

LABEL org.opencontainers.image.title="Order catalogue" \
      org.opencontainers.image.description="Loads order exports, accounts for every row, and serves them."

ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DATABASE_URL=sqlite:////data/catalog.sqlite3 \
    UPLOAD_FOLDER=/data/uploads \
    BIND=0.0.0.0:8000

# /data and /secrets are where volumes are mounted; a new volume takes over owner and mode from here.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin app \
    && install --directory --owner app --group app --mode 0700 /data /secrets

COPY --from=build /venv /venv
WORKDIR /app
# The program belongs to root: what runs cannot change it.
COPY manage.py gunicorn.conf.py ./
COPY talpa_site talpa_site
COPY catalog catalog
COPY ingestion ingestion
RUN DJANGO_SECRET_KEY=for-this-command-only DATABASE_URL=sqlite:////tmp/none.sqlite3 \
    python manage.py collectstatic --noinput --verbosity 0 \
    && python -m compileall -q /app /venv/lib

# By number, so that an orchestrator can see that it is not root.
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-m", "talpa_site.healthcheck"]
CMD ["gunicorn"]
