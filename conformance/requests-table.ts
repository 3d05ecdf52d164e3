import { s3Signer } from "daypass/s3";
import { s3FormSigner } from "daypass/s3/form";
import { s3V2Signer } from "daypass/s3/v2";
import type { ClientTarget } from "./clients/client.ts";
import { type Answer, type Sent, send } from "./send.ts";

/** One request to a server, and what Amazon answers: a status, and the code of the error. */
export interface TableRow {
  readonly name: string;
  readonly expected: readonly [status: number, code: string];
  send(target: ClientTarget, bucket: string): Promise<Answer>;
}

const KEY = "hello.txt";
const ODD = "dir/a b+é~.txt";
const BODY = "hello";
const HOUR = 3_600_000;

const ago = (ms: number) => (): Date => new Date(Date.now() - ms);
const now = ago(0);

interface Wish {
  readonly method?: string;
  readonly key?: string;
  readonly expiresIn?: number;
  readonly clock?: () => Date;
  readonly region?: string;
  readonly credentials?: Partial<ClientTarget["credentials"]> & { readonly sessionToken?: string };
  readonly headers?: Readonly<Record<string, string>>;
}

const v4 = (target: ClientTarget, bucket: string, wish: Wish = {}): string =>
  s3Signer({
    region: wish.region ?? target.region,
    endpoint: target.endpoint,
    addressing: "path",
    credentials: { ...target.credentials, ...wish.credentials },
    clock: wish.clock ?? now,
  }).sign({
    bucket,
    key: wish.key ?? KEY,
    method: wish.method ?? "GET",
    expiresIn: wish.expiresIn ?? 60,
    headers: wish.headers,
  }).url;

const v2 = (target: ClientTarget, bucket: string, clock = now): string =>
  s3V2Signer({
    region: target.region,
    endpoint: target.endpoint,
    addressing: "path",
    credentials: target.credentials,
    clock,
  }).sign({
    bucket,
    key: KEY,
    expiresIn: 60,
  }).url;

const lastDigit = (url: string): string => url.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"));
const v2Signature = (url: string): string =>
  url.replace(/(Signature=)(.)/, (_, name, first) => name + (first === "a" ? "b" : "a"));

type Change = (url: string, target: ClientTarget, bucket: string) => Partial<Sent> & { readonly url: string };

function presigned(
  name: string,
  expected: TableRow["expected"],
  wish: Wish,
  change: Change = (url) => ({ url }),
): TableRow {
  return {
    name,
    expected,
    send: (target, bucket) =>
      send({ method: wish.method ?? "GET", ...change(v4(target, bucket, wish), target, bucket) }),
  };
}

function form(
  name: string,
  expected: TableRow["expected"],
  file: string,
  change: (fields: Record<string, string>) => void = () => {},
): TableRow {
  return {
    name,
    expected,
    async send(target, bucket) {
      const { region, endpoint, credentials } = target;
      const signed = s3FormSigner({ region, endpoint, addressing: "path", credentials }).sign({
        bucket,
        key: "form.txt",
        contentLength: { min: 1, max: 10 },
        expiresIn: 60,
      });
      const fields: Record<string, string> = { ...signed.fields };
      change(fields);
      const parts = Object.entries(fields).map(
        ([field, value]) => `--b\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n${value}\r\n`,
      );
      const body = `${parts.join("")}--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n${file}\r\n--b--\r\n`;
      return send({
        method: "POST",
        url: signed.url,
        headers: { "content-type": "multipart/form-data; boundary=b" },
        body,
      });
    },
  };
}

const named = (fields: Record<string, string>, name: string): string =>
  Object.keys(fields).find((field) => field.toLowerCase() === name) ?? name;

const MISMATCH = [403, "SignatureDoesNotMatch"] as const;
const DENIED = [403, "AccessDenied"] as const;
const QUERY = [400, "AuthorizationQueryParametersError"] as const;

/** The 26 requests. `hello.txt` has to be there. */
export const table: readonly TableRow[] = [
  presigned("GET without a signature", DENIED, {}, (url) => ({ url: url.split("?")[0] ?? "" })),
  presigned("presigned GET", [200, ""], {}),
  presigned("changed signature", MISMATCH, {}, (url) => ({ url: lastDigit(url) })),
  presigned("changed path", MISMATCH, {}, (url) => ({ url: url.replace(KEY, "hellp.txt") })),
  presigned("changed X-Amz-Expires", MISMATCH, {}, (url) => ({ url: url.replace("Expires=60", "Expires=61") })),
  presigned("parameter added", MISMATCH, {}, (url) => ({ url: `${url}&x=1` })),
  presigned("expired", DENIED, { clock: ago(120_000) }),
  presigned("dated an hour ahead", DENIED, { clock: ago(-HOUR), expiresIn: 7200 }),
  presigned("for more than seven days", QUERY, { expiresIn: 604_800 }, (url) => ({
    url: url.replace("Expires=604800", "Expires=604801"),
  })),
  presigned("unknown key id", [403, "InvalidAccessKeyId"], { credentials: { accessKeyId: "AKIDNOBODY0000000000" } }),
  presigned("wrong secret", MISMATCH, { credentials: { secretAccessKey: "wrong" } }),
  presigned("wrong region", QUERY, { region: "eu-central-1" }),
  presigned("GET's URL used for PUT", MISMATCH, {}, (url) => ({ url, method: "PUT", body: "x" })),
  presigned("GET's URL used for HEAD", [403, ""], {}, (url) => ({ url, method: "HEAD" })),
  presigned("presigned PUT of an odd key", [200, ""], { method: "PUT", key: ODD }, (url) => ({ url, body: BODY })),
  presigned("presigned GET of the odd key", [200, ""], { key: ODD }),
  presigned(
    "signed Content-Type, another sent",
    MISMATCH,
    { method: "PUT", key: "typed", headers: { "content-type": "text/plain" } },
    (url) => ({
      url,
      body: BODY,
      headers: { "content-type": "text/html" },
    }),
  ),
  presigned("x-amz-copy-source that is not signed", DENIED, { method: "PUT", key: "copy" }, (url, _, bucket) => ({
    url,
    body: "",
    headers: { "x-amz-copy-source": `/${bucket}/${KEY}` },
  })),
  form("form with a policy", [204, ""], "12345"),
  form("form, changed signature", MISMATCH, "12345", (fields) => {
    fields[named(fields, "x-amz-signature")] = "0".repeat(64);
  }),
  form("form, another key", DENIED, "12345", (fields) => {
    fields[named(fields, "key")] = "other.txt";
  }),
  form("form, file longer than its policy allows", [400, "EntityTooLarge"], "12345678901"),
  {
    name: "SigV2 GET",
    expected: [200, ""],
    send: (target, bucket) => send({ method: "GET", url: v2(target, bucket) }),
  },
  {
    name: "SigV2, changed signature",
    expected: MISMATCH,
    send: (target, bucket) => send({ method: "GET", url: v2Signature(v2(target, bucket)) }),
  },
  {
    name: "SigV2, expired",
    expected: DENIED,
    send: (target, bucket) => send({ method: "GET", url: v2(target, bucket, ago(120_000)) }),
  },
  presigned("session token that was never issued", [400, "InvalidToken"], { credentials: { sessionToken: "bogus" } }),
];

/** Makes the bucket and the object that the rows ask for. */
export async function prepare(target: ClientTarget, bucket: string): Promise<void> {
  const signer = s3Signer({
    region: target.region,
    endpoint: target.endpoint,
    addressing: "path",
    credentials: target.credentials,
  });
  const made = await send({
    method: "PUT",
    url: signer.sign({ bucket, resource: "bucket", method: "PUT", expiresIn: 60 }).url,
    body: "",
  });
  const put = await send({ method: "PUT", url: v4(target, bucket, { method: "PUT" }), body: BODY });
  if (made.status !== 200 || put.status !== 200)
    throw new Error(`${made.status} ${made.code}, ${put.status} ${put.code}`);
}
