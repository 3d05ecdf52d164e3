import { createServer } from "node:http";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { guardFetch } from "../src/adapters/fetch/index.ts";
import { type GuardOptions, guardNode } from "../src/adapters/node/index.ts";
import { type UrlSignRequest, urlSigner, urlVerifier } from "../src/schemes/url/index.ts";

const AT = new Date("2026-01-02T03:04:05Z");
const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const key = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;

interface Given extends Omit<Partial<UrlSignRequest>, "url"> {
  readonly path?: string;
  readonly accept?: string;
  readonly late?: boolean;
  readonly options?: GuardOptions;
  /** Changes the target after signing. */
  readonly alter?: (target: string) => string;
}

interface Asked {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The same request through either guard, over a socket where the guard has one. */
const guards: Readonly<Record<string, (given: Given) => Promise<Response>>> = {
  async guardNode(given) {
    const server = createServer();
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const { url, headers } = ask(`http://127.0.0.1:${port}`, given);
    const verifier = verifierFor(url, given);
    server.on(
      "request",
      guardNode(verifier, (_grant, req, res) => res.end(req.url), given.options),
    );
    return fetch(url, { headers: { ...headers, connection: "close" } });
  },
  async guardFetch(given) {
    const { url, headers } = ask("http://files.example.com", given);
    const guarded = guardFetch(verifierFor(url, given), (_grant, request) => new Response(request.url), given.options);
    return guarded(new Request(url, { headers }));
  },
};

function ask(
  origin: string,
  { path = "/a.txt", accept, alter = (same) => same, late, options, ...more }: Given,
): Asked {
  const { url } = urlSigner({ key, clock: () => AT }).sign({ url: origin + path, expiresIn: 60, ...more });
  return { url: alter(url), headers: accept === undefined ? {} : { accept } };
}

function verifierFor(url: string, { late }: Given) {
  const clock = () => new Date(late ? "2026-01-03" : AT);
  return urlVerifier({ keys: [key], origins: [new URL(url).origin], clock });
}

describe.each(Object.entries(guards))("%s", (_name, send) => {
  it("answers a browser with a page and a program with a problem document", async () => {
    const page = await send({ late: true, accept: BROWSER });
    expect([page.status, page.headers.get("content-type")]).toEqual([403, "text/html; charset=utf-8"]);
    expect(page.headers.get("vary")).toBe("accept");
    expect(await page.text()).toMatch(/<h1>This link has expired<\/h1>\n<p>Ask the sender for a new one\./);
    for (const accept of [undefined, "*/*", "application/json, text/plain, */*"]) {
      const answer = await send({ late: true, ...(accept && { accept }) });
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
      expect(await answer.json()).toMatchObject({ status: 403, code: "EXPIRED" });
    }
  });

  it("discharges response headers and parameters that vary without enforces of the verifier", async () => {
    const answer = await send({ vary: ["utm_source"], response: { contentType: "text/x-a" } });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/x-a"]);
    const varied = await send({ vary: ["utm_source"], alter: (url) => `${url}&utm_source=mail` });
    expect(await varied.text()).toMatch(/\/a\.txt$/);
  });

  it("counts uses with a store without enforces of the verifier, and refuses them without one by name", async () => {
    const claim = async () => true;
    expect((await send({ uses: 1, options: { uses: { claim } } })).status).toBe(200);
    const refused = await send({ uses: 1 });
    expect(await refused.json()).toMatchObject({ code: "UNENFORCED_CONSTRAINT", constraint: "uses" });
  });

  it.each([
    ["/a;b.txt", undefined, 400],
    ["/a;b.txt", "refuse", 400],
    ["/a;b.txt", "allow", 200],
    ["/a.txt;", undefined, 400],
    ["/a.txt?q=a;b", undefined, 200],
  ] as const)("answers %s with semicolons %s by %i", async (path, semicolons, status) => {
    expect((await send({ path, options: { semicolons } })).status).toBe(status);
  });
});

describe("the warning of a guard", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  it.each([
    ["production", "uses", 0],
    ["test", "uses", 0],
    ["development", "uses", 1],
    ["development", "uses", 0],
  ])("in %s names an unenforced %s %i times", async (environment, constraint, times) => {
    vi.stubEnv("NODE_ENV", environment);
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    await guards["guardFetch"]?.({ uses: 1 });
    expect(warn.mock.calls.filter(([text]) => String(text).includes(constraint))).toHaveLength(times);
  });
});
