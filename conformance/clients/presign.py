"""Presigns with boto3. Reads JSON lines of requests, writes a URL for each. botocore takes the time from the clock."""
import json
import sys

import boto3
from botocore.config import Config

OPERATIONS = {"GET": "get_object", "PUT": "put_object", "HEAD": "head_object", "DELETE": "delete_object"}
clients = {}


def client(request):
    credentials = request["credentials"]
    token = credentials.get("sessionToken")
    names = (request["endpoint"], request["region"], request["addressing"], credentials["accessKeyId"], request["version"])
    if names not in clients:
        clients[names] = boto3.client(
            "s3",
            endpoint_url=request["endpoint"],
            region_name=request["region"],
            aws_access_key_id=credentials["accessKeyId"],
            aws_secret_access_key=credentials["secretAccessKey"],
            aws_session_token=token,
            config=Config(
                signature_version={"v4": "s3v4", "v2": "s3"}[request["version"]],
                s3={"addressing_style": request["addressing"]},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
    return clients[names]


for line in sys.stdin:
    request = json.loads(line)
    operation = OPERATIONS[request["method"]]
    params = dict(request["params"], Bucket=request["bucket"])
    if request.get("key") is None:
        operation = "head_bucket"
    else:
        params["Key"] = request["key"]
    if "UploadId" in params:
        operation = "upload_part"
    print(client(request).generate_presigned_url(operation, Params=params, ExpiresIn=request["expiresIn"]))
