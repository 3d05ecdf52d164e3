import { parseEpoch } from "../../core/validity.ts";
import { type CosParts, cosSignature } from "../../schemes/cos/canonical.ts";
import type { CosCredentials } from "../../schemes/cos/credentials.ts";
import { detectCos, parseCos } from "../../schemes/cos/parse.ts";
import type { Parameter } from "../../wire/parameters.ts";
import { headerValues } from "../../wire/raw-target.ts";
import { bucketResource } from "../bucket-resource.ts";
import { type Case, diagnose } from "../cause/diagnosis.ts";
import { grammarCause } from "../cause/grammar.ts";
import { missingHeader } from "../cause/request.ts";
import { differs } from "../cause/text-compare.ts";
import { decodeOr } from "../decoded.ts";
import type { Explained, Explainer, SplitUrl, Subject } from "../explainer.ts";
import type { Cause, ExplainKey, Trap } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import { completions } from "../search/unknowns.ts";
import { spellings } from "../secrets.ts";
import { endTraps, urlTraps } from "../traps.ts";
import { signedValue } from "../v4/variants.ts";
import { compareFormats } from "./compare.ts";
import { type CosInput, cosVariants } from "./variants.ts";

/** Tencent COS presigned URLs. */
export const cosExplainer: Explainer = { detects: detectCos, explain: explainCos };

interface Facts {
  readonly secretId: string;
  readonly keyTime: string;
  readonly startsAt: Date | undefined;
  readonly endsAt: Date | undefined;
  readonly token: string | undefined;
  readonly headers: readonly string[];
  /** Names of the parameters as they are listed. */
  readonly listed: readonly string[];
  readonly signature: string;
}

function readFacts(url: SplitUrl): Facts {
  const values = new Map(readParameters(url));
  const list = (name: string): readonly string[] => (values.get(name) ?? "").split(";").filter(Boolean);
  const keyTime = values.get("q-key-time") ?? "";
  const [start = "", end = ""] = keyTime.split(";");
  return {
    secretId: values.get("q-ak") ?? "",
    keyTime,
    startsAt: parseEpoch(start),
    endsAt: parseEpoch(end),
    token: values.get("x-cos-security-token"),
    headers: list("q-header-list"),
    listed: list("q-url-param-list"),
    signature: values.get("q-signature") ?? "",
  };
}

const OWN =
  /^(?:q-(?:sign-algorithm|ak|sign-time|key-time|header-list|url-param-list|signature)|x-cos-security-token)$/;

async function explainCos(subject: Subject): Promise<Explained> {
  const { url, now } = subject;
  const facts = readFacts(url);
  const { secretId, headers, startsAt, endsAt, token, signature } = facts;
  const resource = cosResource(url);
  const bindsHost = headers.includes("host");
  const open = unsigned(url, facts);
  const { cause, hypotheses, method, fitting } = await diagnose(subject, (from) => caseOf(from, facts));
  return {
    explanation: {
      scheme: "cos",
      summary: `A Tencent COS presigned URL for ${resource}, signed by ${secretId || "nobody"}${endsAt === undefined ? "" : `, valid until ${endsAt.toISOString()}`}.`,
      signedBy: secretId,
      grants: { methods: method === undefined ? undefined : [method], resource },
      binds: [
        ...["method", "path", "start and end"],
        ...(bindsHost ? ["host, and the bucket with it"] : []),
        ...(facts.listed.length === 0 ? [] : [`query parameters ${facts.listed.join(", ")}`]),
        ...headers.filter((name) => name !== "host").map((name) => `header ${name}`),
      ],
      leavesOpen: [
        bindsHost ? "scheme" : "scheme, host and bucket",
        ...(open.length === 0 ? ["further query parameters"] : [`query parameters, ${open.join(", ")} among them`]),
        "every other header, x-cos-* (copy source, ACL) among them: COS signs what is listed",
        ...["body", "session token", "who uses it, from where, and how often"],
      ],
      signedAt: startsAt,
      startsAt,
      endsAt,
      mayEndEarlier:
        token === undefined
          ? "when the key that signed it is disabled or loses the permission"
          : "with the temporary credentials (STS) that signed it: half an hour by default, two hours at most",
      mustSend: headers
        .filter((name) => name !== "host")
        .map((name) => ({ name, value: signedValue(fitting?.headers, name) })),
      traps: [
        ...urlTraps(url).filter(({ name }) => bindsHost || name !== "host-port"),
        ...cosTraps(facts, open),
        ...endTraps(endsAt, facts.keyTime.split(";")[1] ?? "", now),
      ],
      cause,
      hypotheses,
      stringToSign: fitting && textOf(fitting),
    },
    hidden: [...spellings(signature), ...spellings(token)],
  };
}

function cosResource({ authority, wire }: SplitUrl): string {
  return bucketResource(/^([a-z0-9-]+-\d+)\.cos\./.exec(authority)?.[1], decodeOr(wire.path));
}

/** Parameters that the holder can change. */
function unsigned(url: SplitUrl, { listed }: Facts): readonly string[] {
  const names = listed.map((name) => decodeOr(name).toLowerCase());
  return readParameters(url)
    .map(([name]) => name)
    .filter((name) => !OWN.test(name) && !names.includes(name.toLowerCase()));
}

function cosTraps({ headers, token }: Facts, open: readonly string[]): readonly Trap[] {
  const traps: Trap[] = [{ name: "sha1", text: "COS offers only HMAC-SHA1 over a SHA-1." }];
  const add = (name: string, text: string): void => void traps.push({ name, text });
  if (!headers.includes("host")) {
    add(
      "host-open",
      "The host is not signed: the URL works for the same key in every bucket of its owner. Sign the host.",
    );
  }
  if (open.length > 0) add("unsigned-parameter", `${open.join(", ")}: not in q-url-param-list, so any value works.`);
  if (token !== undefined) {
    add(
      "session-token",
      "The URL carries a session token, which is not signed, and expires with it, whatever the URL says.",
    );
  }
  return traps;
}

function caseOf(subject: Subject, facts: Facts): Case<CosInput> {
  const { sent, sentUrl, error } = subject;
  return {
    subject,
    signedBy: facts.secretId,
    keys: subject.keys.filter(isCosCredentials).map(({ secretId: id, secretKey: secret }) => ({
      id,
      isNamed: id === facts.secretId,
      put: (input) => ({ ...input, secret }),
    })),
    inputFor: (url) => inputFor(url, subject, facts),
    textOf,
    fits: (input) => signed(input).signature === facts.signature,
    variantsOf: (input) => cosVariants(input, subject),
    unknowns: (input) => completions(input, subject),
    listed: facts.headers,
    shown: error?.fields.get("StringToSign"),
    difference: (ours, theirs, input) => difference(input, [ours, theirs], error?.fields.get("FormatString")),
    grammar:
      missingHeader(subject, facts.headers) ??
      grammarCause(
        () => parseCos({ request: complete(sent, facts.headers), wire: sentUrl.wire, origin: "", wildcard: "" }),
        { signature: { parameter: "q-signature", text: facts.signature, digits: 40 } },
      ),
    times: { startsAt: facts.startsAt, endsAt: facts.endsAt },
  };
}

/** With something for each header that is missing: that is no fault of the grammar, and nobody may have told the headers. */
function complete(sent: Subject["sent"], names: readonly string[]): Subject["sent"] {
  const missing = names.filter((name) => name !== "host" && headerValues(sent.headers, name).length === 0);
  return { ...sent, headers: [...sent.headers, ...missing.map((name) => [name, "-"] as const)] };
}

function isCosCredentials(key: ExplainKey): key is CosCredentials {
  return "secretKey" in key;
}

function inputFor(url: SplitUrl, { sent, sentUrl }: Subject, facts: Facts): CosInput {
  const authority = url === sentUrl ? sent.authority : url.authority;
  const open = unsigned(url, facts);
  return {
    method: sent.method,
    path: decodeOr(url.wire.path),
    parameters: readParameters(url).filter(([name]) => !OWN.test(name) && !open.includes(name)),
    headers: facts.headers.map((name) => ({
      name,
      values: name === "host" ? [authority] : headerValues(sent.headers, name),
    })),
    keyTime: facts.keyTime,
    secret: "",
  };
}

function signed(input: CosInput): ReturnType<typeof cosSignature> {
  return cosSignature(input.secret, partsOf(input));
}

function partsOf({ headers, secret, ...parts }: CosInput): CosParts {
  return { ...parts, headers: headers.map(({ name, values }): Parameter => [name, (values[0] ?? "").trim()]) };
}

/** The text holds the life and a hash. What is hashed COS shows beside it. */
function difference(
  input: CosInput,
  texts: readonly [ours: string, theirs: string],
  format: string | undefined,
): Cause | undefined {
  const [ours = "", theirs = ""] = texts.map((text) => text.split("\n")[1]);
  if (ours !== theirs) return differs({ code: "TIME", what: "life (q-key-time)", ours, theirs });
  return format === undefined ? undefined : compareFormats(partsOf(input), format);
}

function textOf(input: CosInput): string {
  return signed(input).stringToSign;
}
