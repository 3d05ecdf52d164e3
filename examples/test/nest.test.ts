import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { urlSigner, urlVerifier } from "daypass/url";
import { transformSync } from "esbuild";
import { expect, it } from "vitest";

// The guard of the guide, as it stands there, with the little of Nest that it takes.

const guide = readFileSync(new URL("../../docs/guide/frameworks.md", import.meta.url), "utf8");
const [, source = ""] = /^```ts no-run\n(import [^\n]*"@nestjs\/common";\n[\s\S]*?)\n```/m.exec(guide) ?? [];
const origin = "https://api.example.com";
const key = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;

class HttpException extends Error {
  readonly body: unknown;
  readonly status: number;

  constructor(body: unknown, status: number) {
    super("Http Exception");
    this.body = body;
    this.status = status;
  }
}

interface Guard {
  canActivate(context: unknown): Promise<boolean>;
}

function guardWith(keys: Parameters<typeof urlVerifier>[0]["keys"]): Guard {
  const { code } = transformSync(source, {
    loader: "ts",
    format: "cjs",
    target: "es2022",
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
  });
  const own = createRequire(import.meta.url);
  const nest = { HttpException, Injectable: () => () => undefined };
  const module: { exports: { DaypassGuard?: new () => Guard } } = { exports: {} };
  const require = (name: string): unknown => (name === "@nestjs/common" ? nest : own(name));
  new Function("module", "require", "verifier", code)(module, require, urlVerifier({ keys, origins: [origin] }));
  if (module.exports.DaypassGuard === undefined) throw new Error("the guide has no guard of Nest's");
  return new module.exports.DaypassGuard();
}

function contextOf(more: object, target: string): unknown {
  const request = { method: "GET", url: target, httpVersionMajor: 1, headers: {}, socket: {}, ...more };
  Object.assign(request, { rawHeaders: ["Host", "api.example.com"] });
  const response = { statusCode: 200, headersSent: false, setHeader() {}, end() {} };
  return { switchToHttp: () => ({ getRequest: () => request, getResponse: () => response }) };
}

const target = urlSigner({ key })
  .sign({ url: `${origin}/invoices/7`, expiresIn: 60 })
  .url.slice(origin.length);

it("allows a request with a grant, and refuses every other", async () => {
  expect(await guardWith([key]).canActivate(contextOf({}, target))).toBe(true);
  await expect(guardWith([key]).canActivate(contextOf({}, "/invoices/7"))).rejects.toMatchObject({
    body: { code: "NO_SIGNATURE" },
    status: 403,
  });
});

it("refuses a request whose keys cannot be looked up, also if another guard allowed it", async () => {
  const unreachable = () => {
    throw new Error("the keys cannot be read");
  };
  for (const more of [{}, { grant: { id: "of another guard" } }]) {
    await expect(guardWith(unreachable).canActivate(contextOf(more, target))).rejects.toThrow("cannot be read");
  }
});
