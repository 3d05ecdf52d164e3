/**
 * An operation of the Blob service that a SAS can permit:
 *
 * - its name in kebab-case after the REST reference, e.g. `put-block-list`;
 * - the request: method, what it acts on as `srt` names it (`s`ervice, `c`ontainer or `o`bject), the value of `comp` if it has
 *   one, and `+name` or `+name=value` for an `x-ms-` header or a parameter without which it is another operation. GET is HEAD, too;
 * - permission letters of which one is needed;
 * - names of `x-ms-*` headers without that prefix and names of parameters that it may have; `meta-*` is all metadata, and
 *   `name:x` needs the permission `x` as well.
 *
 * Azure signs neither headers nor parameters, except by `srh` and `srq`. So a name outside the lists is refused.
 */
export type AzureOperation = readonly [
  name: string,
  request: string,
  permissions: string,
  headers: string,
  query: string,
];

export const LEASE = "lease-id if-tags:t";
export const READ: string = `${LEASE} encryption-key encryption-key-sha256 encryption-algorithm`;
export const WRITE: string = `${READ} encryption-scope`;
export const BODY = "content-crc64 structured-body structured-content-length";
export const PROPERTIES =
  "blob-cache-control blob-content-type blob-content-encoding blob-content-language blob-content-disposition blob-content-md5";
export const RETENTION = "immutability-policy-until-date:i immutability-policy-mode:i legal-hold:i";
export const CREATE: string = `${WRITE} ${PROPERTIES} meta-* access-tier tags:t ${RETENTION}`;
export const VERSION = "snapshot versionid";
const TIER_TIMES = "access-tier-if-modified-since access-tier-if-unmodified-since";
const LIST = "prefix delimiter marker maxresults showonly startFrom endBefore";

/**
 * The operations that `azureVerifier` permits by default: get, put, list and delete blobs, in one piece or in blocks.
 *
 * Source: the operations' pages in the Azure Storage REST reference and "Permissions for a directory, container, or blob"; Azurite
 * 3.37.0 (OperationBlobSASPermission) asks for the same letters.
 */
export const azureOperations: readonly AzureOperation[] = [
  ["get-blob", "GET o", "r", `${READ} range range-get-content-md5 range-get-content-crc64 structured-body`, VERSION],
  ["get-blob-metadata", "GET o metadata", "r", READ, VERSION],
  ["get-block-list", "GET o blocklist", "r", READ, `${VERSION} blocklisttype`],
  ["put-blob", "PUT o", "cw", `${CREATE} ${BODY} blob-type blob-content-length blob-sequence-number`, ""],
  ["put-block", "PUT o block", "w", `${WRITE} ${BODY}`, "blockid"],
  ["put-block-list", "PUT o blocklist", "w", `${CREATE} ${BODY}`, ""],
  ["set-blob-properties", "PUT o properties", "w", `${LEASE} ${PROPERTIES}`, ""],
  ["set-blob-metadata", "PUT o metadata", "w", `${WRITE} meta-*`, ""],
  ["delete-blob", "DELETE o", "d", `${LEASE} delete-snapshots ${TIER_TIMES}`, "snapshot"],
  ["list-blobs", "GET c list +include=tags", "l", "", `${LIST} include:t`],
  ["list-blobs", "GET c list", "l", "", `${LIST} include`],
];

/** An {@link AzureOperation} taken apart. */
export interface OperationRule {
  readonly name: string;
  /** `s`, `c` or `o`. */
  readonly level: string;
  readonly permissions: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly query: ReadonlyMap<string, string>;
}

interface KnownOperation extends OperationRule {
  readonly call: string | undefined;
  /** A parameter or header without which it is another operation, and the value that it may have to have. */
  readonly needs: string | undefined;
  readonly wanted: string | undefined;
}

/**
 * Prepares the choice among operations: of those for a call (method, level and `comp` with a space between), one whose
 * condition is met comes before one without. `value` knows parameters, and headers without `x-ms-`.
 */
export function operationFinder(
  operations: readonly AzureOperation[],
): (call: string, value: (name: string) => string | undefined) => OperationRule | undefined {
  const known = operations.map(readOperation).sort((a, b) => Number(!a.needs) - Number(!b.needs));
  return (asked, value) =>
    known.find(({ call, needs, wanted }) => {
      if (call !== asked || needs === undefined) return call === asked;
      // A list holds the value, too: `include=metadata,tags`.
      const given = value(needs)?.toLowerCase().split(",");
      return given && (wanted === undefined || given.includes(wanted));
    });
}

function readOperation([name, request, permissions, headers, query]: AzureOperation): KnownOperation {
  const [call, needs, wanted] = request.split(/ \+|=/);
  return {
    name,
    call,
    needs,
    wanted,
    level: request.split(" ")[1] ?? "",
    permissions,
    headers: names(`version date client-request-id useragent ${headers}`),
    // `_` keeps browsers from caching: Azure's library puts it there.
    query: names(`restype comp timeout api-version _ ${query}`),
  };
}

function names(list: string): ReadonlyMap<string, string> {
  return new Map(Array.from(list.matchAll(/([^ :]+):?(\S*)/g), ([, name = "", letter = ""]) => [name, letter]));
}
