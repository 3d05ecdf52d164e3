import { layoutsOf } from "../../schemes/azure/sas.ts";
import { causeOf, guess } from "../cause/combine-causes.ts";
import { isVague, serverCause } from "../cause/server-cause.ts";
import type { ServerError } from "../error-body.ts";
import type { Cause, CauseCode } from "../explanation.ts";
import type { AzureUrl } from "./facts.ts";

/** Name and cause of each line of a string to sign. */
const LINES: Readonly<Record<string, readonly [name: string, code: CauseCode]>> = {
  sp: ["permissions (sp)", "QUERY"],
  st: ["start (st)", "TIME"],
  se: ["end (se)", "TIME"],
  RESOURCE: ["canonical resource", "PATH"],
  ACCOUNT: ["account", "HOST"],
  si: ["stored policy (si)", "QUERY"],
  sip: ["client address (sip)", "QUERY"],
  spr: ["protocol (spr)", "QUERY"],
  sv: ["version (sv)", "QUERY"],
  sr: ["kind of resource (sr)", "QUERY"],
  TIME: ["snapshot or version", "QUERY"],
  skt: ["start of the user delegation key (skt)", "TIME"],
  ske: ["end of the user delegation key (ske)", "TIME"],
  HEADERS: ["headers that srh names", "HEADER"],
  QUERY: ["parameters that srq names", "QUERY"],
  END: ["line feed at the end", "VERSION"],
};

/** The name of a line, for sentences. */
export function lineName(field: string): string {
  return LINES[field]?.[0] ?? field;
}

export function lineCode(field: string): CauseCode {
  return LINES[field]?.[1] ?? "QUERY";
}

const USED = /String to sign used was (.*)$/is;

/** The server's string to sign. Azure shows it in `AuthenticationErrorDetail`. */
export function shownText({ fields }: ServerError): string | undefined {
  const text = USED.exec(fields.get("AuthenticationErrorDetail") ?? "")?.[1] ?? fields.get("StringToSign");
  // Logs write line ends as escapes.
  return text?.includes("\n") === false ? text.replace(/(?:\\r)?\\n/g, "\n") : text;
}

/** The first line of the server's string to sign that differs from the URL. */
export function compareAzure(url: AzureUrl, shown: string): Cause | undefined {
  const { kind, fields, values } = url;
  const ours = fields.map((field) => (values.get(field) ?? "").split("\n"));
  const count = ours.flat().length;
  // Browsers join the lines and drop the empty ones.
  if (count > 1 && !shown.trim().includes("\n")) return compareInOneLine(url, shown.trim());
  // XML readers drop empty lines at the end.
  const theirs = shown.replace(/\n+$/, "").split("\n");
  if (theirs.length > count) {
    const other = layoutsOf(kind).find(([, fields]) => fields.length >= theirs.length);
    const used = other === undefined ? "" : `: it went by the fields of ${other[0]}`;
    const sentence = `The server signs ${theirs.length} lines, and version ${values.get("sv")} has ${count}${used}.`;
    return causeOf(
      "VERSION",
      sentence,
      "Sign with the sv that the server uses.",
      `the server saw: ${JSON.stringify(shown)}`,
    );
  }
  let at = 0;
  for (const [i, lines] of ours.entries()) {
    const field = fields[i] ?? "";
    const line = lines.join("\n");
    const other = Array.from(lines, (_, k) => theirs[at + k] ?? "").join("\n");
    at += lines.length;
    if (line !== other) return lineCause(field, line, other);
  }
  return undefined;
}

/** The same for lines that a browser joined by spaces. */
function compareInOneLine({ fields, values }: AzureUrl, shown: string): Cause | undefined {
  let rest = shown.replace(/\s+/g, " ");
  for (const field of fields) {
    const line = (values.get(field) ?? "").replace(/\s+/g, " ").trim();
    if (line === "") continue;
    if (rest !== line && !rest.startsWith(`${line} `)) return lineCause(field, line, rest.split(" ", 1)[0] ?? "");
    rest = rest.slice(line.length + 1);
  }
  return undefined;
}

function lineCause(field: string, line: string, other: string): Cause {
  const evidence = [`the URL says: ${line}`, `the server saw: ${other}`];
  const [, container] = /^\/blob\/[^/]+\/([^/]+)$/.exec(line) ?? [];
  if (field === "RESOURCE" && container !== undefined && /^\/blob\/[^/]+\/\$root$/.test(other)) {
    return causeOf(
      "PATH",
      `The request asks for a blob named ${container} in the root container, but the SAS is for the container ${container}: without restype=container Azure reads a one-segment path as a blob.`,
      "Add &restype=container&comp=list to list the container, or append the name of a blob to the path.",
      ...evidence,
    );
  }
  return causeOf(
    lineCode(field),
    `The ${lineName(field)} differs: the URL says ${JSON.stringify(line)}, and the server saw ${JSON.stringify(other)}.`,
    "Pass the URL on byte for byte as it was made, and look for a proxy that decodes, adds or drops something.",
    ...evidence,
  );
}

type Row = readonly [pattern: RegExp, code: CauseCode, sentence: string, fix: string];

/** Azure's codes and details. Source: "SAS error codes" and "Common REST API error codes" of the Azure Storage REST reference. */
const ROWS: readonly Row[] = [
  [
    /AuthorizationPermissionMismatch/,
    "PERMISSION",
    "The signature was accepted; its permissions (sp) do not permit this operation, or the owner of the user delegation key lacks the permission.",
    "Sign with the letter that the operation needs: r to read, c or w to write, w to overwrite, d to delete, l to list; or give that owner a blob data role.",
  ],
  [
    /AuthorizationProtocolMismatch/,
    "PROTOCOL",
    "The signature was accepted; the URL is for https only (spr), and the request came over http.",
    "Use https.",
  ],
  [
    /AuthorizationSourceIPMismatch/,
    "IP",
    "The signature was accepted; the request came from an address that the URL is not for (sip).",
    "Sign for the address that Azure sees: the proxy's, if there is one; sign without sip for clients in the same region.",
  ],
  [
    /AuthorizationServiceMismatch/,
    "SERVICE",
    "The signature was accepted; the account SAS is not for blobs (ss).",
    "Sign with ss=b.",
  ],
  [
    /AuthorizationResourceTypeMismatch/,
    "SERVICE",
    "The signature was accepted; the account SAS is not for this kind of resource (srt).",
    "Sign with srt=o for blobs, c for containers and listings, s for the account.",
  ],
  [
    /identifier but not both/i,
    "POLICY",
    "A field is set both in the URL and in its stored access policy; only one of them may set it.",
    "Leave out of the URL what the policy sets: start, expiry or permissions.",
  ],
  [
    /signed identifier|access policy/i,
    "POLICY",
    "The stored access policy that the URL names does not exist, or lacks what the URL leaves out.",
    "Set the policy on the container; a change takes up to 30 seconds. If it was removed, the URL was revoked.",
  ],
  [
    /signed expiry must be after signed start|signed start.*after/i,
    "TIME",
    "The URL expires before it starts.",
    "Sign with an expiry (se) after the start (st).",
  ],
  [
    /not well formed|is mandatory|is invalid for signature|invalid signed|signed resource .*not allowed/i,
    "MALFORMED",
    "The server cannot read the SAS.",
    "Pass the URL on byte for byte as it was made; quote it in a shell, and send a + in the signature as %2B.",
  ],
  [
    /signature size is invalid/i,
    "SIGNATURE",
    "The signature was damaged in transit: it has the wrong length.",
    "Pass the URL on byte for byte as it was made: + in the signature as %2B, / as %2F and = as %3D, encoded once.",
  ],
  [
    /KeyBasedAuthenticationNotPermitted/,
    "PERMISSION",
    "The account does not allow shared keys, nor a SAS signed with one.",
    "Sign with a user delegation key.",
  ],
  [
    /AuthorizationFailure/,
    "PERMISSION",
    "The request was refused by rules other than the signature: the times, a stored policy, the account's firewall, or an operation that no SAS permits.",
    "Check the start and expiry, the stored policy, the account's network rules, and the operation.",
  ],
  [
    /NoAuthenticationInformation|PublicAccessNotPermitted/,
    "MALFORMED",
    "The server saw no signature: the query was cut off or renamed in transit.",
    "Pass the URL on byte for byte as it was made; quote it in a shell.",
  ],
  [
    /InvalidQueryParameterValue|InvalidUri|InvalidHeaderValue|UnsupportedHeader|MissingRequiredHeader/,
    "MALFORMED",
    "The server accepts the signature, but not a value in the request.",
    "Check the value that it names. An upload needs x-ms-blob-type: BlockBlob.",
  ],
  [
    /UnauthorizedBlobOverwrite/,
    "PERMISSION",
    "The signature was accepted; the blob exists already, and permission c without w can create but not overwrite.",
    "Sign with w to overwrite it, or upload under another name.",
  ],
  [
    /InvalidAuthenticationInfo/,
    "AMBIGUOUS_AUTHENTICATION",
    "The server rejects an Authorization header: a SAS is sent without one.",
    "Send the URL without any Authorization header (check the HTTP client's defaults).",
  ],
  [
    /BlobNotFound|ContainerNotFound|ResourceNotFound/,
    "NOT_FOUND",
    "The signature was accepted; there is no such blob or container.",
    "Check the name: it is case-sensitive, and must be percent-encoded once.",
  ],
];

/** The header that every upload of a blob requires. */
export const BLOB_TYPE = "x-ms-blob-type";

/** The request lacks a header that the operation requires. */
export function neededHeader(name: string, evidence: string): Cause {
  return causeOf(
    "HEADER",
    `The request lacks the header ${name}, which this operation needs and no SAS contains.`,
    name.toLowerCase() === BLOB_TYPE ? `Send ${name}: BlockBlob.` : `Send ${name}.`,
    evidence,
  );
}

const OF_KEY = /specified key time frame/i;
const FRAME = /(key )?Start \[(.*?)\] - (?:Key )?Expiry \[(.*?)\] - Current \[(.*?)\]/i;

/** The clock is outside the lifetime of the URL, or of the user delegation key that signed it. */
function frameCause(detail: string, evidence: string): Cause | undefined {
  const [, key, start = "", end, current] = FRAME.exec(detail) ?? [];
  if (current === undefined) {
    // Exceptions leave the times out.
    if (!OF_KEY.test(detail)) return undefined;
    const sentence =
      "The user delegation key that signed has expired or is not valid yet, and the URL is valid only as long as its key.";
    return causeOf("EXPIRED", sentence, NEW_KEY, evidence);
  }
  const isOfKey = key !== undefined || OF_KEY.test(detail);
  const what = isOfKey ? "The user delegation key that signed" : "The URL";
  const clock = `, and the server's clock says ${current}`;
  if (new Date(start) > new Date(current)) {
    const fix = isOfKey ? `Wait. ${NEW_KEY}` : "Wait, set the signer's clock, or leave st out.";
    return causeOf("NOT_YET_VALID", `${what} is not valid yet: it begins at ${start}${clock}.`, fix, evidence);
  }
  const whole = isOfKey ? "; the URL expires with it, whatever se says" : "";
  const sentence = `${what} has expired: it was valid until ${end}${clock}${whole}.`;
  return causeOf("EXPIRED", sentence, isOfKey ? NEW_KEY : "Ask for a new URL.", evidence);
}

const NEW_KEY =
  "Sign with a new user delegation key that starts a few minutes ago, as clocks differ, and expires no earlier than the URL (seven days at most).";

/** The meaning of the server's code and detail, except a mismatch. */
export function azureCause(error: ServerError, now: Date): Cause | undefined {
  const { code, message, fields } = error;
  const detail = fields.get("AuthenticationErrorDetail") ?? "";
  const evidence = `The server says ${code}${detail === "" ? "" : `: ${detail}`}`;
  const frame = frameCause(detail, evidence);
  if (frame !== undefined) return frame;
  const header = fields.get("HeaderName");
  if (code === "MissingRequiredHeader" && header !== undefined) return neededHeader(header, evidence);
  const row = ROWS.find(([pattern]) => pattern.test(code) || pattern.test(detail));
  const named = header ?? fields.get("QueryParameterName");
  const sentence = named === undefined ? row?.[2] : row?.[2].replace("a value in the request", named);
  if (row !== undefined && sentence !== undefined) {
    const cause = causeOf(row[1], sentence, row[3], evidence);
    return isVague(error) ? guess(cause) : cause;
  }
  if (code === "AuthenticationFailed") return undefined;
  return message === "" ? undefined : serverCause(error, now);
}

/** Azurite reports a wrong signature with this code, which means something else at Azure. */
export function isAzuritesRefusal({ code, message }: ServerError): boolean {
  return code === "AuthorizationFailure" && /value of the Authorization header/i.test(message);
}
