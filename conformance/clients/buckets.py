"""What boto3 sees of buckets and listings. Writes one JSON document."""
import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint, bucket = sys.argv[1:]
config = Config(s3={"addressing_style": "path"})
client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=config)
seen = {}


def refused(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "not refused"


def keys(operation, size, **arguments):
    pages = client.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": size}, **arguments)
    named = "Versions" if operation == "list_object_versions" else "Contents"
    return [entry["Key"] for page in pages for entry in page.get(named, [])]


for operation in ("list_objects", "list_objects_v2", "list_object_versions"):
    seen[operation] = [keys(operation, size) for size in (5, 1000)]
folders = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 2})
seen["folders"] = [prefix["Prefix"] for page in folders for prefix in page.get("CommonPrefixes", [])]

client.create_bucket(Bucket="boto-made")
client.get_waiter("bucket_exists").wait(Bucket="boto-made", WaiterConfig={"Delay": 1, "MaxAttempts": 2})
seen["again"] = client.create_bucket(Bucket="boto-made")["Location"]
seen["named"] = refused(client.create_bucket, Bucket="boto..made")
seen["region"] = client.head_bucket(Bucket="boto-made")["BucketRegion"]
resource = boto3.resource("s3", endpoint_url=endpoint, region_name="us-east-1", config=config).Bucket("boto-made")
for key in ("a", "b c", "d/e&<f>"):
    resource.put_object(Key=key, Body=b"x")
seen["full"] = refused(client.delete_bucket, Bucket="boto-made")
seen["deleted"] = sorted(entry["Key"] for batch in resource.objects.all().delete() for entry in batch["Deleted"])
resource.delete()
seen["gone"] = refused(client.list_objects_v2, Bucket="boto-made")
seen["buckets"] = [entry["Name"] for entry in client.list_buckets()["Buckets"]]
rule = {"AllowedOrigins": ["https://*.example.com"], "AllowedMethods": ["GET"], "MaxAgeSeconds": 60}
client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
seen["cors"] = client.get_bucket_cors(Bucket=bucket)["CORSRules"] == [rule]
client.delete_bucket_cors(Bucket=bucket)
seen["no_cors"] = refused(client.get_bucket_cors, Bucket=bucket)
seen["versioning"] = client.get_bucket_versioning(Bucket=bucket).get("Status", "none")
seen["policy"] = refused(client.get_bucket_policy, Bucket=bucket)
print(json.dumps(seen))
