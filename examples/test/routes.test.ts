import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type RouteSignOptions, signedRoute } from "daypass/routes";
import { type UrlSignerOptions, urlSigner } from "daypass/url";
import { transform } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../tools/free-port.ts";
import { type Program, start } from "./program.ts";
import { rawRequest } from "./raw-request.ts";

const key = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
/** The file to run. Node 20 runs no TypeScript, and decorators no Node does. Below node_modules, where packages are found and no test looks. */
async function runnable(file: string): Promise<string> {
  if (!file.endsWith(".ts")) return `routes/${file}`;
  const source = readFileSync(new URL(`../routes/${file}`, import.meta.url), "utf8");
  const tsconfigRaw = { compilerOptions: { experimentalDecorators: true } };
  const { code } = await transform(source, { loader: "ts", format: "esm", target: "es2022", tsconfigRaw });
  const path = `node_modules/.compiled/${file.replace(".ts", ".js")}`;
  mkdirSync(new URL("../node_modules/.compiled/", import.meta.url), { recursive: true });
  writeFileSync(new URL(`../${path}`, import.meta.url), code);
  return path;
}

describe.each(["node-http.js", "express.js", "fastify.js", "hono.js", "koa.js", "h3.js", "nest.ts"])(
  "routes/%s",
  (file) => {
    let port: number;
    let program: Program;
    beforeAll(async () => {
      port = await freePort();
      program = await start(await runnable(file), { PORT: String(port), DAYPASS_KEY: key.k });
    });
    afterAll(() => program?.stop());

    const sign = (
      id: string,
      more: Partial<RouteSignOptions> = {},
      clock?: UrlSignerOptions<typeof key>["clock"],
    ): string => {
      const route = signedRoute({
        path: "/invoices/:id",
        origin: `http://127.0.0.1:${port}`,
        signer: urlSigner({ key, clock }),
      });
      return route.sign({ id }, { expiresIn: 60, ...more }).url.slice(`http://127.0.0.1:${port}`.length);
    };

    it.each(["7", "a b.pdf", "Zürich+50%;@'()*!", "%2F", "...", "%41"])(
      "hands the handler the parameter %j as it was signed",
      async (id) => {
        const { status, body } = await rawRequest(port, sign(id));
        expect([status, JSON.parse(body).id]).toEqual([200, id]);
      },
    );

    // A router may know no such route, which is as good as a refusal.
    it.each<readonly [what: string, alter: (target: string) => string, codes: readonly string[]]>([
      ["without a signature", () => "/invoices/7", ["NO_SIGNATURE"]],
      ["with another parameter", (url) => url.replace("/7?", "/8?"), ["SIGNATURE_MISMATCH"]],
      ["with a needlessly encoded letter", (url) => url.replace("/7?", "/%37?"), ["MALFORMED", "SIGNATURE_MISMATCH"]],
      ["with a slash at the end of the path", (url) => url.replace("/7?", "/7/?"), ["SIGNATURE_MISMATCH", "404"]],
      ["with a doubled slash", (url) => url.replace("/7?", "//7?"), ["MALFORMED", "404"]],
      ["with an encoded slash", (url) => url.replace("/7?", "/7%2F8?"), ["MALFORMED"]],
      ["with dot segments", (url) => url.replace("/7?", "/x/../7?"), ["MALFORMED", "404"]],
      ["with a parameter after a semicolon", (url) => url.replace("/7?", "/7;a=b?"), ["MALFORMED"]],
      ["in other letter case", (url) => url.replace("/invoices", "/Invoices"), ["SIGNATURE_MISMATCH", "404"]],
      ["with a further query parameter", (url) => `${url}&utm_source=mail`, ["SIGNATURE_MISMATCH"]],
      ["with sorted parameters", (url) => url.replace(/\?(.*?)&(.*)$/, "?$2&$1"), ["MALFORMED"]],
      ["with an encoded parameter", (url) => url.replace("dp-key=k1", "dp-key=%6B1"), ["MALFORMED"]],
    ])("refuses a URL %s", async (_, alter, codes) => {
      const { status, body } = await rawRequest(port, alter(sign("7")));
      expect(codes).toContain(status === 404 ? "404" : JSON.parse(body).code);
      expect(status).toBeGreaterThanOrEqual(400);
    });

    it("answers an expired URL with a page for a browser, and with a problem document for a program", async () => {
      const late = sign("7", {}, () => new Date(Date.now() - 3_600_000));
      const page = await rawRequest(port, late, { headers: "Accept: text/html,*/*\r\n" });
      expect([page.status, page.body.includes("This link has expired")]).toEqual([403, true]);
      const problem = await rawRequest(port, late);
      expect([problem.status, JSON.parse(problem.body).code]).toEqual([403, "EXPIRED"]);
    });

    it("removes parameters that may vary, and sets the signed response header", async () => {
      const target = sign("7", { vary: ["utm_source"], response: { cacheControl: "private" } });
      const { status, head } = await rawRequest(port, `${target}&utm_source=mail`);
      expect([status, /^cache-control: private\r?$/im.test(head)]).toEqual([200, true]);
    });

    it("refuses a URL for limited uses, because the route has no store", async () => {
      const { body } = await rawRequest(port, sign("7", { uses: 1 }));
      expect(JSON.parse(body).code).toBe("UNENFORCED_CONSTRAINT");
    });
  },
);
