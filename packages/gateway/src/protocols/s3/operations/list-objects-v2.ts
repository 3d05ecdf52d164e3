import type { ListObjects } from "../../../operations/list-objects.ts";
import { permitPrefix } from "../../../pipeline/authorize.ts";
import { positionAfter } from "../../../storage/contract/listing.ts";
import { invalidArgument } from "../arguments.ts";
import { continuationToken, readContinuationToken } from "../continuation.ts";
import { entries, LIST_PARAMETERS, type ListParameters, limits, listParameters } from "../listing.ts";
import type { S3PartialOperation } from "../operation.ts";
import { xmlAnswer } from "../xml.ts";

export const listObjectsV2Operation: S3PartialOperation<ListObjects> = {
  name: "ListObjectsV2",
  action: "s3:ListBucket",
  method: "GET",
  on: "keys",
  selectors: ["list-type"],
  parameters: [...LIST_PARAMETERS, "continuation-token", "start-after", "fetch-owner"],
  readsBody: false,
  read({ permit }) {
    const parameters = listParameters(permit.grant);
    const { prefix, delimiter, limit, get } = parameters;
    const type = get("list-type") ?? "";
    if (type !== "2") throw invalidArgument("list-type", type, "Invalid List Type specified in Request");
    const token = get("continuation-token");
    const start = get("start-after") || undefined;
    // "StartAfter is where you want Amazon S3 to start listing from": a key itself, so of a rolled-up prefix the rest counts.
    const first = start === undefined ? undefined : { key: start };
    const after = token === undefined ? first : readContinuationToken(token, identity(permit.bucket, parameters));
    return { operation: "list-objects", keys: permitPrefix(permit, prefix), delimiter, after, limit };
  },
  present(result, { grant }, { requestId }) {
    const parameters = listParameters(grant);
    const { prefix, encode, get } = parameters;
    const { page, bucket } = result;
    const last = page.truncated ? page.entries.at(-1) : undefined;
    const start = get("start-after");
    return xmlAnswer({
      root: "ListBucketResult",
      elements: [
        ["Name", bucket],
        ["Prefix", encode(prefix)],
        ["ContinuationToken", get("continuation-token")],
        [
          "NextContinuationToken",
          last === undefined ? undefined : continuationToken(positionAfter(last), identity(bucket, parameters)),
        ],
        ["StartAfter", start === undefined ? undefined : encode(start)],
        ["KeyCount", page.entries.length],
        ...limits(result, parameters),
        ...entries(result, parameters, { element: "Contents", owner: get("fetch-owner") === "true" }),
      ],
      requestId,
    });
  },
};

function identity(bucket: string, { prefix, delimiter = "" }: ListParameters): readonly string[] {
  return [bucket, prefix, delimiter];
}
