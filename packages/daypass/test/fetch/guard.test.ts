import { describe, expect, it } from "vitest";
import { guardFetch } from "../../src/adapters/fetch/index.ts";
import { DaypassError, type Grant, type Obligation, type Verifier } from "../../src/index.ts";
import { openChunks } from "../../src/schemes/s3/header/chunks.ts";
import { s3Signer, s3Verifier } from "../../src/schemes/s3/index.ts";

const AT = new Date("2026-01-02T03:04:05Z");
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "example-secret" };
const endpoint = "https://files.example.com";
const verifierAt = (now: Date): Verifier =>
  s3Verifier({ credentials, origins: [endpoint], clock: () => now, enforces: ["body-sha256", "response"] });
const signer = s3Signer({ region: "auto", endpoint, credentials, clock: () => AT });
const url = (key = "a.txt"): string => signer.sign({ bucket: "b", key, expiresIn: 60 }).url;

const ok = guardFetch(verifierAt(AT), (grant, request) => new Response(`${grant.keyId} ${request.method}`));

async function outcome(response: Response): Promise<{ status: number; code: unknown }> {
  return { status: response.status, code: ((await response.json()) as { code: unknown }).code };
}

describe("guardFetch", () => {
  it("hands the grant of a verified request to the handler", async () => {
    expect(await (await ok(new Request(url()))).text()).toBe("AKIDEXAMPLE GET");
  });

  it("answers one changed character with problem details that hold the code only", async () => {
    const response = await ok(new Request(url().replace("/b/a", "/b/b")));
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await outcome(response)).toEqual({ status: 403, code: "SIGNATURE_MISMATCH" });
  });

  it.each([
    ["an unsigned request", new Request(`${endpoint}/b/a.txt`), 403, "NO_SIGNATURE"],
    ["another host", new Request(url().replace("files.", "other.")), 421, "WRONG_ORIGIN"],
    ["an empty segment", new Request(url().replace("/b/", "//b/")), 400, "MALFORMED"],
    ["an encoded slash", new Request(url().replace("/b/", "/b%2F")), 400, "MALFORMED"],
    ["a needlessly encoded letter", new Request(url().replace("/b/", "/%62/")), 400, "MALFORMED"],
  ])("refuses %s", async (_, request, status, code) => {
    expect(await outcome(await ok(request))).toEqual({ status, code });
  });

  it("refuses a URL that has ended", async () => {
    const late = guardFetch(verifierAt(new Date(AT.getTime() + 60_000)), () => new Response());
    expect(await outcome(await late(new Request(url())))).toEqual({ status: 403, code: "EXPIRED" });
  });

  it("refuses an S3 key with dot segments, whose path the URL parser has collapsed", async () => {
    const signed = signer.sign({ bucket: "b", key: "a/../secret", expiresIn: 60, dotSegments: "sign" });
    expect(new URL(signed.url).pathname).toBe("/b/secret");
    expect(await outcome(await ok(new Request(signed.url)))).toEqual({ status: 403, code: "SIGNATURE_MISMATCH" });
  });

  it("asks the host's own arguments for what a Request does not tell", async () => {
    const guarded = guardFetch(
      verifierAt(AT),
      (grant, _request, host: { readonly raw: string }) => new Response(`${grant.keyId} ${host.raw.length > 0}`),
      { facts: (_request, host) => ({ rawTarget: host.raw }) },
    );
    const raw = url().slice(endpoint.length);
    expect(await (await guarded(new Request(url()), { raw })).text()).toBe("AKIDEXAMPLE true");
    const dotted = { raw: raw.replace("/b/", "/x/%2e%2e/b/") };
    expect(await outcome(await guarded(new Request(url()), dotted))).toEqual({ status: 400, code: "MALFORMED" });
  });

  it("gives the full error to onRefusal, and leaves the answer to it", async () => {
    const guarded = guardFetch(verifierAt(AT), () => new Response(), {
      onRefusal: (error) => new Response(error.message, { status: 418 }),
    });
    const response = await guarded(new Request(`${endpoint}/b/a.txt`));
    expect(response.status).toBe(418);
    expect(await response.text()).toContain("the request has no signature");
  });

  it("rejects with a handler's own error, and with a failing key lookup", async () => {
    const error = new DaypassError("EXPIRED", "of another URL that the handler looked at");
    await expect(guardFetch(verifierAt(AT), () => Promise.reject(error))(new Request(url()))).rejects.toBe(error);
    const failing = s3Verifier({ credentials: () => Promise.reject(new Error("no database")), origins: [endpoint] });
    await expect(guardFetch(failing, () => new Response())(new Request(url()))).rejects.toThrow("no database");
  });
});

describe("guardFetch and obligations", () => {
  const hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
  const upload = signer.sign({ bucket: "b", key: "a.txt", method: "PUT", expiresIn: 60, bind: { sha256: hello } });
  const put = (body: string | null): Request =>
    new Request(upload.url, { method: "PUT", headers: upload.headers, body, duplex: "half" } as RequestInit);
  let stored: string | undefined;
  const store = guardFetch(verifierAt(AT), async (_grant, request) => {
    stored = await request.text();
    return new Response(null, { status: 201 });
  });

  it("passes the granted body on", async () => {
    expect((await store(put("hello"))).status).toBe(201);
    expect(stored).toBe("hello");
  });

  it("fails another body before the handler has all of it", async () => {
    stored = undefined;
    expect(await outcome(await store(put("jello")))).toEqual({ status: 400, code: "BODY_DIGEST" });
    expect(stored).toBeUndefined();
  });

  it("refuses no body where one was granted", async () => {
    expect(await outcome(await store(put(null)))).toEqual({ status: 400, code: "BODY_DIGEST" });
  });

  it("sets the response headers of the grant, also on a response that cannot be changed", async () => {
    const signed = signer.sign({ bucket: "b", key: "a", expiresIn: 60, response: { contentType: "text/x" } });
    const redirecting = guardFetch(verifierAt(AT), () => Response.redirect("https://cdn.example.com/a", 302));
    const response = await redirecting(new Request(signed.url));
    expect(response.status).toBe(302);
    expect(response.headers.get("content-type")).toBe("text/x");
    expect(response.headers.get("location")).toBe("https://cdn.example.com/a");
  });

  it("leaves an error its own headers", async () => {
    const { url } = signer.sign({ bucket: "b", key: "a", expiresIn: 60, response: { contentType: "text/x" } });
    const missing = guardFetch(verifierAt(AT), () => Response.json({}, { status: 404 }));
    // Bun adds the charset.
    expect((await missing(new Request(url))).headers.get("content-type")).toMatch(/^application\/json/);
    const wrong = guardFetch(verifierAt(AT), () => Response.json({}, { status: 400 }));
    expect((await wrong(new Request(url))).headers.get("content-type")).toMatch(/^application\/json/);
    const plainest = guardFetch(verifierAt(AT), () => new Response("a", { status: 200 }));
    expect((await plainest(new Request(url))).headers.get("content-type")).toBe("text/x");
    const broken = guardFetch(verifierAt(AT), () => Response.error());
    expect((await broken(new Request(url))).type).toBe("error");
  });

  it("returns the handler's value unchanged if no header has to be set", async () => {
    const nothing = guardFetch(verifierAt(AT), () => undefined as unknown as Response);
    expect(await nothing(new Request(url()))).toBeUndefined();
  });

  it("rejects before the handler acts where a response header cannot be sent", async () => {
    const response = { contentDisposition: 'attachment; filename="—.pdf"' };
    const { url } = signer.sign({ bucket: "b", key: "a", expiresIn: 60, response });
    let acted = false;
    const guarded = guardFetch(verifierAt(AT), () => {
      acted = true;
      return new Response();
    });
    await expect(guarded(new Request(url))).rejects.toThrow(/^content-disposition has characters/);
    expect(acted).toBe(false);
  });

  /** Grants everything, with obligations that S3 does not know. */
  const granting = (obligations: readonly Obligation[]): Verifier => ({
    detects: () => true,
    async verify({ target }) {
      const grant: Grant = await verifierAt(AT).verify({
        method: "GET",
        target: url().slice(endpoint.length),
        authority: "files.example.com",
        headers: [],
      });
      const { scheme, id, keyId, methods, notBefore, expiresAt } = grant;
      const limitBody = grant.limitBody.bind(grant);
      return {
        scheme,
        id,
        keyId,
        methods,
        notBefore,
        expiresAt,
        obligations,
        limitBody,
        target: target.replace(/[?&]utm=m/, ""),
      };
    },
  });

  it("shows the handler no query where all that there is may vary", async () => {
    const guarded = guardFetch(granting([{ kind: "strip", names: ["utm"] }]), (_grant, { url }) => new Response(url));
    expect(await (await guarded(new Request(`${endpoint}/x?utm=m`))).text()).toBe(`${endpoint}/x`);
  });

  it("shows the handler a request of the same class without the parameters that may vary", async () => {
    class HostRequest extends Request {}
    const guarded = guardFetch(
      granting([{ kind: "strip", names: ["utm"] }]),
      async (_grant, request: HostRequest) =>
        new Response([request.constructor.name, request.url, request.method, await request.text()].join(" ")),
    );
    const init = { method: "PUT", body: "hi" };
    const response = await guarded(new HostRequest(`${endpoint}/x?a=1&utm=m`, init));
    expect(await response.text()).toBe(`HostRequest ${endpoint}/x?a=1 PUT hi`);
  });

  // Like srvx, the base of h3 and Nitro: its class wraps Node's two objects and throws when it is read.
  class HostMade {
    readonly #received: Request;
    constructor({ received }: { readonly received: Request }) {
      this.#received = received;
    }
    get url(): string {
      return this.#received.url;
    }
    get method(): string {
      return this.#received.method;
    }
    get headers(): Headers {
      return this.#received.headers;
    }
    get body(): ReadableStream | null {
      return this.#received.body;
    }
    text(): Promise<string> {
      return this.#received.text();
    }
  }

  it.each([
    ["parameters that may vary", ["strip"], "?a=1"],
    ["a length", ["body-length"], "?a=1&utm=m"],
    ["both", ["strip", "body-length"], "?a=1"],
  ])("shows the runtime's own request where a host's cannot be made of a URL: %s", async (_, kinds, query) => {
    const obligations: readonly Obligation[] = [
      { kind: "strip", names: ["utm"] },
      { kind: "body-length", min: 2, max: 4 },
    ];
    const guarded = guardFetch(
      granting(obligations.filter(({ kind }) => kinds.includes(kind))),
      async (_grant, request: HostMade) =>
        new Response([request.url, request.method, request.headers.get("x-own"), await request.text()].join(" ")),
    );
    const init = { method: "PUT", body: "hi", headers: { "x-own": "1" } };
    const made = new HostMade({ received: new Request(`${endpoint}/x?a=1&utm=m`, init) });
    expect(await (await guarded(made)).text()).toBe(`${endpoint}/x${query} PUT 1 hi`);
  });

  const atMostFour: Verifier = {
    ...granting([]),
    async verify(request) {
      const grant = await granting([{ kind: "body-length", min: 0, max: 4 }]).verify(request);
      return { ...grant, limitBody: atMost(4) };
    },
  };

  it("leaves a request whose body is limited its class, where that can be made anew", async () => {
    class HostRequest extends Request {}
    const guarded = guardFetch(atMostFour, async (_grant, request: HostRequest) => {
      return new Response(`${request instanceof HostRequest} ${await request.text()}`);
    });
    const put = (body: string) => guarded(new HostRequest(`${endpoint}/x`, { method: "PUT", body }));
    expect(await (await put("hi")).text()).toBe("true hi");
    expect(await outcome(await put("too long"))).toEqual({ status: 400, code: "BODY_LENGTH" });
  });

  // Like Azure Functions: created from an object, whose body may have other forms than a stream.
  class Bodiless extends Request {
    constructor(init: { readonly url: string; readonly method: string; readonly text?: string }) {
      super(init.url, { method: init.method, ...(init.text === undefined ? {} : { body: init.text }) });
    }
  }

  // Like happy-dom: a copied request keeps the body of the first.
  class Keeping extends Request {
    constructor(input: string | Request, init?: RequestInit) {
      if (typeof input === "string") super(input, init);
      else super(input.url, { method: input.method, body: "the body of before" });
    }
  }

  it.each([
    ["leaves out", (text: string) => new Bodiless({ url: `${endpoint}/x`, method: "PUT", text })],
    ["does not replace", (text: string) => new Keeping(`${endpoint}/x`, { method: "PUT", body: text })],
  ])("holds a body to its length where a host's class %s what it is given", async (_, make) => {
    const guarded = guardFetch(atMostFour, async (_grant, request: Request) => new Response(await request.text()));
    expect(await (await guarded(make("hi"))).text()).toBe("hi");
    expect(await outcome(await guarded(make("too long")))).toEqual({ status: 400, code: "BODY_LENGTH" });
  });

  it.each([
    ["as a stream", async ({ body }: Request) => body?.pipeTo(new WritableStream())],
    ["as a text", (request: Request) => request.text()],
  ])("takes no body for short that somebody else has read %s", async (_, read) => {
    const guarded = guardFetch(granting([{ kind: "body-length", min: 0, max: 4 }]), async (_grant, request) => {
      return new Response(await request.text());
    });
    const request = new Request(`${endpoint}/x`, { method: "PUT", body: "too long" });
    await read(request);
    await expect(guarded(request)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });

  it("passes the same request on if the grant has no obligations, even after its body was read", async () => {
    const seen: Request[] = [];
    const guarded = guardFetch(granting([]), (_grant, request) => {
      seen.push(request);
      return new Response();
    });
    const request = new Request(`${endpoint}/x`, { method: "PUT", body: "read before" });
    await request.text();
    expect((await guarded(request)).status).toBe(200);
    expect(seen[0]).toBe(request);
  });

  it("strips below a path that the host took off", async () => {
    const facts = () => ({ basePath: "/api" });
    const guarded = guardFetch(
      granting([{ kind: "strip", names: ["utm"] }]),
      (grant, request) => new Response(`${grant.target} ${request.url}`),
      { facts },
    );
    const response = await guarded(new Request(`${endpoint}/x?a=1&utm=m`));
    expect(await response.text()).toBe(`/api/x?a=1 ${endpoint}/x?a=1`);
  });

  it("rejects an event or a context by saying what to hand over", async () => {
    const guarded = guardFetch(granting([]), () => new Response());
    for (const given of [{ request: new Request(endpoint) }, { req: { raw: new Request(endpoint) } }, undefined]) {
      await expect(guarded(given as never)).rejects.toThrow(/c\.req\.raw of Hono/);
    }
    const node = { method: "GET", url: "/x", headers: { host: "files.example.com" } };
    await expect(guarded(node as never)).rejects.toThrow(TypeError);
  });

  it("stops reading an endless body that was refused", async () => {
    let cancelled = false;
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(8)),
      cancel() {
        cancelled = true;
      },
    });
    const limited: Verifier = {
      ...granting([{ kind: "body-length", min: 0, max: 20 }]),
      async verify(request) {
        const grant = await granting([{ kind: "body-length", min: 0, max: 20 }]).verify(request);
        return { ...grant, limitBody: atMost(20) };
      },
    };
    const guarded = guardFetch(limited, async (_grant, request) => new Response(await request.text()));
    const request = new Request(`${endpoint}/x`, { method: "PUT", body: endless, duplex: "half" } as RequestInit);
    expect(await outcome(await guarded(request))).toEqual({ status: 400, code: "BODY_LENGTH" });
    expect(cancelled).toBe(true);
  });

  it("runs no handler with a limited body that the host's request does not show, and would hand out whole", async () => {
    const request = () => {
      const given = new Request(`${endpoint}/x`, { method: "PUT", body: "longer than four" });
      return Object.defineProperty(given, "body", { value: undefined });
    };
    const handler = async (_grant: Grant, given: Request) => new Response(await given.text());
    await expect(guardFetch(atMostFour, handler)(request())).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect(await (await guardFetch(granting([]), handler)(request())).text()).toBe("longer than four");
  });

  it("answers what openBody throws at chunks that are not as they were signed as a refusal", async () => {
    const scope = { date: "20260102", region: "auto", service: "s3" };
    const seed = { secretAccessKey: "example-secret", scope, time: "20260102T030405Z", signature: "0".repeat(64) };
    const guarded = guardFetch(granting([]), async (_grant, request) => {
      const whole = [new Uint8Array(await request.arrayBuffer())];
      const body = (async function* () {
        yield* whole;
      })();
      for await (const _ of openChunks(body, { signed: true, length: 5, trailers: [] }, seed).bytes);
      return new Response("read");
    });
    const put = (body: string) => guarded(new Request(`${endpoint}/x`, { method: "PUT", body }));
    const chunk = `5;chunk-signature=${"a".repeat(64)}\r\nhello\r\n`;
    expect(await outcome(await put(chunk))).toEqual({ status: 403, code: "SIGNATURE_MISMATCH" });
    expect(await outcome(await put("hello"))).toEqual({ status: 400, code: "MALFORMED" });
  });

  it("refuses an announced length without reading", async () => {
    const guarded = guardFetch(granting([{ kind: "body-length", min: 0, max: 4 }]), () => new Response());
    const request = new Request(`${endpoint}/x`, { method: "PUT", headers: { "content-length": "5" }, body: "hello" });
    expect(await outcome(await guarded(request))).toEqual({ status: 400, code: "BODY_LENGTH" });
  });
});

function atMost(max: number): Grant["limitBody"] {
  return async function* (body) {
    let received = 0;
    for await (const chunk of body) {
      received += chunk.length;
      if (received > max) throw new DaypassError("BODY_LENGTH", "expected fewer bytes");
      yield chunk;
    }
  };
}
