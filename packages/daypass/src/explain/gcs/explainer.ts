import { UNSIGNED_PAYLOAD } from "../../schemes/gcs/canonical.ts";
import { detectGcs } from "../../schemes/gcs/parse.ts";
import type { Explained, Explainer, Subject } from "../explainer.ts";
import type { Trap } from "../explanation.ts";
import { lifeTraps, urlTraps } from "../traps.ts";
import { learnSent } from "../v4/diagnosis.ts";
import { openBody } from "../v4/open-body.ts";
import { signedValue, v4CanonicalRequest, v4StringToSign } from "../v4/variants.ts";
import { diagnoseGcs, gcsInput } from "./diagnosis.ts";
import { gcsResource, gcsTraps, readGcsFacts } from "./facts.ts";
import { gcsExplainKeys, keyKindOf } from "./keys.ts";

/** Google Cloud Storage signed URLs in V4. */
export const gcsExplainer: Explainer = { detects: (request) => detectGcs(request) !== undefined, explain: explainGcs };

async function explainGcs(given: Subject): Promise<Explained> {
  const { url, now } = given;
  const facts = readGcsFacts(url);
  const subject = learnSent(given, (from) => gcsInput(from, facts, ""));
  const { endsAt, expires, family, keyId, signedAt, signedHeaders } = facts;
  const kind = keyKindOf(family);
  const hasKey = gcsExplainKeys(subject.keys, kind).some(({ id }) => id === keyId);
  const input = gcsInput(subject, facts, "");
  const { cause, hypotheses, method, headers: shown } = await diagnoseGcs(subject, facts, input);
  const headers = signedHeaders.filter((name) => name !== "host");
  const signed = { ...input, method: subject.known.method ? input.method : (method ?? input.method) };
  const resource = gcsResource(url);
  const key = kind === "hmac" ? "an HMAC key" : "the RSA key of a service account";
  const bodyIsOpen = input.payload === UNSIGNED_PAYLOAD;
  return {
    explanation: {
      scheme: "gcs",
      summary: `A Cloud Storage signed URL (V4, ${key})${method === undefined ? " for" : ` to ${method} the`} ${resource}, signed by ${keyId || "nobody"}${endsAt === undefined ? "" : `, valid until ${endsAt.toISOString()}`}.`,
      signedBy: keyId,
      grants: { methods: method === undefined ? undefined : [method], resource },
      binds: [
        "method",
        `host ${url.authority.replace(/:\d+$/, "")}, without a port`,
        "path",
        "all query parameters",
        "signing time and life",
        ...headers.map((name) => `header ${name}`),
        ...(bodyIsOpen ? [] : ["body (its SHA-256)"]),
      ],
      leavesOpen: [
        ...openBody(input),
        ...(headers.includes("content-type") ? [] : ["header content-type"]),
        "scheme and port",
        "all headers that are not listed, other than x-goog-*",
        "who uses it, from where, and how often",
      ],
      signedAt,
      // "Usable from 15 minutes before the active datetime".
      startsAt: signedAt === undefined ? undefined : new Date(signedAt.getTime() - 900_000),
      endsAt,
      mayEndEarlier:
        kind === "hmac"
          ? "when the HMAC key is deactivated or its account loses the permission"
          : `when the account's key is deleted or the account loses the permission${expires > 43_200 ? "; if signed through IAM's signBlob, possibly after 12 hours, the least that Google keeps its key" : ""}`,
      mustSend: headers.map((name) => ({ name, value: signedValue(shown, name) })),
      traps: [
        // The port that others sign is none of Google's.
        ...urlTraps(url).filter(({ name }) => name !== "host-port"),
        ...gcsTraps(url),
        ...lifeTraps(facts, now, "X-Goog-Expires"),
        ...methodTraps(method, headers),
        ...millisecondTraps(expires),
      ],
      cause,
      hypotheses,
      canonicalRequest: hasKey ? v4CanonicalRequest(signed) : undefined,
      stringToSign: hasKey ? v4StringToSign(signed) : undefined,
    },
    hidden: [facts.signature],
  };
}

function methodTraps(method: string | undefined, headers: readonly string[]): readonly Trap[] {
  if (method === "POST" && !headers.includes("x-goog-resumable")) {
    const text =
      "Cloud Storage accepts a signed POST URL only to start a resumable upload: sign x-goog-resumable: start.";
    return [{ name: "post-without-resumable", text }];
  }
  if (method !== "PUT" || headers.includes("content-type")) return [];
  const text = "The Content-Type of this upload is not signed: the holder chooses it, even text/html.";
  return [{ name: "open-content-type", text }];
}

function millisecondTraps(expires: number): readonly Trap[] {
  if (!(expires > 1e9)) return [];
  const text =
    "X-Goog-Expires holds a point in time instead of a number of seconds: Google's Node library takes `expires` as a time, but V4 URLs hold a duration.";
  return [{ name: "instant-as-life", text }];
}
