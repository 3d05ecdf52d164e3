import { sha256Hex } from "#crypto";
import { causeOf } from "../cause/combine-causes.ts";
import { duration, endCause } from "../cause/life.ts";
import type { Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import { search } from "../search/search.ts";
import { completions, learntFrom, ofKnown, openHeaders } from "../search/unknowns.ts";
import { forwardedHosts } from "../server-request.ts";
import { compareCanonicalRequests, URL_AND_SERVER } from "./compare.ts";
import { type V4Input, v4CanonicalRequest, v4ScopeText, v4StringToSign } from "./input.ts";
import type { V4Facts } from "./scheme.ts";
import { type V4Hints, v4Variants } from "./variants.ts";

/** Further facts about server and body. */
export function v4Hints({ url, hosts, request, sent, keys }: Subject): V4Hints {
  return {
    urlHost: url.authority,
    hosts: [...hosts, ...forwardedHosts(sent)],
    bodySha256: request?.bodySha256,
    sessionTokens: url.wire.query.includes("-Token=")
      ? []
      : keys.flatMap((key) => ("sessionToken" in key && key.sessionToken ? [key.sessionToken] : [])),
  };
}

/** The sent request differs from the signed one in its URL or headers. */
export function changedOnTheWay(signed: V4Input, sent: V4Input): Cause | undefined {
  return compareCanonicalRequests(v4CanonicalRequest(signed), v4CanonicalRequest(sent), {
    ours: "the signed URL says",
    theirs: "the request had",
  });
}

/** The findings from the server's own texts. */
export interface Shown {
  /** The difference from the URL. Absent if they are equal. */
  readonly cause: Cause | undefined;
}

/** Compares an input with the server's canonical request or string to sign. `undefined` if the answer has neither. */
export function shownBy(subject: Subject, ours: V4Input): Shown | undefined {
  const fields = subject.error?.fields;
  const canonical = fields?.get("CanonicalRequest");
  const stringToSign = fields?.get("StringToSign");
  const [, time, scope, hash] = stringToSign?.split("\n") ?? [];
  if (time !== undefined && time !== ours.time) return { cause: lineCause("TIME", "time", ours.time, time) };
  const ourScope = v4ScopeText(ours);
  if (scope !== undefined && scope !== ourScope) return { cause: lineCause("REGION", "scope", ourScope, scope) };
  if (canonical !== undefined) {
    const cause = compareCanonicalRequests(v4CanonicalRequest(ours), canonical, URL_AND_SERVER);
    if (cause !== undefined) return { cause };
    const isConsistent = hash === undefined || sha256Hex(canonical) === hash;
    return isConsistent ? { cause: undefined } : undefined;
  }
  if (hash === undefined) return undefined;
  const fits = (tried: V4Input): boolean => v4StringToSign(tried).endsWith(`\n${hash}`);
  const variantsOf = ofKnown(v4Variants(v4Hints(subject)), subject);
  const found = search({ inputs: completions(ours, subject), fits }, { variantsOf, view: "seen", work: subject.work });
  if (found.input !== undefined) return { cause: found.cause };
  // A header whose value is not given can have any value.
  return !subject.known.headers && openHeaders(ours.headers).length > 0 ? undefined : { cause: OTHER_REQUEST };
}

const OTHER_REQUEST: Cause = {
  code: "QUERY",
  sentence:
    "The server computed another request than the URL implies, and no usual change of method, host or path gives its hash: most likely a query parameter was added or changed in transit.",
  evidence: ["The hash in the server's string to sign belongs to another canonical request."],
  fix: "Compare the URL with what reaches the server (its access log): pass it on byte for byte, and add nothing to it.",
};

/** Learns method and headers of a request from the hash in the server's string to sign. */
export function learnSent(subject: Subject, inputOf: (subject: Subject) => V4Input): Subject {
  const { known, error } = subject;
  const hash = error?.fields.get("StringToSign")?.split("\n")[3];
  if (hash === undefined || (known.method && known.headers)) return subject;
  const input = completions(inputOf(subject), subject).find((tried) => v4StringToSign(tried).endsWith(`\n${hash}`));
  return input === undefined ? subject : learntFrom(subject, input);
}

function lineCause(code: "TIME" | "REGION", what: string, ours: string, theirs: string): Cause {
  const sentence = `The ${what} differs: the URL says ${ours}, and the server used ${theirs}.`;
  const fix = "Pass the URL on as it was made, and sign for the server's region.";
  return causeOf(code, sentence, fix, `URL: ${ours}`, `server: ${theirs}`);
}

/** The clock alone refuses the URL. */
export function timeCause({ signedAt, endsAt, expires }: V4Facts, now: Date): Cause | undefined {
  if (signedAt === undefined || endsAt === undefined) return undefined;
  const evidence = `signed ${signedAt.toISOString()}, life ${duration(expires)}, now ${now.toISOString()}`;
  if (signedAt.getTime() - now.getTime() > 900_000) {
    const ahead = duration(Math.round((signedAt.getTime() - now.getTime()) / 1000));
    return causeOf(
      "NOT_YET_VALID",
      `The URL is dated ${ahead} in the future.`,
      "Set the signer's clock (NTP).",
      evidence,
    );
  }
  return endCause(endsAt, now, { evidence });
}
