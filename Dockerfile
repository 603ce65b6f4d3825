# The image that jobs/rayjob.yaml names: Ray, the dependencies as they were tested, and this package.
#
#   docker build --tag registry.example.org/rates:latest .
#
# The tag of the base must be the Ray version that constraints.txt holds; -gpu has CUDA, -cpu not.
# It was never built where the suite is tested: a test carries out what it copies and installs.
ARG BASE=rayproject/ray:2.60.0-py311-gpu
FROM ${BASE}

# The base runs as ray (group users). A folder that WORKDIR makes would be root's, and pip builds in it.
RUN mkdir /home/ray/rates
WORKDIR /home/ray/rates
COPY --chown=ray:users constraints.txt pyproject.toml setup.cfg README.md LICENSE ./
COPY --chown=ray:users benchmark ./benchmark
COPY --chown=ray:users search_spaces ./search_spaces
COPY --chown=ray:users jobs ./jobs
COPY --chown=ray:users docs ./docs
RUN pip install --no-cache-dir --constraint constraints.txt .

ENV OMP_NUM_THREADS=1 RAY_USAGE_STATS_ENABLED=0
CMD ["python", "-m", "benchmark"]
