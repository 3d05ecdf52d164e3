import { createHmac, createSign } from "node:crypto";
import { azureAccountSigner, azureSigner } from "daypass/azure";
import { cosSigner } from "daypass/cos";
import type { CauseCode, ExplainOptions } from "daypass/explain";
import { gcsSigner } from "daypass/gcs";
import { gcsV2Signer } from "daypass/gcs/v2";
import { imgproxySigner } from "daypass/imgproxy";
import { laravelSigner } from "daypass/laravel";
import { ossSigner } from "daypass/oss";
import { ossV1Signer } from "daypass/oss/v1";
import { s3Signer } from "daypass/s3";
import { s3V2Signer } from "daypass/s3/v2";
import { swiftSigner } from "daypass/swift";
import { symfonySigner } from "daypass/symfony";
import { RSA } from "../cloudfront/keys.ts";
import { awsErrorBody, credentials, errorXml, rawUrl } from "./broken-requests.ts";

/**
 * What people have asked in public: a request that a server refused, what they had in hand, and what it turned out to be. The
 * situations are built anew with signatures of our own; of the threads only the facts are taken, and the words of the servers.
 */
export interface FieldCase {
  /** Where it was asked, `owner/repository#number`; several where they have the same one. */
  readonly threads: string;
  readonly what: string;
  readonly url: string;
  readonly options?: ExplainOptions;
  readonly cause: CauseCode;
  /** What the first sentence has to say. */
  readonly says: RegExp;
  /** What must not be said, in the sentence or as what to do: it blames what was right. */
  readonly never?: RegExp;
}

const AT = new Date("2026-11-24T12:00:00Z");
const END = AT.getTime() / 1000 + 900;
export const now = new Date("2026-11-24T12:05:00Z");
const clock = () => AT;
const keys = [credentials];
const expiresIn = 900;
const put = { method: "PUT" } as const;

const s3 = s3Signer({ region: "eu-west-1", credentials, clock });
const sign = (more: Partial<Parameters<typeof s3.sign>[0]> = {}) =>
  s3.sign({ bucket: "media", key: "a/b.txt", expiresIn, ...more }).url;
const v2 = s3V2Signer({ region: "us-east-1", credentials, clock });
const signV2 = (more: Partial<Parameters<typeof v2.sign>[0]> = {}) =>
  v2.sign({ bucket: "media", key: "a/b.jpg", expiresIn, ...more }).url;
const SESSION = "IQoJb3JpZ2luX2VjEC+wDmFwLXNvdXRoZWFzdC0x/IkcwRQIhAO35tQ10l5tyVt95==";

// What the servers write.

const MISMATCH =
  "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
const hex = (text: string): string =>
  Buffer.from(text)
    .toString("hex")
    .replace(/..(?=.)/g, "$& ");

/** S3's and OSS' answer to a legacy signature. */
const legacyBody = (text: string): string =>
  errorXml("SignatureDoesNotMatch", MISMATCH, {
    AWSAccessKeyId: credentials.accessKeyId,
    StringToSign: text.replaceAll("&", "&amp;"),
    StringToSignBytes: hex(text),
    RequestId: "742F2DC7510AEB55",
  });

/** How a browser shows an answer: each run of white space is one space, and long texts have lines of their own. */
const shownByBrowser = (xml: string): string =>
  `This XML file does not appear to have any style information associated with it. The document tree is shown below.\n${xml
    .replace(/>([^<]{60,}|[^<]*\n[^<]*)</g, (_, text: string) => `>\n${text.replace(/\s+/g, " ").trim()}\n<`)
    .replaceAll("><", ">\n<")}`;
const withoutBytes = (xml: string): string => xml.replace(/<(\w+)Bytes>[^<]*<\/\1Bytes>/g, "");

/** MinIO's, which RustFS and SeaweedFS follow: the path and no text that was signed. */
const minioBody = (resource: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SignatureDoesNotMatch</Code><Message>${MISMATCH}</Message><Key>${resource.split("/").slice(2).join("/")}</Key><BucketName>${resource.split("/")[1]}</BucketName><Resource>${resource}</Resource><RequestId>15A544FFA16B3D2C</RequestId><HostId>21f6c320-014c-4860-a4dc-f846ffb4b48e</HostId></Error>`;

const azureBody = (code: string, detail = ""): string =>
  `<?xml version="1.0" encoding="utf-8"?>\n<Error><Code>${code}</Code><Message>Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.\nRequestId:2b7236bd-301e-004c-2d6b-757ef4000000\nTime:2026-11-24T12:05:00.7678924Z</Message>${detail === "" ? "" : `<AuthenticationErrorDetail>${detail.replaceAll("&", "&amp;")}</AuthenticationErrorDetail>`}</Error>`;
const USED = "Signature did not match. String to sign used was ";
const AZURITE = errorXml(
  "AuthorizationFailure",
  "Server failed to authenticate the request. Make sure the value of the Authorization header is formed correctly including the signature.",
);

// URLs as signers make them that err.

const AZURE_KEY = Buffer.alloc(32, 7);
const DEVSTORE_KEY = Buffer.from(
  "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
  "base64",
);
const accountKey = AZURE_KEY.toString("base64");
const azureKeys = [{ accountKey }];

/** A SAS whose signature is over a text of one's own. */
function sasUrl(
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
const CONTAINER = { ...SAS_TIMES, sp: "r", sv: "2021-06-08", sr: "c" };
const containerText = (more: { readonly resource?: string; readonly ses?: boolean } = {}): string =>
  [
    ...["r", SAS_TIMES.st, SAS_TIMES.se, more.resource ?? "/blob/acme/media", "", "", "", "2021-06-08", "c", ""],
    ...(more.ses === false ? [] : [""]),
    ...["", "", "", "", ""],
  ].join("\n");
const BLOB = "https://acme.blob.core.windows.net/media/bus.csv";
const sasWithPlus = (spell: (signature: string) => string): string => {
  for (let second = 10; second < 60; second++) {
    const se = `2026-11-24T20:00:${second}Z`;
    const text = ["r", "", se, "/blob/acme/media/bus.csv", "", "", "", "2018-03-28", "b", "", "", "", ""].join("\n");
    const url = sasUrl(BLOB, { se, sp: "r", sv: "2018-03-28", sr: "b" }, { text, spell: encodeURIComponent });
    if (url.includes("%2B")) return sasUrl(BLOB, { se, sp: "r", sv: "2018-03-28", sr: "b" }, { text, spell });
  }
  throw new Error("no signature has a plus");
};

const DEVSTORE = "http://127.0.0.1:10000/devstoreaccount1";
const azurite = azureSigner({
  ...{ account: "devstoreaccount1", endpoint: DEVSTORE, version: "2021-04-10", clock },
  credentials: { accountKey: DEVSTORE_KEY.toString("base64") },
});

const toUrlText = (bytes: Buffer) =>
  bytes.toString("base64").replaceAll("+", "-").replaceAll("=", "_").replaceAll("/", "~");
/** A canned URL of CloudFront, by a signer that takes any number for its end. */
const cannedUrl = (url: string, end: number, keyPairId = "K2JCJMDEHXQW5F"): string => {
  const text = `{"Statement":[{"Resource":"${url}","Condition":{"DateLessThan":{"AWS:EpochTime":${end}}}}]}`;
  return `${url}?Expires=${end}&Signature=${toUrlText(createSign("sha1").update(text).sign(RSA.privateKey))}&Key-Pair-Id=${keyPairId}`;
};
const DISTRIBUTION = "https://d111111abcdef8.cloudfront.net/photos/logo.jpeg";

const account = { client_email: "app@project.iam.gserviceaccount.com", private_key: RSA.privateKey };
const gcsV2 = gcsV2Signer({ credentials: account, clock });
const googleV2 = async (more: object = {}) =>
  (await gcsV2.sign({ bucket: "media", object: "a/b.png", expiresIn, ...more })).url;
const googleText = (method: string, type = "", more = ""): string =>
  `${method}\n\n${type}\n${END}\n${more}/media/a/b.png`;
const googleBody = (text: string): string =>
  `<?xml version='1.0' encoding='UTF-8'?><Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the signature you provided. Check your Google secret key and signing method.</Message><StringToSign>${text}</StringToSign></Error>`;
const google = await googleV2();
const googlePut = await googleV2(put);
const googleWeek = (
  await gcsSigner({ credentials: account, clock }).sign({
    ...{ bucket: "media", object: "a.png", expiresIn: 604_800 },
  })
).url;

const ossKey = { accessKeyId: "LTAI5tERcFBucGpvadG8jktr", accessKeySecret: credentials.secretAccessKey };
const ossV1 = ossV1Signer({ region: "cn-beijing", credentials: ossKey, clock });
const ossPut = ossV1.sign({ bucket: "media", key: "a/b.jpg", expiresIn, ...put }).url;
const ossGet = ossV1.sign({ bucket: "media", key: "a/b.jpg", expiresIn }).url;
const ossV4 = ossSigner({ region: "cn-chengdu", credentials: ossKey, clock });
const ossV4Put = ossV4.sign({ bucket: "media", key: "6.png", expiresIn, ...put }).url;
const cos = cosSigner({
  region: "ap-shanghai",
  credentials: { secretId: "AKIDEXAMPLE", secretKey: credentials.secretAccessKey },
  clock,
}).sign({ bucket: "media-1250000000", key: "3890.jpg", expiresIn, ...put }).url;

const swift = swiftSigner({ endpoint: "https://swift.example.com", account: "AUTH_233146", key: "1234567890", clock });
const tempUrl = swift.sign({ container: "static1", object: "img/zlogo.png", expiresIn }).url;
const SWIFT =
  "<html><h1>Unauthorized</h1><p>This server could not verify that you are authorized to access the document you requested.</p></html>";
const TEMP_URL = "401 Unauthorized: Temp URL invalid\n";

const laravelKey = "base64:S2V5T2ZBbkFwcGxpY2F0aW9uV2l0aDMyQnl0ZXM=";
const laravel = laravelSigner({ secret: laravelKey, clock }).sign({
  url: "https://shop.example.com/verify?user=2",
  expiresIn,
}).url;
const laravelKeys = [{ scheme: "laravel", secret: laravelKey }] as const;
const LARAVEL_PAGE =
  '<!DOCTYPE html><html lang="en"><head><title>Invalid Signature</title></head><body><div class="px-4 text-lg">403</div><div class="ml-4 text-lg">Invalid Signature.</div></body></html>';
const imgproxyKey = { key: "943b421c9eb07c83", salt: "520f986b998545b4" };
const imgproxyUrl = (path: string) =>
  imgproxySigner({ ...imgproxyKey, clock }).sign({ url: `https://img.example.com${path}`, expiresIn }).url;
const symfonySecret = "of-the-application";
const symfony = symfonySigner({ secret: symfonySecret, clock }).sign({
  url: "https://shop.example.com/page?foo=bar",
  expiresIn,
}).url;
const inS3: readonly FieldCase[] = [
  {
    threads: "aws-samples/amazon-s3-presigned-urls-aws-sam#7",
    what: "an upload with the Content-Type of a picture, signed without one in SigV2",
    url: signV2(put),
    options: { errorBody: legacyBody(`PUT\n\nimage/jpeg\n${END}\n/media/a/b.jpg`) },
    cause: "HEADER",
    says: /content-type/i,
  },
  {
    threads: "aws/aws-sdk-php#239",
    what: "Content-Type appended to the URL, and sent, and not signed",
    url: `${signV2(put)}&Content-Type=image%2Fjpeg`,
    options: {
      errorBody: legacyBody(`PUT\n\nimage/jpeg\n${END}\n/media/a/b.jpg`),
      request: { ...put, headers: { "Content-Type": "image/jpeg" } },
    },
    cause: "HEADER",
    says: /content-type/i,
  },
  {
    threads: "aws/aws-sdk-java-v2#2154",
    what: "an SDK that signs x-amz-te, which no browser sends",
    url: rawUrl({ headers: { "x-amz-te": "append-md5" } }),
    options: { errorBody: awsErrorBody(rawUrl({ headers: { "x-amz-te": "append-md5" } })) },
    cause: "HEADER",
    says: /x-amz-te/,
  },
  {
    threads: "aws/aws-cli#4658",
    what: "the global host for a new bucket in Paris, which answers with a redirect to its regional one",
    url: rawUrl({ host: "media.s3.amazonaws.com", region: "eu-west-3", path: "/panda.jpg" }),
    options: {
      errorBody: awsErrorBody(rawUrl({ host: "media.s3.amazonaws.com", region: "eu-west-3", path: "/panda.jpg" }), {
        host: "media.s3.eu-west-3.amazonaws.com",
      }),
    },
    cause: "ENDPOINT",
    says: /redirect/,
    never: /proxy/,
  },
  {
    threads: "aws/aws-sdk-php#1180",
    what: "a URL for an upload opened in a browser, the answer copied out of it",
    url: signV2(put),
    options: { errorBody: shownByBrowser(legacyBody(`GET\n\n\n${END}\n/media/a/b.jpg`)) },
    cause: "WRONG_SECRET",
    says: /^The URL was signed for another method than GET/,
  },
  {
    threads: "aws/aws-sdk-js#2268, boto/boto3#3801",
    what: "the SDK's URL for an upload of a picture, tried with GET",
    url: `${signV2({ ...put, bind: { contentType: "image/jpeg" } })}&Content-Type=image%2Fjpeg`,
    options: { errorBody: legacyBody(`GET\n\n\n${END}\n/media/a/b.jpg`), request: { method: "GET" } },
    cause: "METHOD",
    says: /upload|PUT/,
  },
  {
    threads: "aws/aws-sdk-js#948",
    what: "the same with an ACL, the answer copied out of a browser without its bytes",
    url: `${signV2({ ...put, bind: { contentType: "text/csv" }, query: { "x-amz-acl": "public-read" } } as never)}&Content-Type=text%2Fcsv`,
    options: {
      errorBody: withoutBytes(shownByBrowser(legacyBody(`GET\n\n\n${END}\nx-amz-acl:public-read\n/media/a/b.jpg`))),
    },
    cause: "METHOD",
    says: /upload|PUT/,
  },
  {
    threads: "JoernBerkefeld/s3SignedUpload#2",
    what: "the same without a word of what it is for, the answer copied without its bytes",
    url: signV2(put),
    options: { errorBody: withoutBytes(shownByBrowser(legacyBody(`GET\n\n\n${END}\n/media/a/b.jpg`))) },
    cause: "WRONG_SECRET",
    says: /^The URL was signed for another method than GET/,
  },
  {
    threads: "aws/aws-sdk-php#1201",
    what: "a URL for GetObject used for an upload",
    url: sign({ query: { "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD" } }),
    options: {
      errorBody: awsErrorBody(sign({ query: { "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD" } }), { method: "PUT" }),
    },
    cause: "WRONG_SECRET",
    says: /^The URL was signed for another method than PUT/,
  },
  {
    threads: "boto/boto#3609",
    what: "a URL for an upload used to download what was uploaded, with the key at hand",
    url: signV2({ ...put, bind: { contentType: "binary/octet-stream" } }),
    options: { errorBody: errorXml("SignatureDoesNotMatch", MISMATCH), request: { method: "GET", headers: {} }, keys },
    cause: "METHOD",
    says: /signed for PUT and sent with GET/,
  },
  {
    threads: "minio/minio#5630",
    what: "an ACL signed as a header, put into the query, and not sent",
    url: rawUrl({
      ...{ method: "PUT", host: "s3.amazonaws.com", region: "us-east-1" },
      ...{ query: "Content-Type=image%2Fsvg%2Bxml&x-amz-acl=public-read", headers: { "x-amz-acl": "public-read" } },
    }),
    options: {
      request: { method: "PUT", headers: { "content-type": "image/svg+xml" } },
      errorBody: errorXml("SignatureDoesNotMatch", MISMATCH),
    },
    cause: "HEADER",
    says: /header x-amz-acl, which was not sent/,
  },
  {
    threads: "aws/aws-sdk-js#2601",
    what: "a URL that does not sign the host",
    url: sign().replace("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=range"),
    options: {
      errorBody: errorXml("AccessDenied", "There were headers present in the request which were not signed", {
        HeadersNotSigned: "host",
      }),
    },
    cause: "SIGNED_HEADERS",
    says: /does not sign the host/,
    never: /x-amz-\*|Leave them out/,
  },
  {
    threads: "bryanjos/aws_auth#31",
    what: "a life of two hundred years",
    url: rawUrl({ host: "s3-my-bucket.s3.amazonaws.com", region: "us-east-1", expires: 6_307_000_000 }),
    options: {
      errorBody: errorXml(
        "AuthorizationQueryParametersError",
        "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
      ),
    },
    cause: "MALFORMED",
    says: /week|seven days|604800/,
    never: /Pass the URL on/,
  },
  {
    threads: "aws/aws-cli#5464, minio/minio#5162",
    what: "a life of a second more than a week, as a browser's text without its tags",
    url: rawUrl({ host: "b.s3.amazonaws.com", region: "us-east-1", expires: 604_801 }),
    options: {
      errorBody:
        "AuthorizationQueryParametersErrorX-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
    },
    cause: "MALFORMED",
    says: /week|seven days|604800/,
    never: /Pass the URL on/,
  },
  {
    threads: "aws/aws-sdk-go-v2#1557, boto/boto3#2392",
    what: "a URL for a week, signed by a function whose session ended",
    url: s3Signer({
      ...{ region: "ap-southeast-1", clock },
      credentials: { accessKeyId: "ASIAV5PCHEA3QD37SVC7", secretAccessKey: "s", sessionToken: SESSION },
    }).sign({ bucket: "media", key: "Error.csv", expiresIn: 604_800 }).url,
    options: { errorBody: errorXml("ExpiredToken", "The provided token has expired.", { "Token-0": SESSION }) },
    cause: "EXPIRED_TOKEN",
    says: /session token has expired, and the URL with it/,
  },
  {
    threads: "ex-aws/ex_aws#228",
    what: "a session token whose plus became a space before it was signed",
    url: s3Signer({
      ...{ region: "us-east-1", clock },
      credentials: {
        accessKeyId: "ASIAV5PCHEA3QD37SVC7",
        secretAccessKey: "s",
        sessionToken: SESSION.replace("+", " "),
      },
    }).sign({ bucket: "media", key: "1.jpg", expiresIn, ...put }).url,
    options: { errorBody: errorXml("InvalidToken", "The provided token is malformed or otherwise invalid.") },
    cause: "INVALID_TOKEN",
    says: /space/,
  },
  {
    threads: "catalyst/moodle-tool_objectfs#303, request/request#860, PostgresApp/PostgresApp#267",
    what: "an Authorization header beside the signature, of a CDN, of a client that follows a redirect, of a browser's add-on",
    url: sign(),
    options: {
      errorBody: shownByBrowser(
        errorXml(
          "InvalidArgument",
          "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified",
          { ArgumentName: "Authorization", ArgumentValue: "Basic dXNlcjpwYXNz" },
        ),
      ),
    },
    cause: "AMBIGUOUS_AUTHENTICATION",
    says: /Authorization header beside the signed URL/,
  },
  {
    threads: "paws-r/paws#572, s3tools/s3cmd#1376, ravsau/aws-labs#4, aws-samples/aws-java-sample#19",
    what: "Signature Version 2 in a region that does not take it",
    url: signV2(),
    options: {
      errorBody: errorXml(
        "InvalidRequest",
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
      ),
    },
    cause: "LEGACY_SIGNATURE",
    says: /does not accept Signature Version 2/,
  },
  {
    threads: "boto/boto3#4592",
    what: "boto3's default against MinIO",
    url: v2.sign({ bucket: "onlyoffice", key: "a.docx", expiresIn }).url,
    options: {
      errorBody: `<Error>\n<Code>InvalidRequest</Code>\n<Message>The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.</Message>\n<Resource>/onlyoffice/a.docx</Resource>\n<RequestId>185BE78893937C6B</RequestId>\n</Error>`,
    },
    cause: "LEGACY_SIGNATURE",
    says: /does not accept Signature Version 2/,
  },
];

const inStores: readonly FieldCase[] = [
  {
    threads: "minio/minio#6546",
    what: "a proxy that cuts a prefix off the path",
    url: rawUrl({ host: "dash.example.com", path: "/dash/store/yd-bucket/1.jpg" }),
    options: { errorBody: minioBody("/yd-bucket/1.jpg") },
    cause: "PATH",
    says: /\/yd-bucket\/1\.jpg/,
  },
  {
    threads: "minio/minio#15173",
    what: "another one, and the key at hand",
    url: rawUrl({ host: "localhost", path: "/dev/b/a.txt", signedPath: "/b/a.txt" }),
    options: { errorBody: minioBody("/b/a.txt"), keys },
    cause: "PATH",
    says: /without its first segment|\/b\/a\.txt/,
  },
  {
    threads: "minio/minio#9964, minio/minio#7857, minio/minio#8624",
    what: "the host of a URL written over by hand, for the proxy in front of MinIO",
    url: rawUrl({ host: "10.1.2.3:9000" }).replace("10.1.2.3:9000", "files.example.com"),
    options: { errorBody: minioBody("/media/a/b.txt") },
    cause: "HOST",
    says: /^Most likely .*name/,
  },
  {
    threads: "minio/minio#5298",
    what: "a link with the port of the container, opened through the proxy without it",
    url: rawUrl({ host: "minio.my.domain.com:9000" }).replace(":9000", ""),
    options: { keys },
    cause: "HOST",
    says: /signed for the host minio\.my\.domain\.com:9000/,
  },
  {
    threads: "minio/minio#20964",
    what: "a URL signed for the name of the container, opened at localhost",
    url: rawUrl({ host: "minio:9000" }).replace("minio:9000", "localhost:7000"),
    options: { keys },
    cause: "HOST",
    says: /signed for the host minio:9000/,
  },
  {
    threads: "vastsa/FileCodeBox#148",
    what: "Signature Version 2 at R2, the answer copied out of a browser without its tags",
    url: signV2().replace("media.s3.amazonaws.com", "0123456789abcdef.r2.cloudflarestorage.com/media"),
    options: { errorBody: "UnauthorizedSigV2 authorization is not supported. Please use SigV4 instead." },
    cause: "LEGACY_SIGNATURE",
    says: /does not accept Signature Version 2/,
  },
  {
    threads: "Backblaze/b2-sdk-python#136, ai-dock/comfyui#22",
    what: "Signature Version 2 at Backblaze B2, which takes it for no signature at all",
    url: signV2().replace("media.s3.amazonaws.com", "s3.us-west-002.backblazeb2.com/media"),
    options: { errorBody: errorXml("UnauthorizedAccess", "bucket is not authorized: media") },
    cause: "LEGACY_SIGNATURE",
    says: /Signature Version 2/,
    never: /nothing wrong with the URL/,
  },
  {
    threads: "saltbo/zpan#126",
    what: "an ACL that Backblaze B2 does not have",
    url: rawUrl({ host: "media.s3.us-west-002.backblazeb2.com", headers: { "x-amz-acl": "authenticated-read" } }),
    options: {
      request: { ...put, headers: { "x-amz-acl": "authenticated-read" } },
      errorBody: errorXml("InvalidArgument", "Unsupported value for canned acl 'authenticated-read'"),
    },
    cause: "HEADER",
    says: /ACL.*authenticated-read/,
    never: /nothing wrong with the URL/,
  },
  {
    threads: "peak/s5cmd#269",
    what: "a key of Backblaze B2 at the endpoint of another of its regions",
    url: rawUrl({ host: "s3.us-west-002.backblazeb2.com", region: "us-west-002" }),
    options: { errorBody: errorXml("InvalidAccessKeyId", "The key '00005329cf349a40000000001' is not valid") },
    cause: "UNKNOWN_KEY",
    says: /does not know the access key/,
  },
  {
    threads: "shrinerb/shrine#676",
    what: "a Content-Disposition that is signed and was not sent, at DigitalOcean, which says no more than its code",
    url: rawUrl({
      ...{ method: "PUT", host: "test-dev.blr1.digitaloceanspaces.com", region: "blr1" },
      headers: { "content-disposition": "inline", "content-type": "application/pdf" },
    }),
    options: {
      request: { ...put, headers: { "content-type": "application/pdf" } },
      errorBody:
        '<?xml version="1.0" encoding="UTF-8"?><Error><Code>SignatureDoesNotMatch</Code><RequestId>tx000000000000001b7638c-0059cdfbfa-24e9b-nyc3a</RequestId><HostId>24e9b-nyc3a-nyc</HostId></Error>',
    },
    cause: "HEADER",
    says: /content-disposition, which was not sent/,
  },
  {
    threads: "mhart/aws4fetch#15, ConzorKingKong/cloud-storage#1, mhart/aws4fetch#32",
    what: "a signer that guesses the service by a host that it does not know",
    url: rawUrl({ host: "jeanie.nyc3.digitaloceanspaces.com", region: "nyc3", service: "jeanie" }),
    options: { errorBody: errorXml("AccessDenied", "") },
    cause: "SERVICE",
    says: /signed for the service jeanie, but S3 expects s3/,
  },
  {
    threads: "jschneier/django-storages#944, vaersaagod/dospaces#9, ShieldBattery/ShieldBattery#591",
    what: "a URL signed for the host of DigitalOcean's CDN",
    url: rawUrl({ host: "test.ams3.cdn.digitaloceanspaces.com", region: "ams3" }),
    options: {
      keys,
      request: { method: "GET", headers: {} },
      errorBody: "<Error><Code>SignatureDoesNotMatch</Code><RequestId>tx0000</RequestId></Error>",
    },
    cause: "HOST",
    says: /signed for the host test\.ams3\.cdn\.digitaloceanspaces\.com, and the server was reached as test\.ams3\.digital/,
    never: /holds another secret/,
  },
  {
    threads:
      "googleapis/google-cloud-node#2814, googleapis/google-cloud-node#1976, googleapis/nodejs-storage#244, firebase/functions-samples#360",
    what: "a link of Cloud Storage that worked for some days: its key was replaced",
    url: google,
    options: { errorBody: shownByBrowser(googleBody(googleText("GET"))) },
    cause: "WRONG_SECRET",
    says: /key/,
    never: /secret is wrong|signer's secret/,
  },
  {
    threads: "GoogleCloudPlatform/nodejs-docs-samples#321",
    what: "the same in V4, whose text is shown",
    url: googleWeek,
    options: {
      errorBody: errorXml("SignatureDoesNotMatch", "Access denied."),
      request: { method: "GET", headers: {} },
    },
    cause: "WRONG_SECRET",
    says: /key/,
    never: /(?:another|different) secret/,
  },
  {
    threads: "googleapis/nodejs-storage#704",
    what: "an editor that decodes a URL before it opens it",
    url: google.replaceAll("%2B", "+").replaceAll("%2F", "/"),
    options: {
      errorBody:
        "<Error>\n<Code>MalformedSecurityHeader</Code>\n<Message>Your request has a malformed header.</Message>\n<ParameterName>signature</ParameterName>\n<Details>Signature was not base64 encoded</Details>\n</Error>",
    },
    cause: "SIGNATURE",
    says: /damaged in transit/,
  },
  {
    threads:
      "googleapis/google-cloud-node#1695, googleapis/google-cloud-ruby#2855, googleapis/google-cloud-python#9947",
    what: "an upload of a picture, signed without a Content-Type",
    url: googlePut,
    options: { errorBody: googleBody(googleText("PUT", "image/png")) },
    cause: "HEADER",
    says: /content-type/i,
  },
  {
    threads: "googleapis/google-cloud-ruby#1964",
    what: "the same, the answer copied with its lines and without the empty ones",
    url: googlePut,
    options: { errorBody: googleBody(`\nPUT\nimage/png\n${END}\n/media/a/b.png\n`) },
    cause: "HEADER",
    says: /content-type/i,
    never: /end differs/i,
  },
  {
    threads: "googleapis/google-resumable-media-python#289",
    what: "the start of a resumable upload with another Content-Type than was signed",
    url: await googleV2({ method: "POST", bind: { contentType: "application/octet-stream" }, headers: {} }),
    options: {
      errorBody: googleBody(googleText("POST", "application/json; charset=UTF-8", "x-goog-resumable:start\n")),
    },
    cause: "HEADER",
    says: /content-type|x-goog-resumable/i,
  },
  {
    threads:
      "aliyun/aliyun-oss-php-sdk#158, aliyun/aliyun-oss-go-sdk#121, aliyun/aliyun-oss-go-sdk#317, aliyun/aliyun-oss-go-sdk#391",
    what: "an upload to OSS with Postman, which adds a Content-Type",
    url: ossPut,
    options: { errorBody: legacyBody(`PUT\n\nimage/jpeg\n${END}\n/media/a/b.jpg`) },
    cause: "HEADER",
    says: /content-type/i,
  },
  {
    threads: "aliyun/alibabacloud-oss-go-sdk-v2#25, ali-sdk/ali-oss#1200",
    what: "an upload to OSS as a form, whose Content-Type a browser makes",
    url: ossV4Put,
    options: {
      keys: [ossKey],
      request: { ...put, headers: { "Content-Type": "multipart/form-data; boundary=x" } },
      errorBody: errorXml("SignatureDoesNotMatch", MISMATCH),
    },
    cause: "HEADER",
    says: /content-type/i,
  },
  {
    threads: "ali-sdk/ali-oss#485",
    what: "a URL of OSS made without a method, used for an upload",
    url: ossGet,
    options: {
      keys: [ossKey],
      request: { ...put, headers: {} },
      errorBody: errorXml("SignatureDoesNotMatch", MISMATCH),
    },
    cause: "METHOD",
    says: /signed for GET and sent with PUT/,
  },
  {
    threads: "ali-sdk/ali-oss#1293",
    what: "a picture that an app sends as bytes, signed as a picture",
    url: ossV1.sign({ bucket: "media", key: "a/b.jpg", expiresIn, ...put, bind: { contentType: "image/jpeg" } }).url,
    options: {
      keys: [ossKey],
      request: { ...put, headers: { "content-type": "application/octet-stream" } },
      errorBody: errorXml("SignatureDoesNotMatch", MISMATCH),
    },
    cause: "HEADER",
    says: /content-type/i,
  },
  {
    threads: "aliyun/alibabacloud-oss-python-sdk-v2#133",
    what: "a URL that a terminal cut at its end",
    url: ossV4.sign({ bucket: "media", key: "6.png", expiresIn }).url.split("%2Faliyun_v4_request")[0] ?? "",
    options: { errorBody: errorXml("SignatureDoesNotMatch", MISMATCH) },
    cause: "MALFORMED",
    says: /cut off/,
  },
  {
    threads: "tencentyun/qcloud-sdk-ios#16",
    what: "COS' answer as an error of iOS shows it, with the key at hand",
    url: cos,
    options: {
      keys: [{ secretId: "AKIDEXAMPLE", secretKey: "another-secret" }],
      request: { ...put, headers: {} },
      errorBody:
        'Error Domain=com.tencent.qcloud.networking Code=403 "(null)" UserInfo={__name=Error, RequestId=NWQ0N2E1MWRfNjE5ZDA4MDlfYWU5Y19iNGRkOTk=, Code=SignatureDoesNotMatch, TraceId=OGVm, Resource=xxxx, Message=The Signature you specified is invalid.}',
    },
    cause: "WRONG_SECRET",
    says: /a different (?:key|secret)/,
  },
  {
    threads: "dennisv/django-storage-swift#26, fog/fog-openstack#372, javaswift/joss#82",
    what: "a TempURL with a key that was never given to the account",
    url: tempUrl,
    options: { errorBody: TEMP_URL },
    cause: "WRONG_SECRET",
    says: /key/,
    never: /canonical request/,
  },
  {
    threads: "openstacknetsdk/openstack.net#432",
    what: "the same, for an object that is not there",
    url: tempUrl,
    options: { errorBody: SWIFT.replace("</p>", `</p><p>${TEMP_URL}</p>`) },
    cause: "WRONG_SECRET",
    says: /key/,
    never: /canonical request/,
  },
  {
    threads: "dennisv/django-storage-swift#79",
    what: "a name with a space that was signed encoded",
    url: `https://swift.example.com/v1/AUTH_t/c/a%20b.txt?temp_url_sig=${createHmac("sha1", "kk").update(`GET\n${END}\n/v1/AUTH_t/c/a%20b.txt`).digest("hex")}&temp_url_expires=${END}`,
    options: { keys: [{ account: "AUTH_t", key: "kk" }], errorBody: TEMP_URL },
    cause: "PATH",
    says: /encod/,
  },
];

const inAzure: readonly FieldCase[] = [
  {
    threads: "Azure/AzureStor#140",
    what: "a SAS by a library that signs the fields of an older version, the answer copied out of a browser, with the key",
    url: sasUrl(BLOB, CONTAINER, { text: containerText({ ses: false }) }),
    options: { keys: azureKeys, errorBody: shownByBrowser(azureBody("AuthenticationFailed", USED + containerText())) },
    cause: "VERSION",
    says: /fields of/,
  },
  {
    threads: "MicrosoftDocs/azure-docs#85704",
    what: "a SAS in a tutorial, whose account has a new key",
    url: sasUrl(BLOB, CONTAINER, { text: containerText(), key: Buffer.alloc(32, 8) }),
    options: { errorBody: azureBody("AuthenticationFailed", USED + containerText()) },
    cause: "WRONG_SECRET",
    says: /exactly what the URL says/,
  },
  {
    threads: "microsoft/AzureStorageExplorer#9054",
    what: "the same as an exception of the SDK for JavaScript shows it",
    url: sasUrl(BLOB, CONTAINER, { text: containerText(), key: Buffer.alloc(32, 8) }),
    options: {
      errorBody: JSON.stringify({
        name: "RestError",
        code: "AuthenticationFailed",
        statusCode: 403,
        details: {
          errorCode: "AuthenticationFailed",
          message:
            "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.",
          authenticationErrorDetail: USED + containerText(),
        },
      }),
    },
    cause: "WRONG_SECRET",
    says: /exactly what the URL says/,
  },
  {
    threads: "Azure/azure-storage-java#515",
    what: "the same copied out of a browser: no line of it differs",
    url: sasUrl(BLOB, CONTAINER, { text: containerText(), key: Buffer.alloc(32, 8) }),
    options: { errorBody: shownByBrowser(azureBody("AuthenticationFailed", USED + containerText())) },
    cause: "WRONG_SECRET",
    says: /exactly what the URL says/,
    never: /differs/,
  },
  {
    threads: "microsoft/AzureTRE#2897, microsoft/AzureTRE-Deployment#35",
    what: "a SAS for a container opened in a browser, which asks for a blob of that name",
    url: sasUrl("https://acme.blob.core.windows.net/6aabe3bb-05d5", CONTAINER, {
      text: containerText({ resource: "/blob/acme/6aabe3bb-05d5" }),
    }),
    options: {
      errorBody: shownByBrowser(
        azureBody("AuthenticationFailed", USED + containerText({ resource: "/blob/acme/$root" })),
      ),
    },
    cause: "PATH",
    says: /restype=container|for a blob/,
    never: /proxy/,
  },
  {
    threads: "nteract/papermill#447, Azure/azure-sdk-for-java#6844",
    what: "a + in the signature that was decoded",
    url: sasWithPlus((signature) => signature),
    options: { errorBody: azureBody("AuthenticationFailed", "Signature fields not well formed.") },
    cause: "SIGNATURE",
    says: /\+/,
  },
  {
    threads: "Azure/api-management-policy-snippets#122",
    what: "the same, and without its = at the end",
    url: sasWithPlus((signature) => signature.replace(/=+$/, "")),
    cause: "SIGNATURE",
    says: /\+/,
  },
  {
    threads: "Azure/azure-sdk-for-java#17902",
    what: "a SAS appended to a URL that has one",
    url: `${sasUrl(BLOB, CONTAINER, { text: containerText() })}?${sasUrl(BLOB, CONTAINER, { text: containerText() }).split("?")[1]}`,
    options: { errorBody: azureBody("AuthenticationFailed", "Signature fields not well formed.") },
    cause: "MALFORMED",
    says: /more than once|twice|second \?/,
  },
  {
    threads: "Azure/Azurite#386",
    what: "permissions in another order than was signed, at the emulator",
    url: azureAccountSigner({
      ...{ account: "devstoreaccount1", endpoint: DEVSTORE, version: "2022-11-02", clock },
      credentials: { accountKey: DEVSTORE_KEY.toString("base64") },
    })
      .sign({ permissions: "rwdlc", services: "b", resourceTypes: "sco", container: "media", expiresIn: 3600 } as never)
      .url.replace("sp=rwdlc", "sp=rwdlac"),
    options: { errorBody: AZURITE },
    cause: "QUERY",
    says: /permissions/,
    never: /rules other than the signature/,
  },
  {
    threads: "Azure/Azurite#1404, Azure/azure-storage-python#668, arafato/azurite#124, Azure/Azurite#233",
    what: "a SAS that is right, at an emulator that is older than its version",
    url: azurite.sign({ container: "media", blob: "a.txt", permissions: "r", expiresIn: 3600 }).url,
    options: { errorBody: AZURITE },
    cause: "VERSION",
    says: /emulator|Azurite/,
    never: /regenerated|rules other than the signature/,
  },
  {
    threads: "Azure/Azurite#2430",
    what: "the same, as the newer ones say it",
    url: azurite.sign({ container: "media", blob: "a.txt", permissions: "r", expiresIn: 3600 }).url,
    options: {
      errorBody: errorXml("InvalidHeaderValue", "The value for one of the HTTP headers is not in the correct format.", {
        HeaderName: "x-ms-version",
        HeaderValue: "2024-05-04",
      }),
    },
    cause: "VERSION",
    says: /x-ms-version|version/,
  },
];

const atEdges: readonly FieldCase[] = [
  {
    threads: "aws/aws-sdk-js#2236",
    what: "an end in milliseconds",
    url: cannedUrl(DISTRIBUTION, END * 1000),
    options: { errorBody: errorXml("MalformedPolicy", "Malformed Policy") },
    cause: "TIME",
    says: /milliseconds/,
    never: /cut off|renamed|encoded again/,
  },
  {
    threads: "jasonsims/aws-cloudfront-sign#15",
    what: "a signature of CloudFront's on a URL of S3",
    url: cannedUrl("http://my-s3-domain.s3.amazonaws.com/my-great-file.txt", END),
    options: {
      errorBody: errorXml(
        "AccessDenied",
        "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters",
      ),
    },
    cause: "ENDPOINT",
    says: /S3.*CloudFront|CloudFront.*S3/,
  },
  {
    threads: "aws/aws-sdk-php#1228",
    what: "the id of an access key in the place of a key pair's",
    url: cannedUrl(DISTRIBUTION, END, "AKIAIOSFODNN7EXAMPLE"),
    options: { errorBody: errorXml("InvalidKey", "Unknown Key") },
    cause: "UNKNOWN_KEY",
    says: /access key/,
  },
  {
    threads: "jasonsims/aws-cloudfront-sign#20",
    what: "a URL whose last parameter was lost",
    url: cannedUrl(DISTRIBUTION, END).split("&Key-Pair-Id")[0] ?? "",
    options: { errorBody: errorXml("MissingKey", "Missing Key-Pair-Id query parameter or cookie value") },
    cause: "MALFORMED",
    says: /no Key-Pair-Id|lacks Key-Pair-Id/,
  },
  {
    threads: "aws-solutions-library-samples/video-on-demand-on-aws#100",
    what: "cookies that end a second after they were made",
    url: DISTRIBUTION,
    options: {
      errorBody: errorXml("AccessDenied", "Access denied"),
      request: {
        method: "GET",
        headers: {
          cookie: (() => {
            const policy = `{"Statement":[{"Resource":"http*://d111111abcdef8.cloudfront.net/*","Condition":{"DateLessThan":{"AWS:EpochTime":${AT.getTime() / 1000 + 1}}}}]}`;
            const signature = toUrlText(createSign("sha1").update(policy).sign(RSA.privateKey));
            return `CloudFront-Policy=${toUrlText(Buffer.from(policy))}; CloudFront-Signature=${signature}; CloudFront-Key-Pair-Id=K2JCJMDEHXQW5F`;
          })(),
        },
      },
    },
    cause: "EXPIRED",
    says: /has expired/,
  },
  {
    threads: "aws/aws-sdk-js-v3#4516",
    what: "cookies with a canned policy for a pattern",
    url: DISTRIBUTION,
    options: {
      errorBody: errorXml("AccessDenied", "Access denied"),
      keys: [{ keyPairId: "K2JCJMDEHXQW5F", publicKey: RSA.publicKey }],
      request: {
        method: "GET",
        headers: {
          cookie: `CloudFront-Expires=${END}; CloudFront-Signature=${(/Signature=([^&]*)/.exec(cannedUrl("https://*", END)) ?? [])[1]}; CloudFront-Key-Pair-Id=K2JCJMDEHXQW5F`,
        },
      },
    },
    cause: "PATH",
    says: /canned policy|pattern/,
  },
  {
    threads:
      "laravel/octane#866, laravel/framework#28941, laravel/framework#31430, laravel/framework#28311, laravel/framework#26834, maize-tech/laravel-magic-login#22, LinkStackOrg/LinkStack#696, laravel/framework#39013",
    what: "a signed route behind a proxy that ends TLS, with the application's key",
    url: laravel,
    options: { errorBody: LARAVEL_PAGE, keys: laravelKeys, request: { method: "GET", headers: {} } },
    cause: "HOST",
    says: /another (?:address|origin|scheme)|http/,
  },
  {
    threads: "livewire/livewire#10574",
    what: "the same without the key, as an API says it",
    url: laravel,
    options: { errorBody: '{"message":"Invalid signature."}' },
    cause: "HOST",
    says: /proxy/,
  },
  {
    threads: "laravel/framework#43160",
    what: "a parameter of an advertiser on a signed route, with the key",
    url: `${laravel}&fbclid=IwAR0`,
    options: { keys: laravelKeys, errorBody: LARAVEL_PAGE },
    cause: "QUERY",
    says: /fbclid was added after signing/,
  },
  {
    threads: "imgproxy/imgproxy#976",
    what: "a proxy that decodes brackets in the path",
    url: imgproxyUrl("/fn:%28name%29/plain/gs://media/a.png").replace("%28name%29", "(name)"),
    options: { keys: [{ scheme: "imgproxy", ...imgproxyKey }] },
    cause: "PATH",
    says: /path/,
  },
  {
    threads: "imgproxy/imgproxy#688",
    what: "a signature that was cut short, as an example does",
    url: imgproxySigner({ ...imgproxyKey, signatureSize: 8, clock }).sign({
      ...{ url: "https://img.example.com/rs:fit:300/plain/https://example.com/hero.jpg", expiresIn },
    }).url,
    options: { keys: [{ scheme: "imgproxy", ...imgproxyKey, signatureSize: 32 }] as ExplainOptions["keys"] & object },
    cause: "SIGNATURE",
    says: /cut to 8 bytes/,
  },
  {
    threads: "imgproxy/imgproxy#434, imgproxy/imgproxy#444",
    what: "key and salt used as texts where they are hexadecimal",
    url: imgproxySigner({
      key: Buffer.from(imgproxyKey.key).toString("hex"),
      salt: Buffer.from(imgproxyKey.salt).toString("hex"),
      clock,
    }).sign({ url: "https://img.example.com/rs:fit:300/plain/https://example.com/a.jpg", expiresIn }).url,
    options: { keys: [{ scheme: "imgproxy", ...imgproxyKey }] },
    cause: "SIGNATURE",
    says: /as texts/,
  },
  {
    threads: "symfony/symfony#12574",
    what: "Varnish, which sorts the query, with the secret",
    url: symfony.replace(/\?(.*)$/, (_, query: string) => `?${query.split("&").reverse().join("&")}`),
    options: { keys: [{ scheme: "symfony", secret: symfonySecret }] },
    cause: "QUERY",
    says: /order/,
  },
];

const atClients: readonly FieldCase[] = [
  {
    threads: "zaccharles/presigned-s3-upload#4",
    what: "Chrome's console, of an answer without the header",
    url: sign(),
    options: {
      errorBody: `Access to fetch at '${sign()}' from origin 'http://localhost:7024' has been blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present on the requested resource. If an opaque response serves your needs, set the request's mode to 'no-cors' to fetch the resource with CORS disabled.`,
    },
    cause: "CORS",
    says: /Access-Control-Allow-Origin/,
  },
  {
    threads: "zaccharles/presigned-s3-upload#4",
    what: "Safari's console",
    url: sign(),
    options: { errorBody: `Fetch API cannot load ${sign()} due to access control checks.` },
    cause: "CORS",
    says: /Access-Control-Allow-Origin/,
  },
  {
    threads:
      "danialfarid/ng-file-upload#743, aws-samples/amazon-s3-presigned-urls-aws-sam#5, ar90n/serverless-s3-local#78, cloudflare/workerd#4280, cloudflare/cloudflare-docs#6003",
    what: "a preflight that no rule answers",
    url: sign(put),
    options: {
      request: put,
      errorBody: `Access to XMLHttpRequest at '${sign(put)}' from origin 'http://localhost:8080' has been blocked by CORS policy: Response to preflight request doesn't pass access control check: It does not have HTTP ok status.`,
    },
    cause: "CORS",
    says: /preflight/,
  },
  {
    threads: "crafter-station/petdex#66",
    what: "a page whose own policy forbids the upload",
    url: sign(put),
    options: {
      request: put,
      errorBody: `Refused to connect to '${sign(put)}' because it violates the following Content Security Policy directive: "connect-src 'self'".`,
    },
    cause: "POLICY",
    says: /Content-Security-Policy/,
    never: /CORSRules/,
  },
  {
    threads: "minio/minio#11870",
    what: "a browser that cannot find the name of a container",
    url: rawUrl({ host: "minio:9000" }).replace("https", "http"),
    options: { errorBody: `PUT ${rawUrl({ host: "minio:9000" })} net::ERR_NAME_NOT_RESOLVED` },
    cause: "HOST",
    says: /cannot resolve the host/,
  },
];

const emptySum = rawUrl({
  method: "PUT",
  query: "x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32&x-id=PutObject",
});
const signedAcl = rawUrl({ method: "PUT", headers: { "content-type": "image/png", "x-amz-acl": "public-read" } });
const restError = (code: string, message: string): string =>
  JSON.stringify({
    name: "RestError",
    message: `${message}\nRequestId:4f4010b3-601e\nTime:2026-11-24T12:04:00Z`,
    code,
    statusCode: 403,
  });
const NOT_AUTHORIZED = "This request is not authorized to perform this operation";
const azureOf = (more: { readonly blob?: string; readonly permissions: string }): string =>
  azureSigner({ account: "acme", credentials: { accountKey }, clock }).sign({
    container: "media",
    expiresIn: 3600,
    ...more,
  }).url;

/** Threads that were looked up when all the others were explained, to see what the rules are worth. */
const lookedUpLater: readonly FieldCase[] = [
  {
    threads: "usekaneo/kaneo#1173",
    what: "an upload to Garage with the checksum of nothing",
    url: emptySum,
    options: {
      errorBody: errorXml(
        "InvalidDigest",
        "Invalid digest: Failed to validate checksum for algorithm Crc32: calculated Some(Crc32([255, 213, 36, 122])), expected Crc32([0, 0, 0, 0])",
        { Resource: "/kaneo/x.png", Region: "garage" },
      ),
    },
    cause: "CHECKSUM",
    says: /empty body/,
  },
  {
    threads: "seaweedfs/seaweedfs#10216, ministackorg/ministack#1695",
    what: "the same in the words of a server's log",
    url: emptySum,
    options: {
      errorBody:
        "s3api_object_handlers_put.go:701 putToFiler: checksum mismatch for X-Amz-Checksum-Crc32: expected AAAAAA==, got HYZs4w==",
    },
    cause: "CHECKSUM",
    says: /empty body/,
  },
  {
    threads: "crafter-station/petdex#465",
    what: "the same in the words of a page that saw no answer",
    url: emptySum,
    options: { errorBody: "Upload failed: R2 PUT network error: xhr network error (size=290, type=application/json)" },
    cause: "CHECKSUM",
    says: /empty body/,
  },
  {
    threads: "f2face/cloudflare-r2#12",
    what: "a header that R2 does not know, in an exception",
    url: emptySum,
    options: { errorBody: "NotImplemented: Header 'x-amz-checksum-crc32' with value '8FJbTw==' not implemented" },
    cause: "HEADER",
    says: /takes no header x-amz-checksum-crc32/,
  },
  {
    threads: "aws/aws-sdk-js#557",
    what: "a file that is sent as a form, signed without a Content-Type",
    url: signV2(put),
    options: { errorBody: legacyBody(`PUT\n\nmultipart/form-data\n${END}\n/media/a/b.jpg`) },
    cause: "HEADER",
    says: /content-type/i,
  },
  {
    threads: "odysseyscience/react-s3-uploader#192",
    what: "an ACL that is signed, and an uploader that does not send it",
    url: signedAcl,
    options: {
      errorBody: awsErrorBody(signedAcl, { ...put, headers: { "content-type": "image/png", "x-amz-acl": "" } }),
    },
    cause: "HEADER",
    says: /x-amz-acl/,
  },
  {
    threads: "boring-registry/boring-registry#223, encoredev/encore#1846, allenai/cached_path#252, ido-pluto/ipull#12",
    what: "a client that asks with HEAD before it downloads",
    url: sign(),
    options: { keys, request: { method: "HEAD" } },
    cause: "METHOD",
    says: /signed for GET and sent with HEAD/,
  },
  {
    threads: "dandi/dandi-cli#675, streamio/streamio-ffmpeg#236, andresusanto/easydl#17",
    what: "the same without the key: the answer to a HEAD has no body",
    url: sign({ response: { contentDisposition: 'attachment; filename="a.nwb"' } }),
    options: { request: { method: "HEAD", headers: {} }, status: 403 },
    cause: "METHOD",
    says: /sent with HEAD, and was probably signed for GET/,
  },
  {
    threads: "wkh237/react-native-fetch-blob#425, awsdocs/aws-doc-sdk-examples#2849",
    what: "an upload from a device, of which no more than its status is known",
    url: sign({ ...put, bind: { contentType: "image/jpeg" } }),
    options: { request: put, status: 403 },
    cause: "HEADER",
    says: /^Most likely the header content-type/,
  },
  {
    threads: "aws/aws-sdk-php#1333, aws/aws-sdk-js#3493",
    what: "a URL that ended some seconds ago by the server's clock",
    url: s3Signer({ region: "ap-southeast-2", credentials, clock }).sign({ bucket: "b", key: "k", expiresIn: 285 }).url,
    options: {
      errorBody: errorXml("AccessDenied", "Request has expired", {
        ...{ "X-Amz-Expires": "285", Expires: "2026-11-24T12:04:45Z", ServerTime: "2026-11-24T12:04:55Z" },
      }),
    },
    cause: "EXPIRED",
    says: /has expired: it was valid until 2026-11-24T12:04:45/,
  },
  {
    threads: "aws/aws-sdk-js#4513, dmjio/s3-signer#16",
    what: "a device whose clock is ahead",
    url: sign(),
    options: { errorBody: errorXml("AccessDenied", "Request is not yet valid", { "X-Amz-Date": "20261124T120000Z" }) },
    cause: "CLOCK",
    says: /dated in the future by the server's clock/,
  },
  {
    threads: "microsoft/AzureStorageExplorer#3767",
    what: "an exception of Azure's SDK, of a permission",
    url: azureOf({ blob: "a.txt", permissions: "r" }),
    options: {
      errorBody: restError("AuthorizationPermissionMismatch", `${NOT_AUTHORIZED} using this permission.`),
      request: put,
    },
    cause: "PERMISSION",
    says: /permissions \(sp\) do not permit/,
  },
  {
    threads: "microsoft/AzureStorageExplorer#4460",
    what: "one of the account's firewall",
    url: azureOf({ blob: "a.txt", permissions: "r" }),
    options: { errorBody: restError("AuthorizationFailure", `${NOT_AUTHORIZED}.`), request: { method: "GET" } },
    cause: "PERMISSION",
    says: /firewall/,
  },
  {
    threads: "Azure/azure-sdk-for-js#5739",
    what: "an operation that no SAS permits",
    url: `${azureOf({ permissions: "racwdl" })}&restype=container&comp=acl`,
    options: { errorBody: errorXml("AuthorizationFailure", `${NOT_AUTHORIZED}.`), request: { method: "GET" } },
    cause: "METHOD",
    says: /not an Azure operation .*comp=acl/,
    never: /firewall/,
  },
  {
    threads: "aws/aws-sdk-java-v2#3250",
    what: "the host replaced by a domain that leads to the bucket, with the key",
    url: rawUrl({ host: "media.s3.eu-west-1.amazonaws.com", path: "/a.bin" }).replace(
      "media.s3.eu-west-1.amazonaws.com",
      "media.example.com",
    ),
    options: { keys },
    cause: "HOST",
    says: /signed for the host media\.s3\.eu-west-1\.amazonaws\.com/,
  },
  {
    threads: "goauthentik/authentik#21694, cloudreve/cloudreve#3543",
    what: "the host replaced by the domain of a CDN in front of RustFS",
    url: rawUrl({ host: "s3.example.com" }).replace("s3.example.com", "files.example.com"),
    options: { errorBody: minioBody("/media/a/b.txt") },
    cause: "HOST",
    says: /^Most likely the server was reached under another name/,
  },
  {
    threads: "wgnet/s3clix#2",
    what: "an answer with Markdown's escapes",
    url: rawUrl({ host: "s3.amazonaws.com", region: "custom" }),
    options: {
      errorBody:
        "\\<?xml version=\"1.0\" encoding=\"UTF-8\"?\\>\n\\<Error\\>\\<Code\\>PermanentRedirect\\<\\/Code\\>\\<Message\\>The authorization header is malformed; the region 'custom' is wrong; expecting 'us-east-1'\\<\\/Message\\>\\<\\/Error\\>",
    },
    cause: "REGION",
    says: /expects us-east-1/,
  },
  {
    threads: "transloadit/uppy#713, boto/boto3#2187, boto/boto3#2728",
    what: "a bucket elsewhere than the endpoint",
    url: rawUrl({ host: "s3.us-east-2.amazonaws.com", region: "us-east-2" }),
    options: {
      errorBody: errorXml(
        "PermanentRedirect",
        "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
        { Endpoint: "s3.amazonaws.com" },
      ),
    },
    cause: "ENDPOINT",
    says: /another endpoint \(s3\.amazonaws\.com\)/,
  },
  {
    threads: "noobaa/noobaa-core#7931",
    what: "a plain + in the id of the key",
    url: sign().replace("AKIDEXAMPLE", "abc+abc"),
    options: { errorBody: minioBody("/media/a/b.txt").replace("<Resource>/media/a/b.txt</Resource>", "") },
    cause: "QUERY",
    says: /plain \+/,
  },
];

/** Threads whose URL is none that can be explained, and what the refusal to do so has to say. */
export const fieldCases: readonly FieldCase[] = [
  ...inS3,
  ...inStores,
  ...inAzure,
  ...atEdges,
  ...atClients,
  ...lookedUpLater,
];
