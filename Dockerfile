# The fake as a container: no rights, one volume, a health check; pip is the only thing that needs a network.
FROM python:3.13-slim

WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY pytest_ocbulk pytest_ocbulk
COPY fake_server fake_server
RUN pip install --no-cache-dir --constraint constraints.txt . \
    && rm -rf /src \
    && useradd --system --no-create-home --uid 10001 ocbulk \
    && install --directory --owner ocbulk /data

USER ocbulk
WORKDIR /data
VOLUME /data
EXPOSE 8765
ENV OCBULK_HOST=0.0.0.0 OCBULK_PORT=8765 OCBULK_DATA=/data/ocbulk OCBULK_LOG_FORMAT=json PYTHONUNBUFFERED=1

# Health wants the control token like every control call; who set none cannot know it, so any answer is a sign of life.
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s --retries=3 CMD ["python", "-c", "\
import os, sys, urllib.error, urllib.request as web\n\
url = f'http://127.0.0.1:{os.environ[\"OCBULK_PORT\"]}/__ocbulk__/health'\n\
ask = web.Request(url, headers={'Authorization': 'Bearer ' + os.environ.get('OCBULK_CONTROL_TOKEN', '')})\n\
try: web.urlopen(ask, timeout=2)\n\
except urllib.error.HTTPError as error: sys.exit(error.code != 401)\n\
except OSError: sys.exit(1)"]

ENTRYPOINT ["ocbulk-server"]
