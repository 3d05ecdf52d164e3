import type { Grant, Proof, UseStore, Verifier, WireRequest } from "../core/contracts.ts";
import { DaypassError, isDaypassError } from "../core/errors.ts";
import { type Problem, problem } from "../core/problem.ts";
import { checkRoutable } from "../wire/path-safety.ts";
import { headerValues } from "../wire/raw-target.ts";

/** What both guards do with a request before a handler may see it. Throws the refusal. */
export async function admit<G extends Grant>(
  verifier: Verifier<G>,
  request: WireRequest,
  { uses, ...proof }: Proof & { readonly uses: UseStore | undefined },
): Promise<G> {
  checkRoutable(request.target);
  const grant = await verifier.verify(request, proof);
  checkAnnouncedLength(grant, request);
  checkOverrides(grant);
  if (uses !== undefined && request.method !== "HEAD") await claimUse(grant, uses);
  return grant;
}

/** Comes last: a request that is refused for another reason must not spend a use. */
async function claimUse({ keyId, id, expiresAt, obligations }: Grant, store: UseStore): Promise<void> {
  const limited = obligations.find((obligation) => obligation.kind === "uses");
  if (limited === undefined || (await store.claim(keyId, id, limited.limit, expiresAt))) return;
  throw new DaypassError("USES_SPENT", "expected a URL with a use left, found none: ask for a new one");
}

/** The response headers that a grant obliges to, on answers that are no error. */
export function overridesOf({ obligations }: Grant): Readonly<Record<string, string>> | undefined {
  return obligations.find((obligation) => obligation.kind === "response")?.headers;
}

// A value that no header can have (`filename="—.pdf"`) is signed by S3's clients all the same. Said before the handler acts.
function checkOverrides(grant: Grant): void {
  for (const [name, value] of Object.entries(overridesOf(grant) ?? {})) {
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value))
      throw new TypeError(`expected ${name} in characters that a header can carry, found others: sign another value`);
  }
}

/** A body with an unfitting announced length is refused before a byte is read. */
function checkAnnouncedLength(grant: Grant, { headers }: WireRequest): void {
  const bounds = grant.obligations.find((obligation) => obligation.kind === "body-length");
  const [announced] = headerValues(headers, "content-length");
  if (bounds === undefined || announced === undefined) return;
  const length = Number(announced);
  if (length >= bounds.min && length <= bounds.max) return;
  throw new DaypassError(
    "BODY_LENGTH",
    `expected a body of ${bounds.min} to ${bounds.max} bytes, found a Content-Length of ${length}: send what was granted`,
  );
}

/** An error that the sender of the request can mend, with the answer to it. */
export interface Refusal {
  readonly error: DaypassError;
  readonly answer: Problem;
}

/** The refusal in an error that was thrown before the handler ran. Any other error is the server's own. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!isDaypassError(error)) return undefined;
  const answer = problem(error);
  return answer && { error, answer };
}

/** The refusal in a handler's error: only what `limitBody` and `openBody` throw, for the rest is the handler's own affair. */
export function bodyRefusalOf(error: unknown): Refusal | undefined {
  // Other code may throw the codes of a wrong chunk signature, but only chunks set `details.part`.
  return isDaypassError(error) && /^BODY_|chunk/.test(error.code + error.details["part"])
    ? refusalOf(error)
    : undefined;
}
