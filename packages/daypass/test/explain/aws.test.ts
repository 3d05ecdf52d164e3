import { explain, redactUrl } from "daypass/explain";
import { describe, expect, test } from "vitest";
import { cpuMilliseconds } from "../cpu-time.ts";
import { AWS_URLS, CLUSTER, KEY, SESSION_KEY, SIGNED_AT } from "./aws-urls.ts";

const at = (seconds: number) => () => new Date(Date.parse(SIGNED_AT) + seconds * 1000);
const clock = at(30);
const keys = [KEY, SESSION_KEY];
type Name = keyof typeof AWS_URLS;
const NAMES = Object.keys(AWS_URLS) as Name[];
const sent = (name: Name) => (name === "eks" ? { method: "GET", headers: { "x-k8s-aws-id": CLUSTER } } : undefined);

const SAID: Readonly<Record<Name, RegExp>> = {
  eks: /^An EKS token .* for the cluster named in the header x-k8s-aws-id.*valid until 2026-01-02T03:19:05/,
  transcribe:
    /^A presigned WebSocket of Amazon Transcribe for a stream to transcribe \(en-US\).*until 2026-01-02T03:09:05/,
  iot: /^A presigned WebSocket of AWS IoT Core \(MQTT\)/,
  iotSignedToken: /^A presigned WebSocket of AWS IoT Core/,
  iotAppendedToken: /^A presigned WebSocket of AWS IoT Core/,
  polly: /^A presigned URL of Amazon Polly/,
  executeApi: /^A presigned URL of API Gateway .*abc123\.execute-api\.eu-west-1\.amazonaws\.com\/prod\/café/,
  executeApiDomain: /^A presigned URL of API Gateway .*api\.example\.com\/orders/,
  lambdaUrl: /^A presigned Lambda function URL/,
  kinesisViewer: /^A presigned WebSocket of Kinesis Video Streams \(signalling, as viewer\).*channel\/door/,
  kinesisMaster: /^A presigned WebSocket of Kinesis Video Streams \(signalling, as master\)/,
  elasticache:
    /^An authentication token of ElastiCache \(IAM\) for a connection to the serverless cache as app, at orders/,
  memorydb: /^An authentication token of MemoryDB/,
  msk: /^An authentication token of MSK/,
  other: /^A presigned request of the AWS service bedrock-agentcore/,
  wrongService: /^A presigned GetCallerIdentity of STS/,
  rds: /^An authentication token of RDS \(IAM\) for a connection to the database as app, at db\.abcdefghijkl/,
  dsql: /^An authentication token of Aurora DSQL for a connection to the cluster as admin.*until 2026-01-02T04:04:05/,
};

describe("a request of AWS that is signed in its query, and is none of S3", () => {
  test.each(NAMES)("tells what it is, and blames neither bucket nor host: %s", async (name) => {
    const { scheme, summary, cause } = await explain(AWS_URLS[name], { clock });
    expect([scheme, summary]).toEqual(["aws", expect.stringMatching(SAID[name])]);
    expect(cause?.code).toBe(name === "wrongService" ? "SERVICE" : undefined);
    expect(JSON.stringify([summary, cause])).not.toMatch(/bucket|S3 expects/);
  });

  test.each(NAMES)("knows the signature by its key: %s", async (name) => {
    const { cause, canonicalRequest } = await explain(AWS_URLS[name], { clock, keys, request: sent(name) });
    expect(canonicalRequest).toMatch(/^GET\n/);
    expect(cause?.code).toBe({ wrongService: "SERVICE", iotSignedToken: "QUERY" }[name as string]);
  });

  test.each(NAMES)("shows no signature and no token: %s", async (name) => {
    const url = AWS_URLS[name];
    const shown = JSON.stringify([await explain(url, { clock, keys, request: sent(name) }), redactUrl(url)]);
    const plain = /^(?:k8s-aws-v1\.)?aHR0c/.test(url)
      ? Buffer.from(url.replace(/^k8s-aws-v1\./, ""), "base64url").toString()
      : url;
    const [, signature = "-"] = /Signature=([0-9a-f]{64})/.exec(plain) ?? [];
    expect(shown).not.toContain(signature);
    expect(shown).not.toContain("IQoJb3JpZ2lu");
    if (plain !== url) expect(shown).not.toContain(url.slice(-40));
  });

  test.each(NAMES)("finds a secret that does not fit: %s", async (name) => {
    const wrong = keys.map((key) => ({ ...key, secretAccessKey: "another" }));
    const { cause } = await explain(AWS_URLS[name], { clock, keys: wrong, request: sent(name) });
    expect(cause?.code).toBe(name === "wrongService" ? "SERVICE" : "WRONG_SECRET");
  });

  test("STS counts fifteen minutes, whatever the URL says", async () => {
    const live = await explain(AWS_URLS.eks, { clock: at(899) });
    expect([live.cause, live.endsAt]).toEqual([undefined, new Date("2026-01-02T03:19:05Z")]);
    const { cause } = await explain(AWS_URLS.eks, { clock: at(900) });
    expect(cause).toMatchObject({ code: "EXPIRED" });
    expect(live.traps.map(({ name }) => name)).toEqual(["identity-proof", "ignored-life", "cluster-bound"]);
  });

  test("of an EKS token for another cluster it says that the header may be another one", async () => {
    const request = { method: "GET", headers: { "x-k8s-aws-id": "staging" } };
    const { cause } = await explain(AWS_URLS.eks, { clock, keys, request });
    expect(cause).toMatchObject({
      code: "WRONG_SECRET",
      fix: expect.stringContaining("Compare the x-k8s-aws-id that was sent with what"),
    });
  });

  test.each([
    ["rds", 'FATAL: PAM authentication failed for user "app"', /rds_iam.*rds-db:connect/],
    [
      "rds",
      "ERROR 1045 (28000): Access denied for user 'app'@'10.0.0.1' (using password: YES)",
      /AWSAuthenticationPlugin/,
    ],
    ["memorydb", "WRONGPASS invalid username-password pair or user is disabled.", /lower case.*ServerlessCache/],
    ["msk", "SaslAuthenticationException: [3fa0]: Access denied", /9098.*kafka-cluster:Connect/],
    ["eks", "error: You must be logged in to the server (Unauthorized)", /cluster's name.*aws-auth/],
  ] as const)("tells what to look at where %s refuses and says no more: %s", async (name, errorBody, fix) => {
    const { cause } = await explain(AWS_URLS[name], { clock, errorBody });
    expect(cause).toMatchObject({ code: "PERMISSION", fix: expect.stringMatching(fix) });
    const late = await explain(AWS_URLS[name], { clock: at(4000), errorBody });
    expect(late.cause?.code).toBe("EXPIRED");
  });

  test.each([
    ["executeApi", '{"message":"Forbidden"}', /AWS_IAM.*execute-api:Invoke/],
    ["executeApi", '{"message":"Missing Authentication Token"}', /stage, method and path/],
    ["lambdaUrl", '{"Message":"Forbidden"}', /lambda:InvokeFunctionUrl/],
    [
      "lambdaUrl",
      '{"Message":"Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"}',
      /lambda:InvokeFunctionUrl/,
    ],
  ] as const)("%s refuses with %s, and means no signature", async (name, errorBody, fix) => {
    const { cause } = await explain(AWS_URLS[name], { clock, errorBody });
    expect(cause).toMatchObject({
      code: "PERMISSION",
      sentence: expect.stringContaining("it does say when a signature does not match or has expired"),
      fix: expect.stringMatching(fix),
    });
  });

  test.each([
    [
      '{"Message":"User: arn:aws:iam::123456789012:user/x is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********9012:abc123/prod/GET/items with an explicit deny"}',
      "PERMISSION",
      /may not execute-api:Invoke, as a policy denies it/,
    ],
    [
      '{"Message":"User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********9012:abc123/prod/GET/items"}',
      "PERMISSION",
      /treated the request as unsigned/,
    ],
    ['{"Message":"User is not authorized to access this resource with an explicit deny"}', "PERMISSION", /authorizer/],
    [
      '{"message":"Signature expired: 20260102T030405Z is now earlier than 20260102T031905Z (20260102T033405Z - 15 min.)"}',
      "EXPIRED",
      /signed at 20260102T030405Z, before 20260102T031905Z/,
    ],
    [
      '{"message":"Signature not yet current: 20260102T030405Z is still later than 20260102T025905Z (20260102T025405Z + 5 min.)"}',
      "CLOCK",
      /in the future/,
    ],
    [`{"message":"Credential should be scoped to a valid region, not 'us-east-1'. "}`, "REGION", /region us-east-1/],
    [`{"message":"Credential should be scoped to correct service: 'execute-api'. "}`, "SERVICE", /expects execute-api/],
    ['{"message":"Credential should be scoped to a valid region. "}', "REGION", /a different region than the server/],
    ['{"message":"The security token included in the request is invalid."}', "UNKNOWN_KEY", /does not know/],
    // As an exception has it, and beside the header that names the code.
    [
      "An error occurred (AccessDeniedException) when calling the Invoke operation: User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********9012:abc123/prod/GET/items",
      "PERMISSION",
      /treated the request as unsigned/,
    ],
    [
      'x-amzn-errortype: AccessDeniedException\n\n{"Message":"User is not authorized to access this resource"}',
      "PERMISSION",
      /authorizer/,
    ],
  ] as const)("reads what API Gateway says: %s", async (errorBody, code, sentence) => {
    const { cause } = await explain(AWS_URLS.executeApi, { clock, errorBody });
    expect(cause).toMatchObject({ code, sentence: expect.stringMatching(sentence) });
  });

  test.each([
    ["SignatureDoesNotMatch", "Credential should be scoped to a valid region. ", "REGION"],
    ["SignatureDoesNotMatch", "Credential should be scoped to correct service: 'sts'. ", "SERVICE"],
    [
      "SignatureDoesNotMatch",
      "Signature expired: 20260102T030405Z is now earlier than 20260102T031905Z (20260102T033405Z - 15 min.)",
      "EXPIRED",
    ],
    ["InvalidClientTokenId", "The security token included in the request is invalid.", "UNKNOWN_KEY"],
  ] as const)("reads what STS says in XML: %s: %s", async (code, message, cause) => {
    const errorBody = `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`;
    expect((await explain(AWS_URLS.polly, { clock, errorBody })).cause?.code).toBe(cause);
  });

  test("takes an application's own words for no authorizer of API Gateway", async () => {
    const errorBody = '{"error":"forbidden","detail":"The user is not authorized to access this resource"}';
    const { cause } = await explain(AWS_URLS.executeApiDomain, { clock, errorBody });
    expect(cause).toMatchObject({ code: "SERVER", sentence: expect.stringMatching(/no format that explain knows/) });
  });

  test("says that a life is longer than the service takes", async () => {
    const url = AWS_URLS.transcribe.replace("Expires=300", "Expires=900");
    const { cause } = await explain(url, { clock });
    expect(cause).toMatchObject({
      code: "MALFORMED",
      sentence: expect.stringMatching(/15 minutes.*Transcribe accepts at most 5 minutes/),
    });
  });

  test("says what was cut off", async () => {
    const { cause } = await explain(AWS_URLS.rds.replace(/&X-Amz-SignedHeaders.*/, ""), { clock });
    expect(cause).toMatchObject({ code: "MALFORMED", sentence: expect.stringMatching(/lacks X-Amz-SignedHeaders/) });
    const short = await explain(AWS_URLS.polly.replace(/(Signature=.{20})[0-9a-f]*/, "$1"), { clock });
    expect(short.cause?.code).toBe("MALFORMED");
  });

  const as = (host: string, service: string) =>
    AWS_URLS.polly.replace("polly.eu-west-1.amazonaws.com", host).replace("%2Fpolly%2F", `%2F${service}%2F`);

  test("tells a service at Amazon's other names by the service that was signed", async () => {
    for (const [host, service] of [
      ["ec2.eu-west-1.api.aws", "ec2"],
      ["s3vectors.eu-west-1.api.aws", "s3vectors"],
      ["orders-0a1b2c3d.7d67968.vpc-lattice-svcs.eu-west-1.on.aws", "vpc-lattice-svcs"],
    ] as const) {
      const { scheme, summary, cause } = await explain(as(host, service), { clock });
      expect([host, scheme, cause]).toEqual([host, "aws", undefined]);
      expect(summary).toMatch(new RegExp(`^A presigned request of the AWS service ${service} `));
    }
  });

  test("leaves S3's hosts, and stores of others, to S3", async () => {
    for (const [host, service] of [
      ["media.s3.eu-west-1.amazonaws.com", "execute-api"],
      ["s3.amazonaws.com", "sts"],
      ["bucket.vpce-1a2b-3c4d.s3.us-east-1.vpce.amazonaws.com", "s3"],
      ["minio-1.eu-west-1.elb.amazonaws.com", "minio"],
      ["ec2-3-4-5-6.compute-1.amazonaws.com", "s3"],
      ["nyc3.digitaloceanspaces.com", "jeanie"],
      // Signers that were set up for a service: S3 says so.
      ["account.r2.cloudflarestorage.com", "execute-api"],
      ["storage.googleapis.com", "execute-api"],
      ["minio.example.com:9000", "lambda"],
      ["minio-0a1b2c3d.7d67968.vpc-lattice-svcs.eu-west-1.on.aws", "s3"],
    ] as const) {
      expect([host, (await explain(as(host, service), { clock })).scheme]).toEqual([host, "s3"]);
    }
  });

  test("a text that is no such token stays what it was", async () => {
    for (const text of [
      "k8s-aws-v1.aHR0cA",
      `k8s-aws-v1.${Buffer.from("https://example.com/ is no token, and has no signature").toString("base64url")}`,
      "db.example.com:5432/?Action=connect&DBUser=app",
    ]) {
      await expect(explain(text)).rejects.toMatchObject({ code: "INVALID_INPUT" });
      expect(redactUrl(text)).toBe(text);
    }
  });

  test("is read in a time that its length tells", async () => {
    // Of sixteen thousand characters each took a second.
    const texts = [`https://sts.amazonaws.com/?${"X-Amz-Credential=a/b/".repeat(700)}&X-Amz-Signature=0`];
    texts.push(`k8s-aws-v1.aHR0c${"A".repeat(15_000)}`, `https://example.com/${"a".repeat(15_000)}`);
    texts.push(`https://example.com/?a${"?".repeat(15_000)}`);
    const spent = await cpuMilliseconds(async () => {
      for (let i = 0; i < 10; i++) for (const text of texts) await explain(text, { clock }).catch(() => undefined);
    });
    expect(spent).toBeLessThan(5000);
  });
});
