import { parseEpoch } from "../../core/time.ts";
import {
  type CosCredentials,
  type CosParts,
  cosPairs,
  cosSignature,
  detectCos,
  parseCos,
} from "../../schemes/cos/canonical.ts";
import type { Parameter } from "../../wire/parameters.ts";
import { headerValues } from "../../wire/raw-target.ts";
import { bucketResource } from "../bucket-resource.ts";
import { differs } from "../cause/text-compare.ts";
import { decodeOr } from "../decoded.ts";
import type { Explainer, Subject } from "../explainer.ts";
import type { Cause, ExplainKey, Trap } from "../explanation.ts";
import { nameOf, readParameters } from "../parameters.ts";
import type { Variant } from "../search/search.ts";
import {
  decodedPathVariants,
  headerVariants,
  hostVariants,
  parameterVariants,
  typeVariants,
} from "../search/text-variants.ts";
import { completions } from "../search/unknowns.ts";
import { changedLives } from "../search/usual-lives.ts";
import { methodVariants, secretVariants } from "../search/variants.ts";
import { explainTextScheme, type TextScheme } from "../text-scheme.ts";
import { trapsOf } from "../traps.ts";
import { signedValue } from "../v4/input.ts";

/** Tencent COS presigned URLs. */
export const cosExplainer: Explainer = {
  detects: detectCos,
  explain: (subject) => explainTextScheme(subject, readCos(subject)),
};

interface CosInput {
  readonly method: string;
  /** Decoded. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly headers: readonly { readonly name: string; readonly values: readonly string[] }[];
  readonly keyTime: string;
  readonly secret: string;
}

const OWN =
  /^(?:q-(?:sign-algorithm|ak|sign-time|key-time|header-list|url-param-list|signature)|x-cos-security-token)$/;

function readCos({ url, keys }: Subject): TextScheme<CosInput> {
  const values = new Map(readParameters(url));
  const list = (name: string): readonly string[] => (values.get(name) ?? "").split(";").filter(Boolean);
  const signedBy = values.get("q-ak") ?? "";
  const keyTime = values.get("q-key-time") ?? "";
  const [start = "", end = ""] = keyTime.split(";");
  const token = values.get("x-cos-security-token");
  const headers = list("q-header-list");
  const others = headers.filter((name) => name !== "host");
  const parameters = list("q-url-param-list");
  const signature = values.get("q-signature") ?? "";
  const signed = parameters.map((name) => decodeOr(name).toLowerCase());
  const isSigned = (name: string): boolean => signed.includes(name.toLowerCase());
  const open = [...values.keys()].filter((name) => !OWN.test(name) && !isSigned(name));
  const bindsHost = headers.includes("host");
  return {
    scheme: "cos",
    title: "A Tencent COS presigned URL",
    resource: bucketResource(/^([a-z0-9-]+-\d+)\.cos\./.exec(url.authority)?.[1], decodeOr(url.wire.path)),
    signedBy,
    binds: [
      "method",
      "path",
      "start and end",
      ...(bindsHost ? ["host, and the bucket with it"] : []),
      ...(parameters.length === 0 ? [] : [`query parameters ${parameters.join(", ")}`]),
      ...others.map((name) => `header ${name}`),
    ],
    leavesOpen: [
      bindsHost ? "scheme" : "scheme, host and bucket",
      ...(open.length === 0 ? ["further query parameters"] : [`query parameters, ${open.join(", ")} among them`]),
      "every other header, x-cos-* (copy source, ACL) among them: COS signs what is listed",
      "body",
      "session token",
      "who uses it, from where, and how often",
    ],
    signedAt: parseEpoch(start),
    startsAt: parseEpoch(start),
    endsAt: parseEpoch(end),
    end,
    mayEndEarlier:
      token === undefined
        ? "when the key that signed it is disabled or loses the permission"
        : "with the temporary credentials (STS) that signed it: half an hour by default, two hours at most",
    bindsHost,
    mustSend: (fitting) => others.map((name) => ({ name, value: signedValue(fitting?.headers, name) })),
    traps: cosTraps({ open, bindsHost, token }),
    secrets: [signature, token],
    check: (subject) => ({
      keys: keys.filter(isCosCredentials).map(({ secretId: id, secretKey: secret }) => ({ id, change: { secret } })),
      inputOf: ({ sent, sentUrl }) => ({
        method: sent.method,
        path: decodeOr(sentUrl.wire.path),
        parameters: readParameters(sentUrl).filter(([name]) => !OWN.test(name) && isSigned(name)),
        headers: headers.map((name) => ({
          name,
          values: name === "host" ? [sent.authority] : headerValues(sent.headers, name),
        })),
        keyTime,
        secret: "",
      }),
      textOf: (input) => signedText(input).stringToSign,
      signatures: { signature, signatureOf: (input) => signedText(input).signature },
      variantsOf: (input) => variants(input, subject),
      unknowns: (input) => completions(input, subject),
      listed: headers,
      difference: (ours, theirs, input) =>
        difference(input, [ours, theirs], subject.error?.fields.get("FormatString") ?? ""),
      parse: parseCos,
      reading: { signature: { parameter: "q-signature", text: signature, digits: 40 } },
    }),
  };
}

function cosTraps({
  open,
  bindsHost,
  token,
}: {
  open: readonly string[];
  bindsHost: boolean;
  token: string | undefined;
}): readonly Trap[] {
  return trapsOf([
    [true, "sha1", "COS offers only HMAC-SHA1 over a SHA-1."],
    [
      !bindsHost,
      "host-open",
      "The host is not signed: the URL works for the same key in every bucket of its owner. Sign the host.",
    ],
    [open.length > 0, "unsigned-parameter", `${open.join(", ")}: not in q-url-param-list, so any value works.`],
    [
      token !== undefined,
      "session-token",
      "The URL carries a session token, which is not signed, and expires with it, whatever the URL says.",
    ],
  ]);
}

function isCosCredentials(key: ExplainKey): key is CosCredentials {
  return "secretKey" in key;
}

function signedText(input: CosInput): ReturnType<typeof cosSignature> {
  return cosSignature(input.secret, partsOf(input));
}

function partsOf({ headers, secret, ...parts }: CosInput): CosParts {
  return { ...parts, headers: headers.map(({ name, values }): Parameter => [name, (values[0] ?? "").trim()]) };
}

const LINES = [
  { code: "METHOD", what: "method" },
  { code: "PATH", what: "path" },
  { code: "QUERY", what: "query parameter" },
  { code: "HEADER", what: "header" },
] as const;

/** The string to sign has the lifetime and a hash. COS shows the hashed lines as `FormatString`. */
function difference(input: CosInput, texts: readonly [string, string], format: string): Cause | undefined {
  const [ours = "", theirs = ""] = texts.map((text) => text.split("\n")[1]);
  if (ours !== theirs) return differs({ code: "TIME", what: "life (q-key-time)", ours, theirs });
  const { method, path, parameters, headers } = partsOf(input);
  const lines = [method.toLowerCase(), path, cosPairs(parameters).text, cosPairs(headers).text];
  // Only the path can contain line feeds.
  const shown = /^(.*)\n([\s\S]*)\n(.*)\n(.*)$/.exec(format.replace(/\n$/, ""))?.slice(1) ?? [];
  const at = lines.findIndex((line, i) => shown[i] !== undefined && line !== shown[i]);
  const named = LINES[at];
  if (named === undefined) return undefined;
  const [mine = "", other = ""] = [lines[at], shown[at]];
  if (at < 2) return differs({ ...named, ours: mine, theirs: other });
  const [before, after] = [mine, other].map(
    (line) =>
      new Map(
        line
          .split("&")
          .filter(Boolean)
          .map((pair) => [nameOf(pair), pair]),
      ),
  );
  const name = [...(before?.keys() ?? []), ...(after?.keys() ?? [])].find(
    (key) => before?.get(key) !== after?.get(key),
  );
  const valueIn = (pairs = new Map<string, string>()): string =>
    decodeOr((pairs.get(name ?? "") ?? "").replace(/^[^=]*=?/, ""));
  const pair = { ...named, what: `${named.what} ${name}`, ours: valueIn(before), theirs: valueIn(after) };
  return differs(name === "host" ? { ...pair, code: "HOST", what: "host" } : pair);
}

/** The likeliest first. */
function* variants(input: CosInput, subject: Subject): Generator<Variant<CosInput>> {
  yield* methodVariants(input);
  yield* secretVariants(input);
  yield* hostVariants(input, subject);
  yield* parameterVariants(input);
  if (input.headers.some(({ name }) => name === "content-type")) yield* typeVariants(input);
  yield* headerVariants(input);
  yield* decodedPathVariants(input, subject.sentUrl.wire.path);
  const [now, start = ""] = /^(\d{1,11});\d{1,11}$/.exec(input.keyTime) ?? [];
  yield* changedLives({
    name: "q-key-time",
    now,
    ofLife: (seconds) => `${start};${Number(start) + seconds}`,
    withLife: (keyTime) => ({ ...input, keyTime }),
  });
}
