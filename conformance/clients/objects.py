"""What boto3's transfer manager and client do with large objects. Writes one JSON document of what it saw."""
import io
import json
import os
import sys

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint, bucket = sys.argv[1:]
client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=Config(s3={"addressing_style": "path"}))
MB = 1024 * 1024
transfer = TransferConfig(multipart_threshold=5 * MB, multipart_chunksize=5 * MB, max_concurrency=4)
content = os.urandom(12 * MB)
seen = {}


def read(key):
    into = io.BytesIO()
    client.download_fileobj(bucket, key, into, Config=transfer)
    return "same bytes" if into.getvalue() == content else "other bytes"


def refused(call, **arguments):
    try:
        call(Bucket=bucket, **arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "not refused"


extra = {"Metadata": {"author": "Ada"}, "Tagging": "a=1"}
client.upload_fileobj(io.BytesIO(content), bucket, "boto/up.bin", Config=transfer, ExtraArgs=extra)
seen["uploaded"] = read("boto/up.bin")
etag = client.head_object(Bucket=bucket, Key="boto/up.bin")["ETag"]
seen["unchanged"] = refused(client.get_object, Key="boto/up.bin", IfNoneMatch=etag)
seen["parts"] = client.head_object(Bucket=bucket, Key="boto/up.bin", PartNumber=1)["PartsCount"]
client.copy({"Bucket": bucket, "Key": "boto/up.bin"}, bucket, "boto/side ways+.bin", Config=transfer)
seen["copied"] = read("boto/side ways+.bin")
seen["copied_parts"] = client.head_object(Bucket=bucket, Key="boto/side ways+.bin", PartNumber=3)["PartsCount"]
seen["tags"] = client.get_object_tagging(Bucket=bucket, Key="boto/up.bin")["TagSet"]
seen["metadata"] = client.head_object(Bucket=bucket, Key="boto/up.bin")["Metadata"]
attributes = client.get_object_attributes(Bucket=bucket, Key="boto/up.bin", ObjectAttributes=["ObjectParts"])
seen["attributes"] = attributes["ObjectParts"]["TotalPartsCount"]

left = client.create_multipart_upload(Bucket=bucket, Key="boto/left.bin")["UploadId"]
uploads = client.list_multipart_uploads(Bucket=bucket, Prefix="boto/")["Uploads"]
seen["listed"] = [upload["Key"] for upload in uploads]
named = {"Key": "boto/left.bin", "UploadId": left}
parts = [
    {"PartNumber": number, "ETag": client.upload_part(Bucket=bucket, PartNumber=number, Body=b"small", **named)["ETag"]}
    for number in (1, 2)
]
seen["small_part"] = refused(client.complete_multipart_upload, MultipartUpload={"Parts": parts}, **named)
client.abort_multipart_upload(Bucket=bucket, **named)
seen["aborted"] = refused(client.list_parts, **named)
seen["raced"] = refused(client.put_object, Key="boto/up.bin", Body=b"x", IfNoneMatch="*")
print(json.dumps(seen))
