# personax with all extras, for a processor. No study is in the image: mount a folder of studies.
#
#   docker build --tag personax .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD/studies:/studies" personax run my-study
#
# Where an index offers a small build of torch without CUDA, name it: --build-arg PIP_EXTRA_INDEX_URL=...
ARG PYTHON=3.11.13-slim-bookworm

FROM python:${PYTHON} AS build
ARG PIP_EXTRA_INDEX_URL=""
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/personax
WORKDIR /source
# The packages change less often than the code, so they are a layer of their own.
COPY constraints.txt ./
RUN /opt/personax/bin/python -m pip install --constraint constraints.txt torch==2.13.0
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN /opt/personax/bin/python -m pip install --constraint constraints.txt ".[all]" \
    && /opt/personax/bin/personax doctor

FROM python:${PYTHON}
COPY --from=build /opt/personax /opt/personax
RUN useradd --uid 10001 --create-home personax && install --directory --owner=personax --mode=0700 /studies
ENV PATH=/opt/personax/bin:$PATH
USER 10001
WORKDIR /studies
VOLUME /studies
ENTRYPOINT ["personax"]
CMD ["--help"]
