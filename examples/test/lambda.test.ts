import { urlSigner } from "daypass/url";
import { beforeAll, describe, expect, it } from "vitest";

const key = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
const host = "api.example.com";
const peer = "203.0.113.9";

interface Sent {
  readonly url: string;
  readonly method?: string;
  readonly body?: string;
}

interface Answer {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>>;
  readonly body: string;
  readonly isBase64Encoded: boolean;
  readonly cookies?: readonly string[];
}

const split = (url: string): { path: string; query: string; pairs: readonly (readonly [string, string])[] } => {
  const [path = "", query = ""] = url.slice(`https://${host}`.length).split("?");
  const pairs = query.split("&").map((token) => token.split("=") as [string, string]);
  return { path, query, pairs };
};

function grouped(pairs: readonly (readonly [string, string])[]): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const [name, value = ""] of pairs) groups[name] = [...(groups[name] ?? []), value];
  return groups;
}

const last = (groups: Record<string, string[]>): Record<string, string> =>
  Object.fromEntries(Object.entries(groups).map(([name, values]) => [name, values.at(-1) ?? ""]));

// The shapes of the developer guides of AWS Lambda, API Gateway and Elastic Load Balancing, with what they leave to the reader: which of
// them decodes, as events show that others have published (github.com/hotsock/voker, vokerhttp/testdata), and where the stage is.
const kinds = {
  "a function URL": ({ url, method = "GET", body }: Sent) => ({
    version: "2.0",
    rawPath: split(url).path,
    rawQueryString: split(url).query,
    headers: { host, "x-forwarded-for": peer },
    requestContext: { domainName: host, stage: "$default", http: { method, path: split(url).path, sourceIp: peer } },
    ...(body ? { body, isBase64Encoded: false } : {}),
    isBase64Encoded: false,
  }),
  // Its path comes decoded, in spite of its name, and its cookies in no header.
  "an HTTP API": ({ url, method = "GET", body }: Sent) => {
    const path = decodeURIComponent(split(url).path);
    return {
      version: "2.0",
      rawPath: path,
      rawQueryString: split(url).query,
      cookies: ["session=abc", "theme=dark"],
      headers: { host, "x-forwarded-for": peer },
      requestContext: { domainName: host, stage: "prod", http: { method, path, sourceIp: peer } },
      ...(body ? { body, isBase64Encoded: false } : {}),
      isBase64Encoded: false,
    };
  },
  "a REST API": ({ url, method = "GET", body }: Sent) => {
    const { path, pairs } = split(url);
    const query = grouped(pairs.map(([name, value = ""]) => [decodeURIComponent(name), decodeURIComponent(value)]));
    return {
      path: path.replace("/prod", ""),
      httpMethod: method,
      headers: { Host: host, "X-Forwarded-For": `198.51.100.1, ${peer}` },
      multiValueHeaders: { Host: [host], "X-Forwarded-For": [`198.51.100.1, ${peer}`] },
      queryStringParameters: last(query),
      multiValueQueryStringParameters: query,
      requestContext: { domainName: host, stage: "prod", path, identity: { sourceIp: peer } },
      body: body === undefined ? null : Buffer.from(body).toString("base64"),
      isBase64Encoded: body !== undefined,
    };
  },
  "a load balancer": ({ url, method = "GET", body = "" }: Sent) => ({
    requestContext: { elb: { targetGroupArn: "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/a/b" } },
    httpMethod: method,
    path: split(url).path,
    queryStringParameters: last(grouped(split(url).pairs)),
    headers: { host, "x-forwarded-for": `198.51.100.1, ${peer}` },
    body,
    isBase64Encoded: false,
  }),
  "a load balancer with multi-value headers": ({ url, method = "GET", body = "" }: Sent) => ({
    requestContext: { elb: { targetGroupArn: "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/a/b" } },
    httpMethod: method,
    path: split(url).path,
    multiValueQueryStringParameters: grouped(split(url).pairs),
    multiValueHeaders: { host: [host], "x-forwarded-for": [`198.51.100.1, ${peer}`] },
    body,
    isBase64Encoded: false,
  }),
};

let handler: (event: unknown) => Promise<Answer>;
let toRequest: (event: unknown) => { readonly request: Request };
let toAnswer: (event: unknown, response: Response) => Promise<Answer>;
beforeAll(async () => {
  Object.assign(process.env, { ORIGIN: `https://${host}`, DAYPASS_KEY: key.k });
  ({ handler, toRequest, toAnswer } = await import("../protect/lambda.js"));
});

const sign = (path = "/prod/invoices/7", more = {}, clock = () => new Date()): string =>
  urlSigner({ key, clock }).sign({ url: `https://${host}${path}`, expiresIn: 60, ...more }).url;

describe.each(Object.entries(kinds))("a Lambda function behind %s", (_, event) => {
  const ask = async (sent: Sent): Promise<readonly unknown[]> => {
    const { statusCode, body } = await handler(event(sent));
    const { code, path, received } = JSON.parse(body);
    return [statusCode, code ?? path, ...(received ? [received] : [])];
  };
  const opened = [200, "/prod/invoices/7"];

  it("opens with the URL that was signed, with its own query, and bound to an address", async () => {
    expect(await ask({ url: sign() })).toEqual(opened);
    expect(await ask({ url: sign("/prod/invoices/7?q=a%20b%26c%2Bd&flag=") })).toEqual(opened);
    expect(await ask({ url: sign("/prod/invoices/7", { bind: { ip: `${peer}/32` } }) })).toEqual(opened);
    // As a browser sends it.
    const spaced = "/prod/invoices/a%20b%C3%BC";
    expect(await ask({ url: sign(spaced) })).toEqual([200, spaced]);
  });

  it("refuses what was changed, has ended, is not signed, or comes from elsewhere", async () => {
    expect(await ask({ url: sign().replace("/7", "/8") })).toEqual([403, "SIGNATURE_MISMATCH"]);
    expect(await ask({ url: sign("/prod/invoices/7?q=a%20b").replace("a%20b", "a%20c") })).toEqual([
      403,
      "SIGNATURE_MISMATCH",
    ]);
    expect(await ask({ url: sign(undefined, {}, () => new Date(Date.now() - 3_600_000)) })).toEqual([403, "EXPIRED"]);
    expect(await ask({ url: `https://${host}/prod/invoices/7?a=1` })).toEqual([403, "NO_SIGNATURE"]);
    expect(await ask({ url: sign("/prod/invoices/7", { bind: { ip: "198.51.100.1/32" } }) })).toEqual([
      403,
      "IP_NOT_GRANTED",
    ]);
    expect(await ask({ url: sign(), method: "PUT", body: "x" })).toEqual([403, "METHOD_NOT_GRANTED"]);
  });

  it("holds an upload to its grant", async () => {
    const url = sign("/prod/invoices/7", { methods: ["PUT"], bind: { contentLength: { max: 5 } } });
    expect(await ask({ url, method: "PUT", body: "hello" })).toEqual([...opened, 5]);
    expect(await ask({ url, method: "PUT", body: "hello!" })).toEqual([400, "BODY_LENGTH"]);
  });
});

it("takes nothing of an HTTP API's path, which is decoded, for a query", async () => {
  // The client has sent `%253F` for the mark, so that the API routes all of it as a path.
  const event = kinds["an HTTP API"]({ url: `https://${host}/prod/invoices/7?a=1` });
  const rawPath = sign().slice(`https://${host}`.length);
  const { statusCode, body } = await handler({ ...event, rawPath, rawQueryString: "" });
  expect([statusCode, JSON.parse(body).code]).toEqual([403, "NO_SIGNATURE"]);
});

it("answers a GET with a body and a header outside ASCII", async () => {
  const event = kinds["a function URL"]({ url: sign(), body: "x" });
  const headers = { ...event.headers, "cloudfront-viewer-city": "Łódź" };
  expect((await handler({ ...event, headers })).statusCode).toBe(200);
});

it("hands on the cookies of an HTTP API, which are in no header of the event", () => {
  const { request } = toRequest(kinds["an HTTP API"]({ url: sign() }));
  expect(request.headers.get("cookie")).toBe("session=abc; theme=dark");
});

it("answers a load balancer in the form of its events", async () => {
  const single = await handler(kinds["a load balancer"]({ url: sign() }));
  expect([single.headers?.["content-type"], single.multiValueHeaders]).toEqual(["application/json", undefined]);
  const many = await handler(kinds["a load balancer with multi-value headers"]({ url: sign() }));
  expect([many.headers, many.multiValueHeaders?.["content-type"]]).toEqual([undefined, ["application/json"]]);
});

describe("an answer", () => {
  const answered = (kind: keyof typeof kinds, body: BodyInit, headers: readonly [string, string][] = []) =>
    toAnswer(kinds[kind]({ url: sign() }), new Response(body, { headers: [...headers] }));

  it("returns text as it is, and other bytes in base64", async () => {
    expect(await answered("a REST API", "für")).toMatchObject({ body: "für", isBase64Encoded: false });
    const image = Uint8Array.of(0xff, 0xd8, 0);
    expect(await answered("a REST API", image)).toMatchObject({ body: "/9gA", isBase64Encoded: true });
  });

  it("keeps each of its cookies where the event's sender can take several", async () => {
    const set: readonly [string, string][] = [
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ];
    const cookies = ["a=1", "b=2"];
    const many = { multiValueHeaders: { "set-cookie": cookies } };
    const from = (kind: keyof typeof kinds) => answered(kind, "", set);
    for (const kind of ["a function URL", "an HTTP API"] as const) {
      const { headers, ...answer } = await from(kind);
      expect([headers?.["set-cookie"], answer.cookies]).toEqual([undefined, cookies]);
    }
    for (const kind of ["a REST API", "a load balancer with multi-value headers"] as const)
      expect(await from(kind)).toMatchObject(many);
    expect((await from("a load balancer")).headers?.["set-cookie"]).toBe("b=2");
  });
});
