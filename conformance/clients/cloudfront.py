"""Signs with botocore's CloudFrontSigner. Reads the key, then JSON lines of requests, and writes a URL for each."""
import json
import sys
from datetime import datetime, timezone

from botocore.signers import CloudFrontSigner
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

lines = iter(sys.stdin)
key = serialization.load_pem_private_key(json.loads(next(lines)).encode(), None)
signer = CloudFrontSigner("K2JCJMDEHXQW5F", lambda text: key.sign(text, padding.PKCS1v15(), hashes.SHA1()))


def moment(seconds):
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)


for line in lines:
    wish = json.loads(line)
    resource, start, ip = wish.get("resource"), wish.get("start"), wish.get("ip")
    if resource is None and start is None and ip is None:
        url = signer.generate_presigned_url(wish["url"], date_less_than=moment(wish["end"]))
    else:
        policy = signer.build_policy(resource or wish["url"], moment(wish["end"]), moment(start), ip)
        url = signer.generate_presigned_url(wish["url"], policy=policy)
    print(json.dumps(url))
