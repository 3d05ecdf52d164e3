import { createHmac, createSign } from "node:crypto";
import { azureSigner } from "daypass/azure";
import { cosSigner } from "daypass/cos";
import { gcsSigner } from "daypass/gcs";
import { gcsV2Signer } from "daypass/gcs/v2";
import { imgproxySigner } from "daypass/imgproxy";
import { laravelSigner } from "daypass/laravel";
import { ossSigner } from "daypass/oss";
import { ossV1Signer } from "daypass/oss/v1";
import { type S3ObjectRequest, s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { swiftSigner } from "daypass/swift";
import { symfonySigner } from "daypass/symfony";
import { RSA } from "../cloudfront/keys.ts";
import { credentials, errorXml, rawUrl } from "./raw-requests.ts";

// URLs as signers make them, also those that err, and answers as servers write them.

export const AT = new Date("2026-11-24T12:00:00Z");
export const END = AT.getTime() / 1000 + 900;
export const now = new Date("2026-11-24T12:05:00Z");
export const clock = () => AT;
export const keys = [credentials];
export const expiresIn = 900;
export const put = { method: "PUT" } as const;

export const s3 = s3Signer({ region: "eu-west-1", credentials, clock });
export const sign = (more: Partial<S3ObjectRequest> = {}) =>
  s3.sign({ bucket: "media", key: "a/b.txt", expiresIn, ...more }).url;
export const v2 = s3V2Signer({ region: "us-east-1", credentials, clock });
export const signV2 = (more: Partial<S3ObjectRequest> = {}) =>
  v2.sign({ bucket: "media", key: "a/b.jpg", expiresIn, ...more }).url;
export const SESSION = "IQoJb3JpZ2luX2VjEC+wDmFwLXNvdXRoZWFzdC0x/IkcwRQIhAO35tQ10l5tyVt95==";

// What the servers write.

export const MISMATCH =
  "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
export const hex = (text: string): string =>
  Buffer.from(text)
    .toString("hex")
    .replace(/..(?=.)/g, "$& ");

/** S3's and OSS' answer to a legacy signature. */
export const legacyBody = (text: string): string =>
  errorXml("SignatureDoesNotMatch", MISMATCH, {
    AWSAccessKeyId: credentials.accessKeyId,
    StringToSign: text.replaceAll("&", "&amp;"),
    StringToSignBytes: hex(text),
    RequestId: "742F2DC7510AEB55",
  });

/** How a browser shows an answer: each run of white space is one space, and long texts have separate lines. */
export const shownByBrowser = (xml: string): string =>
  `This XML file does not appear to have any style information associated with it. The document tree is shown below.\n${xml
    .replace(/>([^<]{60,}|[^<]*\n[^<]*)</g, (_, text: string) => `>\n${text.replace(/\s+/g, " ").trim()}\n<`)
    .replaceAll("><", ">\n<")}`;
export const withoutBytes = (xml: string): string => xml.replace(/<(\w+)Bytes>[^<]*<\/\1Bytes>/g, "");

/** MinIO's, which RustFS and SeaweedFS follow: the path and no text that was signed. */
export const minioBody = (resource: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SignatureDoesNotMatch</Code><Message>${MISMATCH}</Message><Key>${resource.split("/").slice(2).join("/")}</Key><BucketName>${resource.split("/")[1]}</BucketName><Resource>${resource}</Resource><RequestId>15A544FFA16B3D2C</RequestId><HostId>21f6c320-014c-4860-a4dc-f846ffb4b48e</HostId></Error>`;

export const azureBody = (code: string, detail = ""): string =>
  `<?xml version="1.0" encoding="utf-8"?>\n<Error><Code>${code}</Code><Message>Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.\nRequestId:2b7236bd-301e-004c-2d6b-757ef4000000\nTime:2026-11-24T12:05:00.7678924Z</Message>${detail === "" ? "" : `<AuthenticationErrorDetail>${detail.replaceAll("&", "&amp;")}</AuthenticationErrorDetail>`}</Error>`;
export const USED = "Signature did not match. String to sign used was ";
export const AZURITE = errorXml(
  "AuthorizationFailure",
  "Server failed to authenticate the request. Make sure the value of the Authorization header is formed correctly including the signature.",
);

// URLs as signers make them that err.

const AZURE_KEY = Buffer.alloc(32, 7);
const DEVSTORE_KEY = Buffer.from(
  "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
  "base64",
);
export const accountKey = AZURE_KEY.toString("base64");
export const azureKeys = [{ accountKey }];

/** A SAS whose signature is over another text. */
export function sasUrl(
  base: string,
  fields: Readonly<Record<string, string>>,
  {
    text,
    key = AZURE_KEY,
    spell = encodeURIComponent,
  }: { text: string; key?: Buffer; spell?: (sig: string) => string },
): string {
  const tokens = Object.entries(fields).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return `${base}?${tokens.join("&")}&sig=${spell(createHmac("sha256", key).update(text).digest("base64"))}`;
}

const SAS_TIMES = { st: "2026-11-24T11:50:00Z", se: "2026-11-24T20:00:00Z" };
export const CONTAINER = { ...SAS_TIMES, sp: "r", sv: "2021-06-08", sr: "c" };
export const containerText = (more: { readonly resource?: string; readonly ses?: boolean } = {}): string =>
  [
    ...["r", SAS_TIMES.st, SAS_TIMES.se, more.resource ?? "/blob/acme/media", "", "", "", "2021-06-08", "c", ""],
    ...(more.ses === false ? [] : [""]),
    ...["", "", "", "", ""],
  ].join("\n");
export const BLOB = "https://acme.blob.core.windows.net/media/bus.csv";
export const sasWithPlus = (spell: (signature: string) => string): string => {
  for (let second = 10; second < 60; second++) {
    const se = `2026-11-24T20:00:${second}Z`;
    const text = ["r", "", se, "/blob/acme/media/bus.csv", "", "", "", "2018-03-28", "b", "", "", "", ""].join("\n");
    const url = sasUrl(BLOB, { se, sp: "r", sv: "2018-03-28", sr: "b" }, { text, spell: encodeURIComponent });
    if (url.includes("%2B")) return sasUrl(BLOB, { se, sp: "r", sv: "2018-03-28", sr: "b" }, { text, spell });
  }
  throw new Error("no signature has a plus");
};

export const DEVSTORE = "http://127.0.0.1:10000/devstoreaccount1";
export const azurite = azureSigner({
  ...{ account: "devstoreaccount1", endpoint: DEVSTORE, version: "2021-04-10", clock },
  credentials: { accountKey: DEVSTORE_KEY.toString("base64") },
});

export const toUrlText = (bytes: Buffer) =>
  bytes.toString("base64").replaceAll("+", "-").replaceAll("=", "_").replaceAll("/", "~");
/** A canned URL of CloudFront, by a signer that takes any number for its end. */
export const cannedUrl = (url: string, end: number, keyPairId = "K2JCJMDEHXQW5F"): string => {
  const text = `{"Statement":[{"Resource":"${url}","Condition":{"DateLessThan":{"AWS:EpochTime":${end}}}}]}`;
  return `${url}?Expires=${end}&Signature=${toUrlText(createSign("sha1").update(text).sign(RSA.privateKey))}&Key-Pair-Id=${keyPairId}`;
};
export const DISTRIBUTION = "https://d111111abcdef8.cloudfront.net/photos/logo.jpeg";

export const account = { client_email: "app@project.iam.gserviceaccount.com", private_key: RSA.privateKey };
const gcsV2 = gcsV2Signer({ credentials: account, clock });
export const googleV2 = async (more: object = {}) =>
  (await gcsV2.sign({ bucket: "media", object: "a/b.png", expiresIn, ...more })).url;
export const googleText = (method: string, type = "", more = ""): string =>
  `${method}\n\n${type}\n${END}\n${more}/media/a/b.png`;
export const googleBody = (text: string): string =>
  `<?xml version='1.0' encoding='UTF-8'?><Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the signature you provided. Check your Google secret key and signing method.</Message><StringToSign>${text}</StringToSign></Error>`;
export const google = await googleV2();
export const googlePut = await googleV2(put);
export const googleWeek = (
  await gcsSigner({ credentials: account, clock }).sign({
    ...{ bucket: "media", object: "a.png", expiresIn: 604_800 },
  })
).url;

export const ossKey = { accessKeyId: "LTAI5tERcFBucGpvadG8jktr", accessKeySecret: credentials.secretAccessKey };
export const ossV1 = ossV1Signer({ region: "cn-beijing", credentials: ossKey, clock });
export const ossPut = ossV1.sign({ bucket: "media", key: "a/b.jpg", expiresIn, ...put }).url;
export const ossGet = ossV1.sign({ bucket: "media", key: "a/b.jpg", expiresIn }).url;
export const ossV4 = ossSigner({ region: "cn-chengdu", credentials: ossKey, clock });
export const ossV4Put = ossV4.sign({ bucket: "media", key: "6.png", expiresIn, ...put }).url;
export const cos = cosSigner({
  region: "ap-shanghai",
  credentials: { secretId: "AKIDEXAMPLE", secretKey: credentials.secretAccessKey },
  clock,
}).sign({ bucket: "media-1250000000", key: "3890.jpg", expiresIn, ...put }).url;

export const swift = swiftSigner({
  endpoint: "https://swift.example.com",
  account: "AUTH_233146",
  key: "1234567890",
  clock,
});
export const tempUrl = swift.sign({ container: "static1", object: "img/zlogo.png", expiresIn }).url;
export const SWIFT =
  "<html><h1>Unauthorized</h1><p>This server could not verify that you are authorized to access the document you requested.</p></html>";
export const TEMP_URL = "401 Unauthorized: Temp URL invalid\n";

const laravelKey = "base64:S2V5T2ZBbkFwcGxpY2F0aW9uV2l0aDMyQnl0ZXM=";
export const laravel = laravelSigner({ secret: laravelKey, clock }).sign({
  url: "https://shop.example.com/verify?user=2",
  expiresIn,
}).url;
export const laravelKeys = [{ scheme: "laravel", secret: laravelKey }] as const;
export const LARAVEL_PAGE =
  '<!DOCTYPE html><html lang="en"><head><title>Invalid Signature</title></head><body><div class="px-4 text-lg">403</div><div class="ml-4 text-lg">Invalid Signature.</div></body></html>';
export const imgproxyKey = { key: "943b421c9eb07c83", salt: "520f986b998545b4" };
export const imgproxyUrl = (path: string) =>
  imgproxySigner({ ...imgproxyKey, clock }).sign({ url: `https://img.example.com${path}`, expiresIn }).url;
export const symfonySecret = "of-the-application";
export const symfony = symfonySigner({ secret: symfonySecret, clock }).sign({
  url: "https://shop.example.com/page?foo=bar",
  expiresIn,
}).url;
export const emptySum = rawUrl({
  method: "PUT",
  query: "x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32&x-id=PutObject",
});
export const signedAcl = rawUrl({
  method: "PUT",
  headers: { "content-type": "image/png", "x-amz-acl": "public-read" },
});
export const restError = (code: string, message: string): string =>
  JSON.stringify({
    name: "RestError",
    message: `${message}\nRequestId:4f4010b3-601e\nTime:2026-11-24T12:04:00Z`,
    code,
    statusCode: 403,
  });
export const NOT_AUTHORIZED = "This request is not authorized to perform this operation";
export const azureOf = (
  more: { readonly permissions: string } & ({ readonly blob: string } | { readonly resource: "container" }),
): string =>
  azureSigner({ account: "acme", credentials: { accountKey }, clock }).sign({
    container: "media",
    expiresIn: 3600,
    ...more,
  }).url;
