import { createHash, createHmac } from "node:crypto";
import { type ExplainOptions, type Explanation, explain } from "daypass/explain";
import { expect } from "vitest";

/** A refused URL: the expected cause as `CODE: sentence`, with the fix in a second line, the evidence for it, and words that must not be said. */
export type Refusal = readonly [
  expected: RegExp,
  url: string,
  options?: ExplainOptions | ((url: string) => ExplainOptions),
  never?: RegExp | undefined,
];

/** The rows of a table of tests, named by their expected cause. */
export function named(refusals: readonly Refusal[]): readonly (readonly [RegExp, Refusal])[] {
  return refusals.map((refusal) => [refusal[0], refusal]);
}

/** Explains a refused URL, and checks the first sentence. Returns the explanation. */
export async function expectCause(
  [expected, url, options = {}, never]: Refusal,
  clock: NonNullable<ExplainOptions["clock"]>,
): Promise<Explanation> {
  const told = await explain(url, { clock, ...(typeof options === "function" ? options(url) : options) });
  const { code, sentence, fix = "none" } = told.cause ?? {};
  expect(`${code}: ${sentence}\n${fix}`).toMatch(expected);
  expect(fix).not.toBe("");
  if (never !== undefined) expect(`${sentence} ${fix}`).not.toMatch(never);
  expect(JSON.stringify(told)).not.toContain(credentials.secretAccessKey);
  return told;
}

export const credentials = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
} as const;

/** The parts that a signer signs. Each can be wrong. */
export interface RawSigning {
  readonly method?: string;
  readonly host?: string;
  /** The path in the URL, and the signed path if it differs. */
  readonly path?: string;
  readonly signedPath?: string;
  /** Further query of the URL, and the signed query if it differs, percent-encoded. */
  readonly query?: string;
  readonly signedQuery?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly payload?: string;
  readonly secret?: string;
  readonly region?: string;
  readonly keyRegion?: string;
  readonly keyDate?: string;
  readonly service?: string;
  readonly expires?: number;
  readonly time?: string;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
const sorted = (query: string): string => query.split("&").filter(Boolean).sort().join("&");

/** A SigV4 URL by a signer with the given mistakes. */
export function rawUrl(options: RawSigning = {}): string {
  const { method = "GET", host = "s3.example.com", path = "/media/a/b.txt", signedPath = path } = options;
  const { query = "", signedQuery = query, headers = {}, payload = "UNSIGNED-PAYLOAD" } = options;
  const { secret = credentials.secretAccessKey, region = "eu-west-1", service = "s3", expires = 900 } = options;
  const { time = "20261124T120000Z", keyRegion = region, keyDate = time.slice(0, 8) } = options;
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  const all: Record<string, string> = { host, ...headers };
  const names = Object.keys(all).sort();
  const auth = [
    "X-Amz-Algorithm=AWS4-HMAC-SHA256",
    `X-Amz-Credential=${encodeURIComponent(`${credentials.accessKeyId}/${scope}`)}`,
    `X-Amz-Date=${time}`,
    `X-Amz-Expires=${expires}`,
    `X-Amz-SignedHeaders=${names.join("%3B")}`,
  ].join("&");
  const canonical = [
    method,
    signedPath,
    sorted(`${auth}&${signedQuery}`),
    ...names.map((name) => `${name}:${all[name]}`),
    "",
    names.join(";"),
    payload,
  ].join("\n");
  let key = hmac(`AWS4${secret}`, keyDate);
  for (const step of [keyRegion, service, "aws4_request"]) key = hmac(key, step);
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`).toString("hex");
  return `https://${host}${path}?${query === "" ? "" : `${query}&`}${auth}&X-Amz-Signature=${signature}`;
}

/** S3's answer to a wrong signature, with the texts that it computed. */
export function awsErrorBody(
  url: string,
  saw: {
    readonly method?: string;
    readonly host?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly omitCanonicalRequest?: boolean;
  } = {},
): string {
  const [, authority = "", path = "", query = ""] = /^https?:\/\/([^/]+)([^?]*)\?(.*)$/.exec(url) ?? [];
  const parameters = new Map(
    query.split("&").map((token) => [token.split("=")[0], token.split("=")[1] ?? ""] as const),
  );
  const names = decodeURIComponent(parameters.get("X-Amz-SignedHeaders") ?? "").split(";");
  const headers: Readonly<Record<string, string>> = { host: saw.host ?? authority, ...saw.headers };
  const tokens = query
    .split("&")
    .filter((token) => !token.startsWith("X-Amz-Signature="))
    .map((token) => (token.includes("=") ? token : `${token}=`));
  const canonical = [
    saw.method ?? "GET",
    path,
    [...tokens].sort().join("&"),
    ...names.map((name) => `${name}:${headers[name] ?? ""}`),
    "",
    names.join(";"),
    "UNSIGNED-PAYLOAD",
  ].join("\n");
  const credential = decodeURIComponent(parameters.get("X-Amz-Credential") ?? "");
  const scope = credential.slice(credential.indexOf("/") + 1);
  const stringToSign = `AWS4-HMAC-SHA256\n${parameters.get("X-Amz-Date")}\n${scope}\n${sha256(canonical)}`;
  const escapeXml = (text: string): string =>
    text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SignatureDoesNotMatch</Code>',
    "<Message>The request signature we calculated does not match the signature you provided. Check your key and signing method.</Message>",
    `<AWSAccessKeyId>${credential.split("/")[0]}</AWSAccessKeyId>`,
    `<StringToSign>${escapeXml(stringToSign)}</StringToSign>`,
    `<SignatureProvided>${parameters.get("X-Amz-Signature")}</SignatureProvided>`,
    saw.omitCanonicalRequest === true ? "" : `<CanonicalRequest>${escapeXml(canonical)}</CanonicalRequest>`,
    "<RequestId>4442587FB7D0A2F9</RequestId><HostId>x</HostId></Error>",
  ].join("");
}

/** S3's answer with another code. */
export function errorXml(code: string, message: string, fields: Readonly<Record<string, string>> = {}): string {
  const rest = Object.entries(fields).map(([name, value]) => `<${name}>${value}</${name}>`);
  return `<Error><Code>${code}</Code><Message>${message}</Message>${rest.join("")}</Error>`;
}

/** The server answers with an error of S3. */
export function answer(...error: Parameters<typeof errorXml>): ExplainOptions {
  return { errorBody: errorXml(...error) };
}

/** The server answers with what it computed from the request that it saw. */
export function saw(request?: Parameters<typeof awsErrorBody>[1]): (url: string) => ExplainOptions {
  return (url) => ({ errorBody: awsErrorBody(url, request) });
}
