import type { ExplainKey } from "daypass/explain";
import { providers } from "./evidence.ts";
import recorded from "./other-signers.json" with { type: "json" };
import { errorXml } from "./raw-requests.ts";

// Requests that other signers made and that were then damaged, and what is known about each of them at four levels.

interface Recorded {
  readonly method: string;
  readonly url: string;
  readonly key: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request as the client sent it. */
export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The response, and the texts that the server computed. */
export interface Answer {
  readonly status?: number;
  readonly body: string;
}

export const signed = recorded.signed as unknown as Readonly<Record<string, Recorded>>;

export const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE+token/with=signs==";
const accountKey = Buffer.alloc(32, 7).toString("base64");
export const access = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: SECRET };

/** The keys that signed, by their names in the data file. */
export const keys: Readonly<Record<string, ExplainKey>> = {
  s3: access,
  "s3-temporary": { accessKeyId: "ASIAEXAMPLE", secretAccessKey: SECRET, sessionToken: TOKEN },
  gcs: { client_email: "signer@p.iam.gserviceaccount.com", public_key: recorded.publicKey },
  azure: { accountKey },
  azurite: { account: "devstoreaccount1", accountKey },
  cloudfront: { keyPairId: "K1EXAMPLE", publicKey: recorded.publicKey },
  oss: { accessKeyId: "AKIDEXAMPLE", accessKeySecret: SECRET },
  cos: { secretId: "AKIDEXAMPLE", secretKey: SECRET },
};

export type Change = (sent: Sent) => Partial<Sent>;
export type Server = (arrived: Sent) => Answer;

export const as =
  (method: string): Change =>
  () => ({ method });
export const url =
  (from: string | RegExp, to: string): Change =>
  (sent) => ({ url: sent.url.replace(from, to) });
export const plus =
  (text: string): Change =>
  (sent) => ({ url: sent.url + text });
export const path =
  (change: (path: string) => string): Change =>
  (sent) => ({ url: sent.url.replace(/^(https?:\/\/[^/]+)([^?]*)/, (_, origin, old) => origin + change(old)) });
export const query =
  (change: (query: string) => string): Change =>
  (sent) => ({ url: sent.url.replace(/\?(.*)$/, (_, old) => `?${change(old)}`) });
export const headers =
  (names: Sent["headers"]): Change =>
  () => ({ headers: names });
export const same: Change = () => ({});

/** The provider computes its texts for the request that arrives, after a proxy has changed it. */
export const computes =
  (name: string, seen: Change = same): Server =>
  (arrived) => {
    const provider = providers.find((one) => one.name === name);
    const { whole = {} } = provider?.computed({ ...arrived, ...seen(arrived) }) ?? {};
    const texts = Object.entries(whole).map(([field, text]) => [field, text.replaceAll("&", "&amp;")]);
    return { body: errorXml("SignatureDoesNotMatch", "The signature does not match.", Object.fromEntries(texts)) };
  };
export const amazon = computes("S3");
export const says =
  (code: string, message: string, fields: Readonly<Record<string, string>> = {}, status = 403): Server =>
  () => ({ status, body: errorXml(code, message, fields) });
export const denied = says("AccessDenied", "Access Denied");
export const nothing: Server = () => ({ body: "" });
export const works: Server = () => ({ status: 200, body: "<Error><Code>AccessDenied</Code></Error>" });
export const client =
  (body: string): Server =>
  () => ({ status: 0, body });
export const minio: Server = ({ url }) =>
  says("SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.", {
    Resource: new URL(url).pathname,
  })({ method: "GET", url, headers: {} });
