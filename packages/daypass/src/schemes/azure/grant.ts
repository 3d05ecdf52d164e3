import type { Grant, Obligation } from "../../core/contracts.ts";
import { grantId } from "../../core/grant.ts";
import type { Parameter } from "../../wire/parameters.ts";
import { outOfScope } from "./enforce.ts";
import type { AzureSasKind } from "./layouts.ts";
import type { ParsedSas } from "./parse.ts";
import { OVERRIDES } from "./response.ts";

/** The properties of a grant that are specific to Azure. */
export interface AzureFacts {
  readonly kind: AzureSasKind;
  readonly account: string;
  /** `undefined` for a call on the account itself. */
  readonly container: string | undefined;
  /** The blob's name, decoded; `undefined` for a call on the container. */
  readonly blob: string | undefined;
  /** The requested operation, by its name in the list of operations, e.g. `put-block-list`. */
  readonly operation: string;
  /** All letters that were permitted, those of a stored access policy included. */
  readonly permissions: string;
  /** The directory that the SAS is limited to, without a trailing slash; empty for the container's root. */
  readonly directory: string | undefined;
  /** The stored access policy. */
  readonly identifier: string | undefined;
  /** `scid`: a GUID for the logs. */
  readonly correlationId: string | undefined;
  /** Parameters of the operation, decoded, in wire order. Signed are only `snapshot` or `versionid` (by `sr`) and those of `srq`. */
  readonly parameters: readonly Parameter[];
  /** Lower-case names of the headers that were signed. */
  readonly signedHeaders: readonly string[];
}

/** What a verified SAS allows: one operation on one blob, container or account. */
export interface AzureGrant extends Grant, AzureFacts {}

// Of core's `VerifiedGrant` the part that limits bodies would be dead weight here.
class SasGrant {
  readonly #stringToSign: string;

  constructor(stringToSign: string) {
    this.#stringToSign = stringToSign;
  }

  get id(): string {
    return grantId(this.#stringToSign);
  }

  /** A getter on a prototype is invisible to `JSON.stringify`, which this mends. */
  toJSON(): object {
    return { ...this, id: this.id };
  }

  /** As it is: no SAS has an obligation on the body's length or SHA-256. */
  limitBody(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    return body;
  }
}

/** Makes the grant of a SAS. Its `id` costs a hash, which waits on the prototype for the question. */
export function azureGrant(
  fields: Omit<Grant, "id" | "limitBody">,
  facts: AzureFacts,
  stringToSign: string,
): AzureGrant {
  return Object.assign(new SasGrant(stringToSign), fields, facts);
}

/** What a SAS promises, and cannot enforce itself. */
export function azureObligations({ facts, values, operation, msHeaders, bound }: ParsedSas): readonly Obligation[] {
  const { name, permissions } = operation;
  const obligations: Obligation[] = [];
  // "Create: write a new blob, or copy a blob to a new blob": what is there may only be written with w.
  const isNew = permissions === "cw" && !facts.permissions.includes("w") && name !== "snapshot-blob";
  if (isNew || bound.headers.get("if-none-match") === "*") obligations.push({ kind: "create-only" });
  const md5 = bound.headers.get("content-md5");
  if (md5 !== undefined) obligations.push({ kind: "body-checksum", header: "content-md5", value: md5 });
  const scope = values.ses;
  if (scope !== undefined && operation.headers.has("encryption-scope")) {
    if ((msHeaders.get("encryption-scope") ?? scope) !== scope) throw outOfScope("ses", scope);
    obligations.push({ kind: "encryption-scope", scope });
  }
  const headers: Record<string, string> = {};
  for (const [header, parameter] of Object.entries(OVERRIDES)) {
    const value = values[parameter];
    if (value !== undefined) headers[header] = value;
  }
  if (name === "get-blob" && Object.keys(headers).length > 0) obligations.push({ kind: "response", headers });
  return obligations;
}
