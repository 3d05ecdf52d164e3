import { sha256Hex } from "#crypto";
import { headerValues } from "../wire.ts";
import type { Diagnosis, Subject } from "./explainer.ts";
import type { Cause } from "./explanation.ts";
import { duration } from "./s3-facts.ts";
import { compareCanonicalRequests } from "./v4-compare.ts";
import {
  type V4Hints,
  type V4Input,
  v4CanonicalRequest,
  v4ScopeText,
  v4StringToSign,
  v4Variants,
} from "./v4-variants.ts";
import { methodFix, search } from "./variants.ts";

/** What else is known of the server and the body, to be tried. */
export function v4Hints({ url, hosts, request, sent }: Subject): V4Hints {
  const forwarded = ["x-forwarded-host", "x-original-host"].flatMap((name) =>
    headerValues(sent.headers, name).flatMap((value) => value.split(",").map((host) => host.trim())),
  );
  return { urlHost: url.authority, hosts: [...hosts, ...forwarded], bodySha256: request?.bodySha256 };
}

/** Where nobody said which method was sent, finding the one that was signed is no fault but a fact. */
export function signedOtherwise({ request }: Subject, cause: Cause, rest: Diagnosis): Diagnosis {
  if (cause.code !== "METHOD") return { ...rest, cause };
  const method = /signed for ([A-Z]+)/.exec(cause.sentence)?.[1];
  return request?.method === undefined && !cause.sentence.includes(" Also: ") ? { method } : { ...rest, cause, method };
}

/** The request was sent to another URL than the one given, or with other headers than it needs. */
export function changedOnTheWay(signed: V4Input, sent: V4Input): Cause | undefined {
  return compareCanonicalRequests(v4CanonicalRequest(signed), v4CanonicalRequest(sent), {
    ours: "the signed URL says",
    theirs: "the request had",
  });
}

/** A method that the URL itself tells, and how. */
export interface ToldMethod {
  readonly method: string;
  readonly by: string;
}

const SIDES = { ours: "the URL says", theirs: "the server saw" };

/** What the server's canonical request or string to sign shows. */
export function fromErrorBody(subject: Subject, input: V4Input, told?: ToldMethod): Diagnosis | undefined {
  const fields = subject.error?.fields;
  const canonical = fields?.get("CanonicalRequest");
  const stringToSign = fields?.get("StringToSign");
  const [, time, scope, hash] = stringToSign?.split("\n") ?? [];
  const method = canonical?.split("\n")[0] ?? input.method;
  const ours = { ...input, method: subject.request?.method ?? method };
  if (time !== undefined && time !== input.time) {
    return { cause: lineCause("TIME", "time", input.time, time) };
  }
  const ourScope = v4ScopeText(input);
  if (scope !== undefined && scope !== ourScope) {
    return { cause: lineCause("REGION", "scope", ourScope, scope) };
  }
  if (canonical !== undefined) {
    const cause = compareCanonicalRequests(v4CanonicalRequest(ours), canonical, SIDES);
    if (cause !== undefined) return { cause };
    const consistent = hash === undefined || sha256Hex(canonical) === hash;
    return consistent ? { cause: sameButRefused(method, told) } : undefined;
  }
  if (hash === undefined) return undefined;
  const fits = (tried: V4Input): boolean => v4StringToSign(tried).endsWith(`\n${hash}`);
  if (fits(ours)) return { cause: sameButRefused(method, told) };
  return search(ours, v4Variants(v4Hints(subject)), fits, "seen");
}

function lineCause(code: "TIME" | "REGION", what: string, ours: string, theirs: string): Cause {
  return {
    code,
    sentence: `The ${what} differs: the URL says ${ours}, and the server used ${theirs}.`,
    evidence: [`URL: ${ours}`, `server: ${theirs}`],
    fix: "Pass the URL on as it was made, and sign for the server's region.",
  };
}

/**
 * The server computed what the URL implies, and yet another signature. Then the secret differs, or the URL is no longer the
 * one that was signed, or the method is not: without the key, the signature tells none of these from the others.
 */
function sameButRefused(method: string, told: ToldMethod | undefined): Cause {
  if (told !== undefined && told.method !== method) {
    return {
      code: "METHOD",
      sentence: `The URL was signed for ${told.method} (${told.by}) and sent with ${method}.`,
      evidence: [`The server saw the method ${method}.`],
      fix: methodFix(told.method, method),
    };
  }
  if (method === "HEAD" || method === "OPTIONS") {
    return {
      code: "METHOD",
      sentence: `The URL was sent with ${method}, and was probably signed for GET or PUT: all else is as the URL says.`,
      evidence: [`The server saw the method ${method}.`],
      fix: methodFix("GET", method),
    };
  }
  return {
    code: "WRONG_SECRET",
    sentence:
      "The secret is wrong, or the URL was changed after signing: the server computed exactly the request that the URL implies, and still another signature.",
    evidence: [
      `Its canonical request is ours, and so is its hash. The method is ${method}: if that is not what was signed, it is the cause.`,
    ],
    fix: "Compare the URL with the one that was made, and the signer's secret with the server's: spaces, line ends, a rotated key, another environment. With the key given, explain finds the usual changes.",
  };
}

/** A mismatch, and nothing that shows why. */
export function noEvidence(): Cause {
  return {
    code: "WRONG_SECRET",
    sentence:
      "The server says that the signature does not fit; without the key or its canonical request nothing shows why. The usual causes are another method, a wrong secret and a changed Host header.",
    evidence: [],
    fix: "Run explain again with the key, with the request's method and headers, or with the whole error body.",
  };
}

/** When a URL begins and ends, as it says itself. */
export interface UrlTimes {
  readonly signedAt: Date | undefined;
  readonly endsAt: Date | undefined;
  /** Seconds; NaN where the URL has no number. */
  readonly expires: number;
}

export function timeCause({ signedAt, endsAt, expires }: UrlTimes, now: Date): Cause | undefined {
  if (signedAt === undefined || endsAt === undefined) return undefined;
  const evidence = [`signed ${signedAt.toISOString()}, life ${duration(expires)}, now ${now.toISOString()}`];
  if (signedAt.getTime() - now.getTime() > 900_000) {
    return {
      code: "NOT_YET_VALID",
      sentence: `The URL is dated ${duration(Math.round((signedAt.getTime() - now.getTime()) / 1000))} in the future.`,
      evidence,
      fix: "Set the signer's clock (NTP).",
    };
  }
  if (now.getTime() < endsAt.getTime()) return undefined;
  return {
    code: "EXPIRED",
    sentence: `The URL has expired: it ended at ${endsAt.toISOString()}.`,
    evidence,
    fix: "Ask for a new URL.",
  };
}
