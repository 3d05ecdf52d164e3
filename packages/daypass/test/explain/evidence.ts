import { createHash } from "node:crypto";
import { errorXml } from "./raw-requests.ts";
import { SECRET, type Signed, type Store, stores } from "./signed-urls.ts";

/** A request as it arrives. */
export interface Arrived {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

type Texts = Readonly<Record<string, string>>;

/** A store whose server shows what it computed. The server's side is written anew here. */
export interface Provider extends Store {
  /** Whether the whole query is signed. */
  readonly signsQuery: boolean;
  /** The elements of a refusal: all of them, or only the string to sign. */
  computed(arrived: Arrived): { readonly whole: Texts; readonly text: Texts };
}

const sha = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest("hex");

function split(url: string) {
  const [, host = "", path = "", query = ""] = /^https?:\/\/([^/]+)([^?]*)\?(.*)$/.exec(url) ?? [];
  const tokens = query.split("&");
  const get = (name: string) =>
    decodeURIComponent(tokens.find((token) => token.startsWith(`${name}=`))?.slice(name.length + 1) ?? "");
  const without = (name: string) =>
    tokens
      .filter((token) => !token.startsWith(`${name}=`))
      .sort()
      .join("&");
  return { host, path, get, without };
}

/** The texts of a server of the V4 family. */
function v4Texts({ method, url, headers }: Arrived, prefix: "X-Amz-" | "X-Goog-", algorithm: string) {
  const { host, path, without, get } = split(url);
  const names = get(`${prefix}SignedHeaders`).split(";");
  const all: Texts = { ...headers, host };
  const canonical = [
    ...[method, path, without(`${prefix}Signature`)],
    ...names.map((name) => `${name}:${all[name] ?? ""}`),
    ...["", names.join(";"), "UNSIGNED-PAYLOAD"],
  ].join("\n");
  return withScope(canonical, algorithm, [get(`${prefix}Date`), get(`${prefix}Credential`)]);
}

function withScope(canonical: string, algorithm: string, [date, credential]: readonly [string, string]) {
  const scope = credential.split("/").slice(1).join("/");
  const text = { StringToSign: `${algorithm}\n${date}\n${scope}\n${sha("sha256", canonical)}` };
  return { whole: { ...text, CanonicalRequest: canonical }, text };
}

/** The text of a server of a legacy signature. */
function legacyTexts({ method, url, headers }: Arrived, bucket: string) {
  const { path, get } = split(url);
  const text = { StringToSign: `${method}\n\n${headers["content-type"] ?? ""}\n${get("Expires")}\n${bucket}${path}` };
  return { whole: text, text };
}

const COMPUTED: Readonly<Record<string, Provider["computed"]>> = {
  S3: (arrived) => v4Texts(arrived, "X-Amz-", "AWS4-HMAC-SHA256"),
  "Cloud Storage": (arrived) => v4Texts(arrived, "X-Goog-", "GOOG4-HMAC-SHA256"),
  "S3 V2": (arrived) => legacyTexts(arrived, "/media"),
  "Cloud Storage V2": (arrived) => legacyTexts(arrived, ""),
  OSS({ method, url, headers }) {
    const { path, without, get } = split(url);
    const type = headers["content-type"];
    const lines = [
      method,
      `/media${path}`,
      without("x-oss-signature"),
      ...(type === undefined ? [] : [`content-type:${type}`]),
    ];
    const canonical = [...lines, "", "", "UNSIGNED-PAYLOAD"].join("\n");
    return withScope(canonical, "OSS4-HMAC-SHA256", [get("x-oss-date"), get("x-oss-credential")]);
  },
  "OSS V1": (arrived) => legacyTexts(arrived, "/media"),
  COS({ method, url, headers }) {
    const { host, path, get } = split(url);
    const all: Texts = { ...headers, host };
    const list = get("q-header-list").split(";").filter(Boolean);
    const lines = list.map((name) => `${name}=${encodeURIComponent(all[name] ?? "")}`).join("&");
    const format = `${method.toLowerCase()}\n${decodeURIComponent(path)}\n\n${lines}\n`;
    const text = { StringToSign: `sha1\n${get("q-key-time")}\n${sha("sha1", format)}\n` };
    return { whole: { ...text, FormatString: format }, text };
  },
};

export const providers: readonly Provider[] = stores.map((store) => ({
  ...store,
  signsQuery: /^(?:S3|Cloud Storage|OSS)$/.test(store.name),
  computed: COMPUTED[store.name] as Provider["computed"],
}));

/** A fault of a request, and its cause. */
interface Fault {
  readonly name: string;
  readonly code: string;
  /** The words for it in a sentence that names several possible causes. */
  readonly named: RegExp;
  readonly of?: (provider: Provider) => boolean;
  make(provider: Provider): { readonly given: Signed; readonly arrived: Arrived };
}

const put = { method: "PUT" } as const;
const picture = { ...put, bind: { contentType: "image/png" } } as const;

export const faults: readonly Fault[] = [
  {
    name: "a URL for PUT, sent with GET",
    code: "METHOD",
    named: /another method|signed for PUT/,
    make(provider) {
      const given = provider.sign(put);
      return { given, arrived: { method: "GET", url: given.url, headers: {} } };
    },
  },
  {
    name: "a URL for GET, sent with HEAD",
    code: "METHOD",
    named: /another method/,
    make(provider) {
      const given = provider.sign();
      return { given, arrived: { method: "HEAD", url: given.url, headers: {} } };
    },
  },
  {
    name: "another Content-Type than was signed",
    code: "HEADER",
    named: /content-type/,
    make(provider) {
      const given = provider.sign(picture);
      return { given, arrived: { ...put, url: given.url, headers: { "content-type": "text/plain" } } };
    },
  },
  {
    name: "a Content-Type that was signed and is missing",
    code: "HEADER",
    named: /content-type/,
    make(provider) {
      const given = provider.sign(picture);
      return { given, arrived: { ...put, url: given.url, headers: {} } };
    },
  },
  {
    name: "a parameter that was added on the way",
    code: "QUERY",
    named: /changed/,
    of: ({ signsQuery }) => signsQuery,
    make(provider) {
      const given = provider.sign();
      return { given, arrived: { method: "GET", url: `${given.url}&utm_source=x`, headers: {} } };
    },
  },
  {
    name: "a path whose slashes a proxy has merged",
    code: "PATH",
    named: /changed|read it differently/,
    make(provider) {
      const given = provider.sign({ method: "GET", key: "x//y" });
      return { given, arrived: { method: "GET", url: given.url.replace("x//y", "x/y"), headers: {} } };
    },
  },
  {
    name: "another secret",
    code: "WRONG_SECRET",
    named: /(?:another|a different) (?:secret|key)|secret is wrong/,
    make(provider) {
      const given = provider.sign({ secret: SECRET.replace("wJalr", "other") });
      return { given, arrived: { method: "GET", url: given.url, headers: {} } };
    },
  },
];

/** What the caller knows. */
export const evidences = [
  ...["none", "request", "key", "request and key"],
  ...["body", "body and request", "body and key", "body, request and key"],
  ...["string to sign", "string to sign and request", "string to sign and key", "string to sign, request and key"],
  ...["code", "code and request", "code and key", "code, request and key"],
] as const;

export function errorBody(texts: Texts): string {
  const escaped = Object.entries(texts).map(([name, text]) => [
    name,
    text.replaceAll("&", "&amp;").replaceAll("<", "&lt;"),
  ]);
  return errorXml("SignatureDoesNotMatch", "The signature does not match.", Object.fromEntries(escaped));
}
