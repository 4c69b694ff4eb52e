"""The floor: bare boto3 in threads making a fleet's reads, ``python -m benchmarks.bare COUNT PARALLELISM``.

Prints the seconds of CPU that the reads took, as JSON; the client is made before.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config

from benchmarks.fleet import ENVIRONMENT, RESOURCE, app_of


def main(count: int, parallelism: int) -> None:
    """Read every target once."""
    client = boto3.client("amplifybackend", config=Config(max_pool_connections=parallelism))

    def read(number: int) -> Any:
        return client.get_backend_auth(AppId=app_of(number), BackendEnvironmentName=ENVIRONMENT, ResourceName=RESOURCE)

    before = time.process_time()
    with ThreadPoolExecutor(parallelism) as pool:
        answers = list(pool.map(read, range(count)))
    took = time.process_time() - before
    if not all(answer["ResourceConfig"] for answer in answers):
        sys.exit("an answer has no ResourceConfig")
    sys.stdout.write(json.dumps({"cpu": took}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
