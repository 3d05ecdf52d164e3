"""Copies and joins objects at a gateway that takes long for it, with boto3, and prints what came of it as JSON.

Usage: long-work.py <endpoint> <bucket> <source>; credentials and region by environment.
"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint, bucket, source = sys.argv[1:]
s3 = boto3.client(
    "s3",
    endpoint_url=endpoint,
    # A failure is asked for once: whether it is tried again is another question.
    config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
)
copy_source = {"Bucket": bucket, "Key": source}


def refusal(call, **arguments):
    try:
        call(Bucket=bucket, **arguments)
    except ClientError as error:
        return [error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]]
    return None


copied = s3.copy_object(Bucket=bucket, Key="boto3/copy", CopySource=copy_source)
upload = {"Bucket": bucket, "Key": "boto3/joined"}
upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
part = s3.upload_part_copy(PartNumber=1, CopySource=copy_source, **upload)
parts = [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]
joined = s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **upload)
print(
    json.dumps(
        {
            "copied": copied["CopyObjectResult"]["ETag"],
            "part": part["CopyPartResult"]["ETag"],
            "joined": joined["ETag"],
            "body": s3.get_object(Bucket=bucket, Key="boto3/joined")["Body"].read().decode(),
            "failed": refusal(s3.copy_object, Key="fails", CopySource=copy_source),
        }
    )
)
