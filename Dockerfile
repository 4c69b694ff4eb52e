# Small, and no root: docker run --rm -v "$PWD:/work" reconciler validate auth
FROM python:3.12-slim@sha256:78387bc3881b8273120a12ebe6c1ab22b018ccc2c9adf565ae1ac9b536e184ea AS build
COPY . /source
RUN python -m venv /opt/reconciler && /opt/reconciler/bin/pip install --no-cache-dir /source

FROM python:3.12-slim@sha256:78387bc3881b8273120a12ebe6c1ab22b018ccc2c9adf565ae1ac9b536e184ea
RUN apt-get update \
  && apt-get install --yes --no-install-recommends git \
  && rm -rf /var/lib/apt/lists/* \
  && git config --system --add safe.directory '*' \
  && useradd --create-home --uid 10001 reconciler
COPY --from=build /opt/reconciler /opt/reconciler
# What is mounted is another user's: git is told to read it, and what is kept goes elsewhere (or name --state-dir).
ENV PATH=/opt/reconciler/bin:$PATH PYTHONDONTWRITEBYTECODE=1 RECONCILER_STATE_DIR=/tmp/reconciler
USER 10001
WORKDIR /work
ENTRYPOINT ["reconciler"]
