"""Signs upload forms with boto3. Reads JSON lines, writes a form for each. botocore takes the time from the clock."""
import json
import sys
import time

import boto3
from botocore.config import Config

clients = {}


def client(request):
    credentials = request["credentials"]
    names = (request["endpoint"], request["region"], request["addressing"], credentials["accessKeyId"], request["version"])
    if names not in clients:
        clients[names] = boto3.client(
            "s3",
            endpoint_url=request["endpoint"],
            region_name=request["region"],
            aws_access_key_id=credentials["accessKeyId"],
            aws_secret_access_key=credentials["secretAccessKey"],
            aws_session_token=credentials.get("sessionToken"),
            config=Config(
                signature_version={"v4": "s3v4", "v2": "s3"}[request["version"]],
                s3={"addressing_style": request["addressing"]},
            ),
        )
    return clients[names]


def sign(request):
    return client(request).generate_presigned_post(
        request["bucket"],
        request["key"],
        Fields=request["fields"],
        # boto3 binds no field by itself.
        Conditions=request["conditions"],
        ExpiresIn=request["expiresIn"],
    )


def sign_within_one_second(request):
    """botocore reads the clock twice, for the policy's end and for the signature: both must give one time."""
    while True:
        second = int(time.time())
        form = sign(request)
        if int(time.time()) == second:
            return form


for line in sys.stdin:
    print(json.dumps(sign_within_one_second(json.loads(line))))
