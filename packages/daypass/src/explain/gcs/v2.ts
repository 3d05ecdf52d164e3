import { hmacSha1 } from "#crypto";
import { parseEpoch } from "../../core/time.ts";
import type { SignedHeader } from "../../schemes/gcs/canonical.ts";
import { extensionNames } from "../../schemes/gcs/parse.ts";
import {
  detectGcsV2,
  type GcsV2Parts,
  gcsV2StringToSign,
  isNeverSigned,
  isSubresource,
  parseGcsV2,
} from "../../schemes/gcs/v2/parse.ts";
import { base64, fromBase64, uriEncode } from "../../wire/encoding.ts";
import { groupHeaders, headerValues } from "../../wire/raw-target.ts";
import { causeOf } from "../cause/combine-causes.ts";
import { compareTexts } from "../cause/text-compare.ts";
import type { Undecided } from "../cause/undecided.ts";
import { checkWhole, RSA_BASE64 } from "../cause/whole-signature.ts";
import type { Explainer, Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import { nameOf, readParameters } from "../parameters.ts";
import type { Variant } from "../search/search.ts";
import { bucketOfHost, pathSpellings } from "../search/spellings.ts";
import { contentTypes, spelt } from "../search/text-variants.ts";
import { otherValue, shownHeaders, withMethods, withTypes } from "../search/unknowns.ts";
import { movedEnds } from "../search/usual-lives.ts";
import { methodVariants, secretVariants } from "../search/variants.ts";
import { explainTextScheme, type TextScheme } from "../text-scheme.ts";
import { gcsCause } from "./cause.ts";
import { gcsResource, gcsSigner, gcsTraps, googleBucket, mayEndEarlier, SIGN_BLOB } from "./facts.ts";
import { type GcsExplainKey, gcsExplainKeys } from "./keys.ts";

/** Google Cloud Storage signed URLs in the legacy V2. */
export const gcsV2Explainer: Explainer = {
  detects: (request) => detectGcsV2(request) !== undefined,
  explain: (subject) => explainTextScheme(subject, readGcsV2(subject)),
};

interface GcsV2Input extends GcsV2Parts {
  /** Empty for a key pair. */
  readonly secret: string;
  readonly key?: GcsExplainKey | undefined;
}

function readGcsV2({ url, sent, keys, now }: Subject): TextScheme<GcsV2Input> {
  const values = new Map(readParameters(url));
  const expires = values.get("Expires") ?? "";
  const signature = values.get("Signature") ?? "";
  const kind = detectGcsV2({ ...sent, target: `/?${url.wire.query}` }) ?? "account";
  const open = [...values.keys()].filter(
    (name) => !isSubresource(name) && !/^(?:GoogleAccessId|Expires|Signature)$/.test(name),
  );
  const given = gcsExplainKeys(keys, kind).map((key) => ({
    id: key.id,
    change: { key, secret: "secret" in key ? key.secret : "" },
  }));
  const signatureOf = (input: GcsV2Input): string => base64(hmacSha1(input.secret, gcsV2StringToSign(input)));
  const text =
    "V2 is legacy: host, scheme, the query and with it the response headers are open to the holder of the URL.";
  const unsigned = `${open.join(", ")}: not signed, the holder of the URL can change it.`;
  return {
    scheme: "gcs/v2",
    title: "A Cloud Storage signed URL in the legacy V2",
    resource: gcsResource(url),
    signedBy: values.get("GoogleAccessId") ?? "",
    binds: ["method", "bucket", "object", "end", "subresource", "headers content-md5, content-type and x-goog-*"],
    leavesOpen: [
      "scheme and host",
      "every query parameter but a subresource: generation and the response headers among them",
      "every other header, customer-supplied encryption keys among them",
      "body",
      "who uses it, from where, and how often",
    ],
    endsAt: parseEpoch(expires),
    end: expires,
    mayEndEarlier: `${mayEndEarlier(kind)}${kind === "hmac" ? "" : SIGN_BLOB}`,
    mustSend: (fitting) => (fitting === undefined ? [] : shownHeaders(implied(fitting))),
    traps: [
      ...gcsTraps(url).filter(({ name }) => name !== "header-in-query"),
      { name: "gcs-v2", text },
      ...(open.length === 0 ? [] : [{ name: "open-parameters", text: unsigned }]),
    ],
    secrets: [signature],
    check: (subject) => ({
      // A key that cannot have signed shows that the given keys are others.
      keys: given.length === 0 && keys.length > 0 ? [{ id: "of another kind", isNamed: false, change: {} }] : given,
      inputOf: (from) => inputOf(from, expires),
      textOf: gcsV2StringToSign,
      async fits(input) {
        const { key } = input;
        if (key === undefined) return false;
        if ("secret" in key) return signatureOf(input) === signature;
        return key.verify(gcsV2StringToSign(input), fromBase64(signature) ?? new Uint8Array());
      },
      signatures: kind === "hmac" ? { signature, signatureOf } : undefined,
      variantsOf: (input) => variants(input, subject),
      unknowns: (input) =>
        withTypes(withMethods(input, subject.known), subject.known, (one, contentType) => ({ ...one, contentType })),
      implied,
      difference: compareTexts,
      signer: gcsSigner(kind),
      beside: (wrong) => headerCause(subject, wrong),
      said: (error) => gcsCause(error, now),
      parse(received) {
        const allowUnsigned = new Set(readParameters(subject.sentUrl).map(([name]) => name));
        parseGcsV2(received, { hostBucket: googleBucket(subject.sent.authority) ?? "", allowUnsigned });
        checkWhole("Signature", signature, kind === "hmac" ? [28] : RSA_BASE64);
      },
      reading: { refusesHeaders: true },
    }),
  };
}

function inputOf({ sent, sentUrl }: Subject, expires: string): GcsV2Input {
  const one = (name: string): string => (headerValues(sent.headers, name)[0] ?? "").trim();
  const bucket = googleBucket(sent.authority);
  const path = bucket === undefined ? sentUrl.wire.path : `/${uriEncode(bucket)}${sentUrl.wire.path}`;
  const subresource = readParameters(sentUrl).find(([name]) => isSubresource(name))?.[0];
  return {
    method: sent.method,
    contentMd5: one("content-md5"),
    contentType: one("content-type"),
    expires,
    extensions: extensionNames(groupHeaders(sent.headers))
      .filter((name) => name.startsWith("x-goog-") && !isNeverSigned(name))
      .map((name): SignedHeader => ({ name, values: headerValues(sent.headers, name) })),
    resource: subresource === undefined ? path : `${path}?${subresource}`,
    secret: "",
  };
}

/** Sent headers. All of them are signed without being named. */
function implied({ contentType, extensions }: GcsV2Input): NonNullable<Undecided["headers"]> {
  return [...(contentType === "" ? [] : [{ name: "content-type", values: [contentType] }]), ...extensions];
}

/** V2 signs every x-goog-* header, and the URL names none of them. */
function headerCause(subject: Subject, wrong: Cause): Cause | undefined {
  if (subject.known.headers) return otherValue(inputOf(subject, "").extensions, wrong);
  return causeOf(
    "HEADER",
    "The key gives the signature of the URL for no usual request without x-goog-* headers: V2 signs each of them, with Content-Type and Content-MD5, and the URL shows none. Either a header was signed that was not given here, or the URL was changed, or signed with a different key.",
    `Run explain again with the headers that were sent (--header, request.headers). ${wrong.fix}`,
    ...wrong.evidence,
  );
}

/** The likeliest first. */
function* variants(input: GcsV2Input, { sentUrl: { authority, wire } }: Subject): Generator<Variant<GcsV2Input>> {
  yield* methodVariants(input);
  yield* contentTypes(input.contentType, (contentType) => ({ ...input, contentType }));
  const md5 = { name: "content-md5", values: [input.contentMd5] };
  for (const header of [...(input.contentMd5 === "" ? [] : [md5]), ...input.extensions]) {
    const { name } = header;
    const sent = JSON.stringify(header.values.join(","));
    const change =
      header === md5 ? { contentMd5: "" } : { extensions: input.extensions.filter((other) => other !== header) };
    yield {
      code: "HEADER",
      input: { ...input, ...change },
      signed: `The header ${name} was signed as "" and sent as ${sent}.`,
      seen: `The server saw the header ${name} as ""; it was sent as ${sent}.`,
      fix: `Send ${name} with exactly the value that was signed; V2 signs its absence, too.`,
    };
  }
  const [path = "", subresource] = input.resource.split("?");
  const end = subresource === undefined ? "" : `?${subresource}`;
  const bucket = bucketOfHost(authority)?.bucket;
  const others = wire.query
    .split("&")
    .filter((token) => token !== "" && !/^(?:GoogleAccessId|Expires|Signature)$/.test(nameOf(token)));
  const resources: readonly (readonly [how: string, resource: string])[] = [
    ...pathSpellings(wire.path, path).map(([how, other]) => [how, other + end] as const),
    [
      "with the first part of the host as the bucket",
      bucket === undefined ? input.resource : `/${bucket}${wire.path}${end}`,
    ],
    ["without the bucket that the host names", wire.path + end],
    ["without the subresource", path],
    ...others.map((token) => [`with the parameter ${token}, which V2 does not sign`, `${path}?${token}`] as const),
  ];
  const fix = "Sign /bucket/object as the URL spells it, encoded once, whatever the host is.";
  for (const [how, resource] of resources) {
    if (resource === input.resource) continue;
    yield spelt({ code: "PATH", input: { ...input, resource }, what: "resource", how, fix });
  }
  if (input.secret !== "") yield* secretVariants(input);
  yield* movedEnds(input.expires, (expires) => ({ ...input, expires }));
}
