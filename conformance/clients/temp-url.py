# Makes TempURLs with python-swiftclient: a JSON object a line in, a URL path a line out (as JSON, it may hold line feeds).
import json
import sys

from swiftclient.utils import generate_temp_url

for line in sys.stdin:
    wish = json.loads(line)
    url = generate_temp_url(
        wish["path"],
        wish["expires"],
        wish["key"],
        wish["method"],
        absolute=True,
        prefix=wish["prefix"],
        iso8601=wish["iso"],
        ip_range=wish["ip"],
        digest=wish["digest"],
    )
    print(json.dumps(url))
