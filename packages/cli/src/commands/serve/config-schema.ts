/**
 * The settings of the configuration file: their types, rules and descriptions. `config.schema.json` is written from here, see the test. Only
 * commands that read a configuration load this file.
 */
import { type DriverName, drivers } from "@daypass/gateway/drivers";
import { z } from "zod";

const driverNames = Object.keys(drivers) as DriverName[];

/** An origin without a path. */
const ORIGIN = /^https?:\/\/[^/?#\s*]+$/u;
/** An origin without a path and without user information. */
const PUBLIC_ORIGIN = /^https?:\/\/[^/?#@*\s]+$/u;
const BUCKET = /^[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.)){1,253}[A-Za-z0-9]$/u;
const REGION = /^[A-Za-z0-9-]+$/u;
/** A host and a port. */
const ADDRESS = /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}$/u;

const text = (description: string) => z.string().min(1).describe(description);
const flag = (description: string) => z.boolean().describe(description);
/** A time-out, which Node limits to 31 bits. */
const millis = (description: string) => z.int().min(1).max(2_147_483_647).describe(description);
const whole = ([minimum, maximum]: readonly [number, number?], description: string) =>
  z
    .int()
    .min(minimum)
    .max(maximum ?? Number.MAX_SAFE_INTEGER)
    .describe(description);
const oneOf = <const T extends readonly string[]>(values: T, description?: string) =>
  z.enum(values).meta({ description });
const like = (pattern: RegExp, example: string, description?: string) =>
  z
    .string()
    .regex(pattern, { error: `a value such as ${JSON.stringify(example)}` })
    .meta({ examples: [example], description });
const list = <T extends z.ZodType>(item: T, description?: string) =>
  z
    .array(item)
    .refine((items) => new Set(items).size === items.length, { error: "unique items" })
    .meta({ uniqueItems: true, description });

type Section<S extends z.ZodRawShape, Required extends PropertyKey> = z.ZodObject<
  { [Name in keyof S]: Name extends Required ? S[Name] : z.ZodExactOptional<S[Name]> },
  z.core.$strict
>;

/** A group of settings. All others than the `required` ones may be left out. */
function section<S extends z.ZodRawShape, const Required extends readonly (keyof S)[]>(
  description: string,
  settings: S,
  ...required: Required
): Section<S, Required[number]> {
  const members = Object.entries(settings).map(([name, schema]) => {
    return [name, required.includes(name) ? schema : z.exactOptional(schema)] as const;
  });
  return z.strictObject(Object.fromEntries(members)).describe(description) as Section<S, Required[number]>;
}

export const configSchema = section("Relative paths are resolved against the folder of the configuration file.", {
  $schema: z.string().describe("Where this schema is, for editors. Not read."),
  root: text(
    "The folder to serve: each folder in it is a bucket, loose files form the bucket `files`. The argument DIR overrides it.",
  ),
  state: z
    .union([
      z.string().min(1),
      section("", {
        folder: text("The folder where keys are stored."),
        postgres: section(
          "Where the address of PostgreSQL 14 or newer is found, `postgres://…`, or a pgbouncer in transaction mode. Name a file or a variable.",
          {
            file: text("A file that contains the address and nothing else."),
            variable: text("The name of an environment variable that contains the address."),
          },
        ),
        direct: section(
          "Where an address without a pool is found, for LISTEN. Without it, revocations of other replicas are polled every 500 ms.",
          {
            file: text("A file that contains the address and nothing else."),
            variable: text("The name of an environment variable that contains the address."),
          },
        ),
        connections: whole([2, 100], "Connections to PostgreSQL: 8 by default."),
        suspendAfterFailover: flag(
          "Whether counted links are suspended when a standby was promoted: true by default. Set false only if every standby is synchronous.",
        ),
      }),
    ])
    .describe(
      "The folder where keys are stored: `.daypass` in the served folder by default. An object also names the PostgreSQL that replicas share. Needs a restart to change.",
    ),
  storage: section(
    "Where objects are stored: the folder `root` by default. Credentials are found in the same places as by `daypass sign`. Needs a restart to change.",
    {
      driver: oneOf(
        driverNames,
        "`disk` for the folder, `s3` for buckets of any S3-compatible server. All other settings here apply to `s3`.",
      ),
      endpoint: like(
        /^https?:\/\/[^/?#\s]+(\/[^?#\s]*)?$/u,
        "https://s3.example.com",
        "Scheme, host, port and base path of the server. By default, as the AWS settings say, then Amazon's.",
      ),
      region: text("The region of the buckets. By default, as the AWS settings say, then us-east-1."),
      addressing: oneOf(["path", "virtual"], "Whether the bucket is in the path or in the host name."),
      bucket: like(
        BUCKET,
        "media",
        "The one bucket that is served, under its own name. Without it and `buckets`: all buckets of the account.",
      ),
      buckets: z
        .record(z.string(), like(BUCKET, "media"))
        .describe("The buckets to serve: maps the names that clients use to the server's buckets."),
      profile: text(
        "The profile of the shared AWS files that holds the credentials. If not set, the environment takes precedence.",
      ),
      redirect: flag(
        "Whether downloads are redirected to the server, with a URL valid for one minute. false by default.",
      ),
      timeouts: section("Timeouts for the server, in milliseconds.", {
        connectMs: millis("Until a connection is established, 5000 by default."),
        answerMs: millis("From a request to its response, 60000 by default."),
        idleMs: millis("Between two chunks of a body, 30000 by default."),
      }),
    },
    "driver",
  ),
  listen: section("Needs a restart to change.", {
    host: text("Address to listen on, 127.0.0.1 by default."),
    port: whole([0, 65_535], "8080 by default; 0 chooses a free port. The option --port overrides it."),
    maxConnections: whole([1], "Connections that may be open at once in one process, 10000 by default."),
    timeouts: section("Timeouts for clients, in milliseconds.", {
      headersMs: millis("To the end of a request's head, 10000 by default."),
      keepAliveMs: millis("Between two requests on a connection, 5000 by default."),
      idleMs: millis("Without a byte in either direction, 60000 by default."),
    }),
  }),
  tls: section(
    "Serve HTTPS. Needs a restart to change; the files are read again on SIGHUP.",
    { certFile: text("Certificate chain, PEM."), keyFile: text("Private key, PEM.") },
    "certFile",
    "keyFile",
  ),
  workers: whole(
    [0, 64],
    "Processes that share the port; 0, the default, serves from a single process. Needs a restart to change.",
  ),
  publicUrl: like(
    PUBLIC_ORIGIN,
    "https://files.example.com",
    "The origin that clients use, `scheme://host[:port]`. Presigned URLs are made for it.",
  ),
  origins: list(
    like(/^https?:\/\/[^/?#@\s]+$/u, "https://*.files.example.com"),
    "Additional origins; `https://*.s3.example.com` allows buckets as host names.",
  ).min(1),
  trustedProxies: list(
    z.string().min(2),
    "Addresses or networks in CIDR notation whose X-Forwarded-For names the client. None by default. No other forwarded header is ever read.",
  ),
  redirectOrigins: list(
    like(PUBLIC_ORIGIN, "https://app.example.com"),
    "Origins, `scheme://host[:port]`, to which a form upload may redirect the browser when it is done (`success_action_redirect`). None by default.",
  ),
  region: like(REGION, "eu-west-1", "The region named in S3 responses, us-east-1 by default."),
  regions: list(
    like(REGION, "eu-west-1"),
    "Regions that signatures may be made for: the one in `region` by default.",
  ).min(1),
  audience: text(
    "The audience that Daypass URLs must be signed for; if not set, only URLs without an audience are accepted.",
  ),
  urlKeySetFile: text(
    "A JWK set with additional keys for Daypass URLs, such as the public Ed25519 keys of another signer.",
  ),
  hosts: z
    .record(z.string(), list(oneOf(["s3", "url"])).min(1))
    .describe("Dialects by `host[:port]`; a host that is not listed speaks all."),
  cors: section("Pages from other origins that may use the gateway: none by default. Credentials are never allowed.", {
    origins: list(
      like(/^([*]|[a-z][a-z0-9+.-]*:\/\/[^/?#@*\s]+)$/u, "https://app.example.com"),
      "Origins of pages, `scheme://host[:port]` as browsers write them, or `*`.",
    ),
    methods: list(oneOf(["GET", "HEAD", "PUT", "POST", "DELETE"]), "Methods a page may use.").min(1),
    headers: list(
      like(/^([!#$%&'+.^_`|~0-9A-Za-z-]+[*]?|[*])$/u, "x-amz-meta-*"),
      "Request headers that a page may send; a `*` at the end of a name matches any suffix.",
    ),
    maxAge: whole([0], "Seconds that a browser may cache a preflight."),
  }),
  limits: section("What a request may cost. headerBytes and headerCount need a restart to change.", {
    path: whole([1], "Bytes of a path, 4096 by default."),
    query: whole([1], "Bytes of a query, 8192 by default."),
    headerBytes: whole([1024], "Bytes of a request head, 16384 by default."),
    headerCount: whole([1], "Header fields, 100 by default."),
    body: whole([0], "Bytes of a single-request upload, a part or a copy, 5 GiB by default."),
    object: whole([0], "Bytes of a multipart object, 50 TB by default: body limits only each part."),
    minPart: whole([0], "Minimum bytes of each part of an upload except the last, 5 MiB by default."),
    metadata: whole([0], "Bytes of user metadata, 2048 by default."),
    inFlight: whole([1], "Concurrent requests per process, 1024 by default."),
    unverifiedPerAddress: whole(
      [1],
      "Unverified forms and session calls from one address, 64 by default and at most half of all that are allowed.",
    ),
  }),
  log: section("JSON lines on standard error.", {
    level: oneOf(
      ["fatal", "error", "warn", "info", "debug", "trace"],
      "Level of the lines that do not belong to a single request, info by default.",
    ),
    requests: flag("One line for each request, on by default."),
  }),
  routes: list(
    section(
      "",
      {
        origin: like(
          ORIGIN,
          "https://api.example.com",
          "The origin that clients use. Its host must reach this gateway.",
        ),
        prefix: like(
          /^\/[^?#;\s]*$/u,
          "/invoices/",
          "A path that ends with a slash, for everything below it, or one whole path. The longest prefix wins.",
        ),
        upstream: like(
          ORIGIN,
          "http://127.0.0.1:3000",
          "The server to forward to. Paths go there unchanged. Its name is resolved once, until the next reload.",
        ),
        methods: list(
          oneOf(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]),
          "Methods that are forwarded: GET by default. GET includes HEAD.",
        ).min(1),
        requires: list(
          oneOf(["body-length", "body-sha256", "exact", "uses"]),
          "Constraints that every URL must have: a granted length or digest of the body, one exact path, a number of uses.",
        ),
        host: text("The Host header that the upstream receives. By default, the host of `upstream`."),
        headers: list(like(/^[a-z0-9-]+$/u, "x-tenant"), "Further request headers that are forwarded, in lower case."),
        cookies: flag("Whether cookies pass in both directions. Off by default. Daypass's own cookies never pass."),
        upgrade: flag("Whether a GET may become a WebSocket, which ends with its grant. Off by default."),
        subjects: flag(
          "Whether URLs for a subject are accepted, because the upstream compares Daypass-Subject with its own user. Off by default: they are refused.",
        ),
        sharedCaches: flag(
          "Whether the upstream's caching headers pass, so that a cache may serve its responses without a grant. Off by default.",
        ),
        timeouts: section("Limits on the upstream, in milliseconds.", {
          connectMs: millis("To connect: 5,000 by default."),
          answerMs: millis("To the head of the response: 60,000 by default."),
          idleMs: millis("Between two pieces of the response: 60,000 by default."),
        }),
      },
      "origin",
      "prefix",
      "upstream",
    ),
    "Routes to servers of your own behind Daypass URLs and links.",
  ),
  forwardAuth: section(
    "Decisions for nginx, Caddy, HAProxy, Apache, Varnish, Traefik and Envoy. Only the proxy may reach the addresses. They need a restart to change.",
    {
      listen: like(ADDRESS, "127.0.0.1:8083", "The address and port where proxies ask over HTTP."),
      fastcgi: like(ADDRESS, "127.0.0.1:8084", "The address and port where Apache asks by FastCGI. Without it, none."),
      hosts: list(
        section(
          "",
          {
            origin: like(ORIGIN, "https://photos.example.com", "The origin that clients use."),
            prefix: like(/^\/(?:[^?#;\s]*\/)?$/u, "/album/", "Paths below which grants are possible, `/` by default."),
            methods: list(
              oneOf(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]),
              "Methods that grants may allow: GET by default. GET includes HEAD.",
            ).min(1),
            subjects: flag(
              "Whether URLs for a subject are accepted, because the app compares Daypass-Subject with its own user. Off by default: they are refused.",
            ),
          },
          "origin",
        ),
        "The protected hosts.",
      ).min(1),
    },
    "listen",
    "hosts",
  ),
  links: section("Links that the gateway remembers, under /l/ and /d/.", {
    origin: like(ORIGIN, "https://files.example.com", "The one origin of links. The first of `origins` by default."),
    sharedBy: text("The sender that pages show.").max(200),
    onStale: oneOf(
      ["refuse", "serve"],
      "What happens to URLs when the list of revocations is older than it may be: `refuse` by default.",
    ),
    maxRevocationAgeSeconds: whole(
      [1, 86_400],
      "How old the list of revocations may be while the state is away: 300 by default.",
    ),
    handOver: section(
      "Who sends the bytes of links that were made with --hand-over. By default the gateway does.",
      {
        via: oneOf(
          ["x-accel-redirect", "x-sendfile", "redirect"],
          "`x-accel-redirect` for nginx, `x-sendfile` for Apache and lighttpd, `redirect` for a storage driver that redirects.",
        ),
        prefix: like(
          /^\/([A-Za-z0-9_.~-]+\/)*$/u,
          "/daypass-files/",
          "What stands for the served folder: an internal location of nginx, or the folder itself for X-Sendfile.",
        ),
      },
      "via",
    ),
  }),
  audit: section("The record of links and their use, which `daypass audit` verifies. Needs a restart to change.", {
    keyFile: text("The Ed25519 key that signs, in PEM form. `audit.key` in the state folder by default."),
    headsFile: text(
      "A file to which each signed head is added as it is made: on another machine it proves what was cut. `audit.heads.ndjson` in the state folder by default.",
    ),
    heads: section(
      "A bucket where each signed head is stored as well. Set a default retention with object lock for it. Credentials are found as by `daypass sign`.",
      {
        endpoint: like(/^https?:\/\/[^/?#\s]+(\/[^?#\s]*)?$/u, "https://s3.example.com", "Amazon's by default."),
        region: text("us-east-1 by default."),
        bucket: text("The name of the bucket."),
        prefix: text("What the keys begin with, `audit/` by default."),
      },
      "bucket",
    ),
    retentionDays: whole(
      [1, 36_500],
      "Records older than this are removed, whole trees at a time. By default all are kept.",
    ),
  }),
  webhooks: section("Where the use of links is announced: `daypass webhooks`. Needs a restart to change.", {
    allowNetworks: list(
      like(/^[0-9A-Fa-f.:]+(\/\d{1,3})?$/u, "10.0.0.0/8"),
      "Networks that webhooks may reach although they are not public, also by http. None by default.",
    ),
  }),
  admin: section(
    "The admin API on its own address. Without it, only a Unix socket in the state folder offers the API. Needs a restart to change.",
    {
      listen: like(
        /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|localhost|\[::1\]):\d{1,5}$/u,
        "127.0.0.1:8081",
        "A loopback address and a port.",
      ),
      origins: list(
        like(ORIGIN, "http://127.0.0.1:8081"),
        "Origins by which the API is called: a request with another Host is refused. By default, the origin of `listen`.",
      ),
    },
    "listen",
  ),
  metrics: flag(
    "Whether /-/metrics serves Prometheus metrics to anyone who asks. Off by default: have the proxy in front of the gateway block it for strangers. Each worker counts for itself.",
  ),
  debugFields: flag(
    "Whether SignatureDoesNotMatch shows the caller the string to sign and the canonical request, as AWS does: they contain only the caller's own bytes. On by default.",
  ),
  drainDelaySeconds: whole(
    [0, 3600],
    "Seconds on shutdown during which /-/readyz fails and requests are still answered, 0 by default: as long as the load balancer takes to notice. drainSeconds begin afterwards.",
  ),
  drainSeconds: whole([0, 3600], "Seconds that running requests may take to finish on shutdown, 10 by default."),
});

/** The configuration of `serve`. Paths are absolute. */
export type ServeConfig = z.infer<typeof configSchema>;
/** The storage of the objects. */
export type StorageConfig = NonNullable<ServeConfig["storage"]>;
/** The record of links and their use. */
export type AuditConfig = NonNullable<ServeConfig["audit"]>;
/** The setting `state`: a folder, or a folder and the PostgreSQL that replicas share. */
export type StateConfig = NonNullable<ServeConfig["state"]>;
