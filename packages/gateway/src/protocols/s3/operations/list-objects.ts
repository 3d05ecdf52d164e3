import type { ListObjects } from "../../../operations/list-objects.ts";
import { permitPrefix } from "../../../pipeline/authorize.ts";
import { afterMarker, entries, LIST_PARAMETERS, limits, listParameters, nextMarker } from "../listing.ts";
import type { S3PartialOperation } from "../operation.ts";
import { xmlAnswer } from "../xml.ts";

/** The first version of it, which is what a GET of a bucket means. */
export const listObjectsOperation: S3PartialOperation<ListObjects> = {
  name: "ListObjects",
  action: "s3:ListBucket",
  method: "GET",
  on: "keys",
  parameters: [...LIST_PARAMETERS, "marker"],
  readsBody: false,
  read({ permit }) {
    const parameters = listParameters(permit.grant);
    const { prefix, delimiter, limit } = parameters;
    const after = afterMarker(parameters.get("marker"), parameters);
    return { operation: "list-objects", keys: permitPrefix(permit, prefix), delimiter, after, limit };
  },
  present(result, { grant }, { requestId }) {
    const parameters = listParameters(grant);
    const { prefix, delimiter, encode } = parameters;
    // "This element is returned only if you have the delimiter request parameter specified."
    const next = delimiter === undefined ? undefined : nextMarker(result.page);
    return xmlAnswer({
      root: "ListBucketResult",
      elements: [
        ["Name", result.bucket],
        ["Prefix", encode(prefix)],
        ["Marker", encode(parameters.get("marker") ?? "")],
        ["NextMarker", next === undefined ? undefined : encode(next)],
        ...limits(result, parameters),
        ...entries(result, parameters, { element: "Contents", owner: true }),
      ],
      requestId,
    });
  },
};
