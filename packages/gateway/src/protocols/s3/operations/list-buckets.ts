import type { S3Grant } from "daypass/s3";
import type { ListBuckets } from "../../../operations/list-buckets.ts";
import { permitBuckets } from "../../../pipeline/authorize.ts";
import { invalidArgument, readInteger } from "../arguments.ts";
import { continuationToken, readContinuationToken } from "../continuation.ts";
import type { S3PartialOperation } from "../operation.ts";
import { ownerElement } from "../owner.ts";
import { xmlAnswer } from "../xml.ts";

const PARAMETERS = ["prefix", "max-buckets", "continuation-token", "bucket-region"];
const MAX_BUCKETS = 10_000;

export const listBucketsOperation: S3PartialOperation<ListBuckets> = {
  name: "ListBuckets",
  action: "s3:ListAllMyBuckets",
  method: "GET",
  on: "service",
  parameters: PARAMETERS,
  readsBody: false,
  read({ permit, region }) {
    const { prefix, limit, get } = bucketParameters(permit.grant);
    const token = get("continuation-token");
    const position = token === undefined ? undefined : readContinuationToken(token, [prefix]);
    const elsewhere = (get("bucket-region") ?? region) !== region;
    return {
      operation: "list-buckets",
      permitted: permitBuckets(permit),
      prefix,
      after: position !== undefined && "key" in position ? position.key : undefined,
      limit: elsewhere ? 0 : limit,
      region,
    };
  },
  present({ buckets, truncated, region }, { grant }, { requestId }) {
    const { prefix, limit, get } = bucketParameters(grant);
    const last = truncated && limit > 0 ? buckets.at(-1) : undefined;
    // "If the request contains at least one valid parameter, it is included in the response."
    const asked = PARAMETERS.some((name) => get(name) !== undefined);
    return xmlAnswer({
      root: "ListAllMyBucketsResult",
      elements: [
        ownerElement("Owner"),
        [
          "Buckets",
          buckets.map(({ name, created }) => [
            "Bucket",
            [
              ["Name", name],
              ["CreationDate", created],
              ["BucketRegion", asked ? region : undefined],
            ],
          ]),
        ],
        ["ContinuationToken", last === undefined ? undefined : continuationToken({ key: last.name }, [prefix])],
        ["Prefix", get("prefix")],
      ],
      requestId,
    });
  },
};

function bucketParameters({ parameters }: S3Grant): {
  readonly prefix: string;
  readonly limit: number;
  get(name: string): string | undefined;
} {
  const get = (name: string): string | undefined => parameters.find(([found]) => found === name)?.[1];
  const asked = get("max-buckets");
  const limit = asked === undefined ? MAX_BUCKETS : readInteger(asked);
  if (limit === undefined || limit < 1 || limit > MAX_BUCKETS) {
    const text = `Argument max-buckets must be an integer between 1 and ${MAX_BUCKETS}`;
    throw invalidArgument("max-buckets", asked ?? "", text);
  }
  return { prefix: get("prefix") ?? "", limit, get };
}
