import { guardFetch } from "daypass/fetch";
import { urlVerifier } from "daypass/url";

const verifier = urlVerifier({
  keys: [{ kty: "oct", alg: "HS256", kid: "k1", k: process.env["DAYPASS_KEY"] ?? "" }],
  origins: [process.env["ORIGIN"] ?? "https://api.example.com"],
  enforces: ["body-length"],
});

const invoice = guardFetch(
  verifier,
  async (grant, /** @type {Request} */ request, /** @type {import("daypass/fetch").RequestFacts} */ _facts) =>
    Response.json({
      path: new URL(request.url).pathname,
      received: (await request.text()).length,
      until: grant.expiresAt,
    }),
  { facts: (_request, facts) => facts },
);

/**
 * Takes the events of function URLs and HTTP APIs, of REST APIs, and of load balancers.
 * @param {any} event
 */
export async function handler(event) {
  const { method, authority, path, query, facts } = headOf(event);
  const headers = new Headers();
  for (const [name, values] of Object.entries(event.multiValueHeaders ?? event.headers ?? {}))
    for (const value of [values].flat()) headers.append(name, value);
  const body = event.body ? Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8") : null;
  const url = `https://${authority}${path}${query && `?${query}`}`;
  const response = await invoice(new Request(url, { method, headers, body }), facts);
  const answered = Object.fromEntries(response.headers);
  // A load balancer that sends many values of a header reads no other.
  const many = Object.fromEntries(Object.entries(answered).map(([name, value]) => [name, [value]]));
  const answer = event.headers ? { headers: answered } : { multiValueHeaders: many };
  return { statusCode: response.status, ...answer, body: await response.text() };
}

/**
 * What each kind of event says of the request that the client sent.
 * @param {any} event
 */
function headOf(event) {
  const { requestContext: context, httpMethod: method } = event;
  if (context.http) {
    const { rawPath: path, rawQueryString: query } = event;
    const facts = { remoteAddress: context.http.sourceIp };
    return { method: context.http.method, authority: context.domainName, path, query, facts };
  }
  const parameters = Object.entries(event.multiValueQueryStringParameters ?? event.queryStringParameters ?? {});
  const pairs = parameters.flatMap(([name, values]) => [values].flat().map((value) => [name, value]));
  if (context.elb) {
    // As the client sent it.
    const query = pairs.map((pair) => pair.join("=")).join("&");
    const { host, "x-forwarded-for": chain } = event.multiValueHeaders ?? event.headers;
    const facts = { remoteAddress: [chain].flat().join().split(",").at(-1)?.trim() };
    return { method, authority: [host].flat()[0], path: event.path, query, facts };
  }
  // Decoded, so it is encoded again, and `event.path` lacks the stage that the client named.
  const path = context.path.replace(/[?#]/g, encodeURIComponent);
  const query = pairs.map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
  const facts = { remoteAddress: context.identity.sourceIp, query: /** @type {const} */ ("form") };
  return { method, authority: context.domainName, path, query, facts };
}
