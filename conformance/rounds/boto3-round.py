"""One step of the round, by boto3: step, endpoint, bucket, signature version. Credentials come from the environment."""
import sys
import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

step, endpoint, bucket, version = sys.argv[1:5]
s3 = boto3.client("s3", endpoint_url=endpoint, config=Config(signature_version=version, s3={"addressing_style": "path"}))
MB = 1024 * 1024


def create():
    s3.create_bucket(Bucket=bucket)


def put():
    with open("small.txt", "rb") as body:
        s3.put_object(Bucket=bucket, Key="dir/small.txt", Body=body)


def put_big():
    with open("big.bin", "rb") as body:
        s3.put_object(Bucket=bucket, Key="big.bin", Body=body)


def multipart():
    s3.upload_file("big.bin", bucket, "parts.bin", Config=TransferConfig(multipart_threshold=8 * MB, multipart_chunksize=8 * MB))


def list_():
    keys = [item["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2}) for item in page["Contents"]]
    assert keys == ["big.bin", "dir/small.txt", "parts.bin"], keys
    older = s3.list_objects(Bucket=bucket, Delimiter="/")
    assert [item["Prefix"] for item in older["CommonPrefixes"]] == ["dir/"], older


def presign():
    print(s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "dir/small.txt"}, ExpiresIn=60))


def fetch():
    s3.download_file(bucket, "parts.bin", "out.bin")


def delete():
    keys = [{"Key": key} for key in ("big.bin", "parts.bin")]
    assert len(s3.delete_objects(Bucket=bucket, Delete={"Objects": keys})["Deleted"]) == 2
    s3.delete_object(Bucket=bucket, Key="dir/small.txt")
    s3.delete_bucket(Bucket=bucket)


{"create": create, "put": put, "put 100 MB": put_big, "multipart": multipart, "list": list_, "presign": presign, "fetch": fetch, "delete": delete}[step]()
