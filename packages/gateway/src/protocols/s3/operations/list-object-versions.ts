import type { ListObjects } from "../../../operations/list-objects.ts";
import { permitPrefix } from "../../../pipeline/authorize.ts";
import { INVALID_VERSION, invalidArgument } from "../arguments.ts";
import { afterMarker, entries, LIST_PARAMETERS, limits, listParameters, nextMarker } from "../listing.ts";
import type { S3PartialOperation } from "../operation.ts";
import { xmlAnswer } from "../xml.ts";

/** Buckets here have no versions: each object is the latest and only one, by the name of `null`, as in such a bucket of Amazon. */
export const listObjectVersionsOperation: S3PartialOperation<ListObjects> = {
  name: "ListObjectVersions",
  action: "s3:ListBucketVersions",
  method: "GET",
  on: "keys",
  selectors: ["versions"],
  parameters: [...LIST_PARAMETERS, "key-marker", "version-id-marker"],
  readsBody: false,
  read({ permit }) {
    const parameters = listParameters(permit.grant);
    const { prefix, delimiter, limit, get } = parameters;
    const marker = get("key-marker") || undefined;
    const version = get("version-id-marker") || undefined;
    if (version !== undefined && marker === undefined) {
      const text = "A version-id marker cannot be specified without a key marker.";
      throw invalidArgument("version-id-marker", version, text);
    }
    // Nothing stands behind a version that there never was.
    if (version !== undefined && version !== "null")
      throw invalidArgument("version-id-marker", version, INVALID_VERSION);
    const after = afterMarker(marker, parameters);
    return { operation: "list-objects", keys: permitPrefix(permit, prefix), delimiter, after, limit };
  },
  present(result, { grant }, { requestId }) {
    const parameters = listParameters(grant);
    const { prefix, encode, get } = parameters;
    const next = nextMarker(result.page);
    const isKey = result.page.entries.at(-1)?.kind === "object";
    return xmlAnswer({
      root: "ListVersionsResult",
      elements: [
        ["Name", result.bucket],
        ["Prefix", encode(prefix)],
        ["KeyMarker", encode(get("key-marker") ?? "")],
        ["VersionIdMarker", get("version-id-marker") ?? ""],
        ["NextKeyMarker", next === undefined ? undefined : encode(next)],
        ["NextVersionIdMarker", next === undefined || !isKey ? undefined : "null"],
        ...limits(result, parameters),
        ...entries(result, parameters, {
          element: "Version",
          owner: true,
          version: [
            ["VersionId", "null"],
            ["IsLatest", true],
          ],
        }),
      ],
      requestId,
    });
  },
};
