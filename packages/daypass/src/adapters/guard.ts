import type { Grant, ObligationKind, Proof, UseStore, Verifier, WireRequest } from "../core/contracts.ts";
import { DaypassError, isDaypassError } from "../core/errors.ts";
import { type Problem, problem } from "../core/problem.ts";
import { checkRoutable } from "../wire/path-safety.ts";
import { headerValues } from "../wire/raw-target.ts";
import { refusalPage, wantsPage } from "./page.ts";

/** What a guard asks of a request before a handler may see it. */
export interface Admission extends Proof {
  readonly uses: UseStore | undefined;
  readonly semicolons: GuardOptions["semicolons"];
  /** The obligations that the guard discharges. */
  readonly enforces: readonly ObligationKind[];
}

/** Options that both guards have. */
export interface GuardOptions {
  /**
   * Counts the uses of URLs with `uses`. A HEAD request counts none. Without a store, URLs with `uses` are refused, unless the verifier lists
   * `uses` in `enforces` because the handler counts.
   */
  readonly uses?: UseStore | undefined;
  /**
   * `allow` accepts a `;` in a path. `refuse`, the default, does not: Fastify 4, restify, and Fastify 5 with `useSemicolonDelimiter` end the path
   * there, so they route another path than the verified one.
   */
  readonly semicolons?: "refuse" | "allow" | undefined;
}

/** What both guards do with a request before a handler may see it. Throws the refusal. */
export async function admit<G extends Grant>(
  verifier: Verifier<G>,
  request: WireRequest,
  { uses, semicolons = "refuse", enforces, subject }: Admission,
): Promise<G> {
  checkRoutable(request.target, semicolons);
  const own: readonly ObligationKind[] = uses === undefined ? enforces : [...enforces, "uses"];
  const grant = await verifier.verify(request, { subject, enforces: own });
  checkAnnouncedLength(grant, request);
  checkOverrides(grant);
  if (uses !== undefined && request.method !== "HEAD") await claimUse(grant, uses);
  return grant;
}

/** Comes last: a request that is refused for another reason must not spend a use. */
async function claimUse({ keyId, id, expiresAt, obligations }: Grant, store: UseStore): Promise<void> {
  const limited = obligations.find((obligation) => obligation.kind === "uses");
  if (limited === undefined || (await store.claim(keyId, id, limited.limit, expiresAt))) return;
  throw new DaypassError("USES_SPENT", "all uses of the URL are spent. Ask for a new one");
}

/** The response headers that a grant obliges to, on answers that are no error. */
export function overridesOf({ obligations }: Grant): Readonly<Record<string, string>> | undefined {
  return obligations.find((obligation) => obligation.kind === "response")?.headers;
}

// A value that no header can have (`filename="—.pdf"`) is signed by S3's clients all the same. Said before the handler acts.
function checkOverrides(grant: Grant): void {
  for (const [name, value] of Object.entries(overridesOf(grant) ?? {})) {
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value))
      throw new TypeError(`${name} has characters that a header cannot carry. Sign another value`);
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
    `the Content-Length is ${length}, and ${bounds.min} to ${bounds.max} bytes were granted`,
  );
}

/** An error that the sender of the request can mend, with the answer to it. */
export interface Refusal {
  readonly error: DaypassError;
  readonly answer: Problem;
}

/** The refusal in an error that was thrown before the handler ran. Any other error is the server's own. */
export function refusalOf(error: unknown, accept: string | undefined): Refusal | undefined {
  if (!isDaypassError(error)) return undefined;
  const details = problem(error);
  if (details === undefined) return undefined;
  if (error.code === "UNENFORCED_CONSTRAINT") warnInDevelopment(error.message);
  const { headers, ...rest } = wantsPage(accept)
    ? { ...details, ...refusalPage(error.code, details.headers) }
    : details;
  return { error, answer: { ...rest, headers: { ...headers, vary: "accept" } } };
}

/** The refusal in a handler's error: only what `limitBody` and `openBody` throw, for the rest is the handler's own affair. */
export function bodyRefusalOf(error: unknown, accept: string | undefined): Refusal | undefined {
  // Other code may throw the codes of a wrong chunk signature, but only chunks set `details.part`.
  return isDaypassError(error) && /^BODY_|chunk/.test(error.code + error.details["part"])
    ? refusalOf(error, accept)
    : undefined;
}

interface Runtime {
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
  readonly console?: { warn(text: string): void; error(text: string, error: unknown): void };
}

/** Shows an error that only the operator can mend to the operator: its request gets a bare 500. */
export function reportFault(error: unknown): void {
  (globalThis as Runtime).console?.error("daypass: a request was answered with 500:", error);
}

/** Shows the developer a message that the sender of the request must not read. Silent in production, in tests and outside Node, Deno and Bun. */
function warnInDevelopment(text: string): void {
  const { process, console } = globalThis as Runtime;
  if (!process?.env || !["development", undefined].includes(process.env["NODE_ENV"]) || warned.has(text)) return;
  warned.add(text);
  console?.warn(`daypass: ${text}`);
}

/** At most one text for each kind of obligation. */
const warned = new Set<string>();
