/** What of a URL the words about a service depend on. */
export interface AwsFacts {
  /** Without its port. */
  readonly host: string;
  /** In the scope of the signature. */
  readonly name: string;
  readonly signedHeaders: readonly string[];
  readonly expires: number;
  /** The first value of a parameter, `""` where it is missing. */
  parameter(name: string): string;
}

/** A pitfall, where a URL has it. */
export interface AwsTrap {
  readonly name: string;
  readonly text: string;
  /** All URLs of the service have it, unless this says otherwise. */
  has?(facts: AwsFacts): boolean;
}

/** A service of AWS whose requests are signed in their query, and are sent to no bucket. */
export interface AwsService {
  /** Its names in the scope of a signature, its own one first. */
  readonly names: readonly string[];
  readonly called: string;
  /** Its own hosts, without their port. Missing where any host may be its. */
  readonly hosts?: RegExp;
  /** What the URL is, as the beginning of a sentence. */
  readonly what: string | ((facts: AwsFacts) => string);
  /** What it opens, where that is not what stands at its address. */
  opens?(facts: AwsFacts): string;
  /** The one method that there is. */
  readonly method?: "GET";
  /** Whether it is a password: nothing is sent to its address, which may be a name alone. */
  readonly isPassword?: true;
  /** Seconds that the service counts, whatever the URL says. */
  readonly life?: number;
  /** Seconds of the longest life that it takes. */
  readonly maxExpires?: number;
  /** Whether the session token is appended after the URL was signed. */
  readonly appendsToken?: true;
  /** Further parameters that are appended, and not signed. */
  readonly unsigned?: readonly string[];
  readonly traps?: readonly AwsTrap[];
  /** Whether it is asked at names of Amazon's alone: another host with its name in the scope is a store's, and its signer was set up wrongly. */
  readonly isAtAmazon?: true;
  /** What it says of every token that it refuses. */
  readonly refusal?: RegExp;
  /** Whether what it says so is none of a signature that does not fit or has ended, for which it has other words. */
  readonly tellsSignatures?: true;
  /** What to look at where it refuses and does not say why. */
  readonly check: string;
}

const CONNECTS: AwsTrap = {
  name: "connects-only",
  text: "It is checked only when a connection opens: an open one outlives the token, and a pool needs a new token for each new connection.",
};
const NEEDS_TLS: AwsTrap = { name: "needs-tls", text: "It is accepted over TLS only." };
const WHOLE =
  "the token was passed on whole, neither decoded nor encoded again (it is one string up to its last character)";

/** Reading is by host first, and by the scope where the host tells nothing. */
export const AWS_SERVICES: readonly AwsService[] = [
  {
    // https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html; the life, and the header that binds it to
    // a cluster: pkg/token/token.go of kubernetes-sigs/aws-iam-authenticator, aws/aws-sdk-go#2167. Vault's header:
    // https://developer.hashicorp.com/vault/docs/auth/aws#iam-auth-method
    names: ["sts"],
    called: "STS",
    hosts: /^sts(?:-fips)?(?:\.[a-z0-9-]+)?\.amazonaws\.(?:com|com\.cn|eu)$|\.sts\.[a-z0-9-]+\.vpce\.amazonaws\.com$/,
    what: ({ signedHeaders, parameter }) =>
      signedHeaders.includes("x-k8s-aws-id")
        ? "An EKS token (a presigned GetCallerIdentity of STS)"
        : `A presigned ${parameter("Action") || "request"} of STS`,
    opens: ({ signedHeaders }) =>
      signedHeaders.includes("x-k8s-aws-id")
        ? "proof of who signed it, for the cluster named in the header x-k8s-aws-id"
        : "the response of STS, which says who signed it",
    method: "GET",
    life: 900,
    traps: [
      {
        name: "identity-proof",
        text: "Where STS's answer counts as a login (EKS, Vault and others), whoever holds it is its signer.",
        has: ({ parameter }) => parameter("Action") === "GetCallerIdentity",
      },
      {
        name: "ignored-life",
        text: "STS counts fifteen minutes from X-Amz-Date and ignores X-Amz-Expires.",
        has: ({ expires }) => expires !== 900,
      },
      {
        name: "cluster-bound",
        text: "x-k8s-aws-id is signed with the cluster's name (by some signers its ARN or id), which is not in the URL: with another value, or none, the answer is Unauthorized.",
        has: ({ signedHeaders }) => signedHeaders.includes("x-k8s-aws-id"),
      },
      {
        name: "server-bound",
        text: "X-Vault-AWS-IAM-Server-ID is signed: Vault accepts it only if its own iam_server_id_header_value is the same.",
        has: ({ signedHeaders }) => signedHeaders.includes("x-vault-aws-iam-server-id"),
      },
    ],
    refusal: /must be logged in to the server|\bUnauthorized\b/i,
    check:
      "the cluster's name is the one in x-k8s-aws-id, the signer has an access entry (or a line in aws-auth) of that cluster, fifteen minutes have not passed, and the clock of the signer is right",
  },
  {
    // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Connecting.html
    names: ["rds-db"],
    called: "RDS",
    hosts: /\.rds\.amazonaws\.(?:com|com\.cn|eu)$/,
    what: "An authentication token of RDS (IAM)",
    opens: ({ parameter }) => `a connection to the database as ${parameter("DBUser") || "nobody"}`,
    method: "GET",
    isPassword: true,
    maxExpires: 900,
    traps: [
      CONNECTS,
      NEEDS_TLS,
      {
        name: "own-endpoint",
        text: "RDS accepts tokens for the instance's own endpoint only: one for your own name (a CNAME, the end of a tunnel) is refused, whatever name you connect to.",
        has: ({ host }) => !/\.rds\.amazonaws\.[a-z.]+$/.test(host),
      },
    ],
    refusal: /PAM authentication failed|password authentication failed|Access denied for user|no pg_hba\.conf entry/i,
    check: `the user is set up for it (PostgreSQL: GRANT rds_iam; MySQL: AWSAuthenticationPlugin), the signer may rds-db:connect to this database's resource id and user, the token is for the endpoint, port and region of the database, the connection has TLS (MySQL's client also its clear-text plugin), and ${WHOLE}`,
  },
  {
    // https://docs.aws.amazon.com/aurora-dsql/latest/userguide/SECTION_authentication-token.html
    names: ["dsql"],
    called: "Aurora DSQL",
    hosts: /\.dsql(?:-[a-z0-9]+)?\.[a-z0-9-]+\.on\.aws$/,
    what: "An authentication token of Aurora DSQL",
    opens: ({ parameter }) =>
      parameter("Action") === "DbConnectAdmin"
        ? "a connection to the cluster as admin"
        : "a connection to the cluster as a database role other than admin",
    method: "GET",
    isPassword: true,
    maxExpires: 604_800,
    traps: [CONNECTS, NEEDS_TLS],
    refusal: /access denied|unable to accept connection|authentication failed/i,
    check: `the role is admin with a token for DbConnectAdmin and another one with DbConnect, the signer may do that (dsql:DbConnectAdmin, dsql:DbConnect) and is granted to the role (AWS IAM GRANT), and ${WHOLE}`,
  },
  {
    // The two take one form, and only the scope tells them apart.
    // https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html,
    // https://docs.aws.amazon.com/memorydb/latest/devguide/auth-iam.html
    names: ["elasticache", "memorydb"],
    called: "ElastiCache or MemoryDB",
    what: ({ name }) => `An authentication token of ${name === "memorydb" ? "MemoryDB" : "ElastiCache"} (IAM)`,
    opens: ({ parameter }) =>
      `a connection to the ${parameter("ResourceType") === "ServerlessCache" ? "serverless cache" : "cache"} as ${parameter("User") || "nobody"}`,
    method: "GET",
    isPassword: true,
    maxExpires: 900,
    traps: [
      {
        name: "reconnects",
        text: "It is checked only when a connection opens; the server closes the connection after twelve hours, unless it gets a new token (AUTH or HELLO).",
      },
      NEEDS_TLS,
      {
        name: "cache-name",
        text: "Its host must be the cache's name in lower case (ElastiCache: the replication group or serverless cache; MemoryDB: the cluster); this one looks like an endpoint.",
        has: ({ host }) => host.includes("."),
      },
    ],
    refusal: /WRONGPASS|NOAUTH|invalid username-password pair/i,
    check: `id and name of the user are the same and set to IAM, the cache's name is in lower case and right, a serverless cache has ResourceType=ServerlessCache, the signer may connect (elasticache:Connect, memorydb:Connect) to cache and user, and ${WHOLE}`,
  },
  {
    // https://github.com/aws/aws-msk-iam-auth (Details); User-Agent is appended by its signers after they have signed.
    names: ["kafka-cluster"],
    called: "MSK",
    hosts: /^kafka\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/,
    what: "An authentication token of MSK (Kafka, IAM)",
    opens: () => "a connection to the brokers of every cluster that its signer may connect to in the region",
    method: "GET",
    isPassword: true,
    maxExpires: 900,
    unsigned: ["User-Agent"],
    traps: [CONNECTS, NEEDS_TLS],
    refusal: /SASL|Access denied/i,
    check: `the client uses SASL_SSL with OAUTHBEARER or AWS_MSK_IAM at the port for IAM (9098, or 9198 in public), the cluster has IAM switched on, the signer may kafka-cluster:Connect, and ${WHOLE}`,
  },
  {
    // https://docs.aws.amazon.com/transcribe/latest/dg/streaming-websocket.html
    names: ["transcribe"],
    isAtAmazon: true,
    called: "Transcribe",
    hosts: /^transcribestreaming(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/,
    what: "A presigned WebSocket of Amazon Transcribe",
    opens: ({ parameter }) => `a stream to transcribe (${parameter("language-code") || "language by its parameters"})`,
    method: "GET",
    maxExpires: 300,
    traps: [
      {
        name: "connects-only",
        text: "It is checked only when the WebSocket opens: the stream continues after it expires.",
      },
      {
        name: "seed-signature",
        text: "Its signature is the seed of the signed frames; whoever holds it needs nothing else to stream at the signer's cost.",
      },
    ],
    check:
      "the port 8443 stands in the host that was signed and is asked, the payload was signed as the hash of an empty body, the life is 300 s at most, and the signer may transcribe:StartStreamTranscriptionWebSocket",
  },
  {
    // https://docs.aws.amazon.com/iot/latest/developerguide/iam-users-groups-roles.html (the token after the signature)
    names: ["iotdevicegateway", "iotdata"],
    called: "IoT Core",
    hosts: /\.iot\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/,
    what: "A presigned WebSocket of AWS IoT Core (MQTT)",
    opens: () => "a connection to the message broker, with the signer's policies for topics and client ids",
    method: "GET",
    appendsToken: true,
    traps: [
      {
        name: "connects-only",
        text: "It is checked only when the WebSocket opens: the connection continues after it expires.",
      },
      {
        name: "token-after-signing",
        text: "IoT expects the session token unsigned, appended after the signature: an SDK's presigner signs it, and that URL is refused.",
        has: ({ parameter }) => parameter("X-Amz-Security-Token") !== "",
      },
    ],
    check:
      "the session token was appended after signing and not signed with the rest, the payload was signed as the hash of an empty body, the host is the account's own data endpoint (-ats), and the signer may iot:Connect with this client id",
  },
  {
    // https://docs.aws.amazon.com/kinesisvideostreams-webrtc-dg/latest/devguide/kvswebrtc-websocket-apis.html
    names: ["kinesisvideo"],
    isAtAmazon: true,
    called: "Kinesis Video Streams",
    hosts: /\.kinesisvideo(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/,
    what: ({ host, parameter }) =>
      `A presigned WebSocket of Kinesis Video Streams (signalling${/^v-/.test(host) || parameter("X-Amz-ClientId") !== "" ? ", as viewer" : /^m-/.test(host) ? ", as master" : ""})`,
    opens: ({ parameter }) => `the signalling channel ${parameter("X-Amz-ChannelARN") || "that it names"}`,
    method: "GET",
    traps: [
      {
        name: "connects-only",
        text: "It is checked only when the WebSocket opens: the connection continues after it expires.",
      },
      {
        name: "viewer-needs-id",
        text: "The endpoint is for viewers (v-) and needs X-Amz-ClientId, which is missing.",
        has: ({ host, parameter }) => /^v-/.test(host) && parameter("X-Amz-ClientId") === "",
      },
      {
        name: "master-has-id",
        text: "The endpoint is the master's (m-), and X-Amz-ClientId is a viewer's.",
        has: ({ host, parameter }) => /^m-/.test(host) && parameter("X-Amz-ClientId") !== "",
      },
    ],
    check:
      "the endpoint is the one that GetSignalingChannelEndpoint told for this role (they change), a viewer has X-Amz-ClientId and a master has none, and the signer may kinesisvideo:ConnectAsViewer or ConnectAsMaster",
  },
  {
    // https://docs.aws.amazon.com/polly/latest/dg/API_SynthesizeSpeech.html
    names: ["polly"],
    isAtAmazon: true,
    called: "Polly",
    hosts: /^polly(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/,
    what: "A presigned URL of Amazon Polly",
    opens: () => "the speech of the text that stands in it",
    traps: [
      {
        name: "text-in-url",
        text: "The text is part of the URL, and so ends up in logs and histories.",
        has: ({ parameter }) => parameter("Text") !== "",
      },
    ],
    check: "the signer may polly:SynthesizeSpeech, and the text is not longer than Polly takes",
  },
  {
    // https://docs.aws.amazon.com/apigateway/latest/developerguide/permissions.html
    names: ["execute-api"],
    called: "API Gateway",
    hosts: /\.execute-api\.[a-z0-9-]+\.(?:vpce\.)?amazonaws\.(?:com|com\.cn|eu)$/,
    what: "A presigned URL of API Gateway (IAM)",
    traps: [
      {
        name: "authorizer",
        text: "It counts only for routes whose authorization is AWS_IAM; other routes ignore the signature.",
      },
      {
        name: "own-domain",
        text: "The host is not one of Amazon's names: it is an API's custom domain, or the URL of a store that was signed for the wrong service (S3 expects s3).",
        has: ({ host }) => !/\.amazonaws\.[a-z.]+$/.test(host),
      },
    ],
    refusal: /"message"\s{0,9}:\s{0,9}"(?:Forbidden|Missing Authentication Token)/i,
    tellsSignatures: true,
    check:
      "the API has this stage, method and path, the route's authorization is AWS_IAM, the signer may execute-api:Invoke it (stage, method and path as they are), the API's resource policy lets it, and the path was signed encoded twice",
  },
  {
    // https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
    names: ["lambda"],
    isAtAmazon: true,
    called: "Lambda",
    hosts: /\.lambda-url\.[a-z0-9-]+\.on\.aws$|^lambda(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/,
    what: ({ host }) =>
      host.includes(".lambda-url.") ? "A presigned Lambda function URL (IAM)" : "A presigned request of Lambda",
    traps: [
      {
        name: "authorizer",
        text: "It counts only if the function URL's auth type is AWS_IAM; with NONE anybody may call it.",
        has: ({ host }) => host.includes(".lambda-url."),
      },
    ],
    refusal: /"Message"\s{0,9}:\s{0,9}"Forbidden/i,
    tellsSignatures: true,
    check:
      "the function URL's auth type is AWS_IAM, the signer may lambda:InvokeFunctionUrl (of newer functions lambda:InvokeFunction as well), and a body is not sent where that of an empty one was signed",
  },
  {
    // https://docs.aws.amazon.com/neptune/latest/userguide/iam-auth-connecting.html
    names: ["neptune-db"],
    called: "Neptune",
    hosts: /\.neptune\.amazonaws\.com(?:\.cn)?$/,
    what: "A presigned request of Neptune (IAM)",
    check:
      "host and port are those of the cluster's own endpoint, and the signer may neptune-db:* on the cluster's resource id",
  },
];

// What stands under Amazon's names and is a customer's own server: a store of another maker, most likely.
const CUSTOMERS = /(?:^|\.)(?:elb|compute|compute-1|elasticbeanstalk|awsglobalaccelerator)(?:\.|$)/;

/** Of all others only their name is known. */
function otherService(name: string): AwsService {
  return {
    names: [name],
    called: `the AWS service ${name}`,
    what: `A presigned request of the AWS service ${name}`,
    check: `the signer may do what it asks ${name} for, and the service accepts signatures in the query`,
  };
}

const AMAZON = /^(.+)\.amazonaws\.(?:com|com\.cn|eu)$/;
/** Stores whose hosts do not have it. */
const STORES =
  /(?:^|\.)(?:r2\.cloudflarestorage|r2|digitaloceanspaces|backblazeb2|linodeobjects|vultrobjects|wasabisys|aliyuncs|myqcloud|storage\.googleapis)\.(?:com|dev)$/;
const S3_LABEL = /(?:^|\.)s3(?:[.-]|express|$)/;

/**
 * The service that a URL is for. `undefined` for S3 and what speaks its language: a host of S3's, and a host that tells nothing with
 * a service that is not known.
 */
export function awsService(host: string, name: string): AwsService | undefined {
  const byHost = AWS_SERVICES.find(({ hosts }) => hosts?.test(host));
  if (byHost !== undefined) return byHost;
  const front = AMAZON.exec(host)?.[1];
  if (front !== undefined && S3_LABEL.test(front)) return undefined;
  // Somebody's own store, and a signer that was told the wrong service.
  if (front === undefined && S3_LABEL.test(host)) return undefined;
  if (STORES.test(host)) return undefined;
  // Those of endpoints with both versions of IP, and of what is made for a customer.
  const isAmazons = front !== undefined || /\.(?:api|on)\.aws$/.test(host);
  const byName = AWS_SERVICES.find(
    ({ names, isAtAmazon }) => names.includes(name) && (isAmazons || isAtAmazon !== true),
  );
  if (byName !== undefined) return byName;
  const isOther = isAmazons && !CUSTOMERS.test(front ?? "") && name !== "" && !/^s3(?:$|express|-)/.test(name);
  return isOther ? otherService(name) : undefined;
}
