import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { laravelSigner, laravelVerifier } from "daypass/laravel";
import { symfonySigner, symfonyVerifier } from "daypass/symfony";
import { describe, expect, test } from "vitest";
import { freePort } from "../../tools/free-port.ts";
import { needs } from "../../tools/needs.ts";
import { arrived, damaged, outcome } from "../edge.ts";
import { type EdgeWish, randomEdgeWish, wishedClock, wishedEnd, wishedUrl } from "../random/edge-wishes.ts";
import { runSeed, seeded } from "../random/seeded.ts";
import { send } from "../send.ts";

const missing =
  needs("php") ?? without("Illuminate/Routing/UrlGenerator", "Symfony/Component/HttpFoundation/UriSigner");
const SCRIPT = fileURLToPath(new URL("../clients/php-urls.php", import.meta.url));
const COUNT = 2_000;
const SECRET = "base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

function without(...classes: readonly string[]): string | undefined {
  const lost = classes.filter((name) => !existsSync(`/usr/share/php/${name}.php`));
  if (lost.length === 0) return undefined;
  const reason = ` (not installed: ${lost.join(", ")}; tools/debian-packages install)`;
  if (process.env["CI"] === "true") throw new Error(`a suite may not be skipped under CI=true${reason}`);
  return reason;
}

type Question = Readonly<Record<string, unknown>>;

/** Asks the PHP classes many questions in one process. */
function ask(questions: readonly Question[]): readonly (string | boolean)[] {
  const said = execFileSync("php", ["-d", "error_reporting=0", SCRIPT], {
    input: JSON.stringify(questions),
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(said);
}

const random = seeded(runSeed());

describe.skipIf(missing)(`Symfony's UriSigner 6.4${missing ?? ""}`, () => {
  // A slash at the end, `parse_url` and `http_build_query` leave all of these paths alone.
  const wishes = Array.from({ length: COUNT }, () => {
    const wish = randomEdgeWish(random);
    const nested = ["f[b]", "f[a]", "f[c][x]", "C[0]", "f[10]"].filter(() => random.chance(0.2));
    return { ...wish, parameters: [...wish.parameters, ...nested.map((name) => [name, "1 2"] as const)] };
  });
  const options = { secret: SECRET, encoding: "base64" } as const;
  const sign = (wish: EdgeWish): string =>
    symfonySigner(options).sign({ url: wishedUrl(wish), withoutExpiry: "accept" }).url;
  const verify = (url: string, { origin }: EdgeWish) =>
    outcome(
      symfonyVerifier({ secrets: SECRET, encoding: "base64", withoutExpiry: "accept", origins: [origin] }),
      arrived(url),
    );

  test(`signs ${COUNT} random URLs as symfonySigner does, byte for byte`, async () => {
    const theirs = ask(wishes.map((wish) => ({ do: "symfony sign", secret: SECRET, url: wishedUrl(wish) })));
    for (const [i, wish] of wishes.entries()) {
      expect(sign(wish)).toBe(theirs[i]);
      expect([theirs[i], await verify(String(theirs[i]), wish)]).toEqual([theirs[i], "accepted"]);
    }
  });

  test("takes ours, and refuses what symfonyVerifier refuses once it is damaged", async () => {
    const ours = wishes.map(sign);
    const bad = ours.map((url) => damaged(url, "_hash"));
    const moved = ours.map((url) => url.replace(/(\?)/, "/x$1"));
    const check = (url: string) => ({ do: "symfony check", secret: SECRET, url });
    expect(new Set(ask(ours.map(check)))).toEqual(new Set([true]));
    expect(new Set(ask([...bad, ...moved].map(check)))).toEqual(new Set([false]));
    for (const [i, wish] of wishes.entries()) {
      for (const url of [bad[i], moved[i]]) expect(await verify(url ?? "", wish)).toBe("SIGNATURE_MISMATCH");
    }
  });

  test("takes other spellings of a query, which symfonyVerifier refuses", async () => {
    const wish = wishes[0] as EdgeWish;
    const asked = {
      ...wish,
      parameters: [
        ["a", "x y"],
        ["b", "~"],
      ],
    } as const;
    const url = sign(asked);
    const spellings = [
      url.replace("x+y", "x%20y"),
      url.replace("%7E", "~"),
      `${url}&`,
      url.replace(/(\?)(_hash=[^&]*)&(.*)$/, "$1$3&$2"),
    ];
    expect(new Set(spellings).has(url)).toBe(false);
    expect(ask(spellings.map((spelling) => ({ do: "symfony check", secret: SECRET, url: spelling })))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    const judged = await Promise.all(spellings.map((spelling) => verify(spelling, asked)));
    expect(judged).toEqual(["SIGNATURE_MISMATCH", "SIGNATURE_MISMATCH", "accepted", "accepted"]);
  });
});

describe.skipIf(missing)(`Laravel's UrlGenerator 10.48${missing ?? ""}`, () => {
  const wishes = Array.from({ length: COUNT }, () => ({
    ...randomEdgeWish(random),
    relative: random.chance(0.3),
    endless: random.chance(0.2),
  }));
  type Wish = (typeof wishes)[number];
  const sign = ({ relative, endless, ...wish }: Wish): string =>
    laravelSigner({ secret: SECRET, relative, clock: wishedClock(wish) }).sign({
      url: wishedUrl(wish),
      ...(endless ? { withoutExpiry: "accept" } : { expiresAt: wishedEnd(wish) }),
    }).url;
  const verify = (url: string, wish: Wish, ignoreQuery: readonly string[] = []) =>
    outcome(
      laravelVerifier({
        secrets: SECRET,
        relative: wish.relative,
        withoutExpiry: "accept",
        ignoreQuery,
        origins: [wish.origin],
        clock: wishedClock(wish),
      }),
      arrived(url),
    );
  const check = (url: string, { relative }: Wish, ignore: readonly string[] = []): Question => ({
    do: "laravel check",
    secret: SECRET,
    url,
    absolute: !relative,
    ignore,
  });

  test(`makes ${COUNT} signed routes that laravelVerifier takes`, async () => {
    const theirs = ask(
      wishes.map((wish) => ({
        do: "laravel sign",
        secret: SECRET,
        origin: wish.origin,
        path: decodeURIComponent(wish.path.slice(1)),
        parameters: Object.fromEntries(wish.parameters),
        expires: wish.endless ? undefined : wishedEnd(wish).getTime() / 1000,
        absolute: !wish.relative,
      })),
    );
    for (const [i, wish] of wishes.entries()) {
      const url = wish.relative ? `${wish.origin}${theirs[i]}` : String(theirs[i]);
      expect([url, await verify(url, wish)]).toEqual([url, "accepted"]);
      const bad = damaged(url, "signature");
      expect(await verify(bad, wish)).toBe("SIGNATURE_MISMATCH");
    }
  });

  test("takes ours, with parameters that it ignores, and refuses them once they are damaged", async () => {
    const ours = wishes.map(sign);
    const tracked = ours.map((url) => `${url}&utm_source=mail`);
    const bad = ours.map((url) => damaged(url, "signature"));
    const all = (urls: readonly string[], ignore: readonly string[] = []) =>
      new Set(ask(urls.map((url, i) => check(url, wishes[i] as Wish, ignore))));
    expect(all(ours)).toEqual(new Set([true]));
    expect(all(tracked, ["utm_source"])).toEqual(new Set([true]));
    expect(all(tracked)).toEqual(new Set([false]));
    expect(all(bad)).toEqual(new Set([false]));
    for (const [i, wish] of wishes.entries()) {
      expect(await verify(tracked[i] ?? "", wish, ["utm_source"])).toBe("accepted");
      expect(await verify(tracked[i] ?? "", wish)).toBe("SIGNATURE_MISMATCH");
    }
  });
});

describe.skipIf(missing)(`behind PHP's own server${missing ?? ""}`, () => {
  test("both take what arrives over HTTP, and nothing tampered with", async () => {
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    const server = spawn("php", ["-d", "error_reporting=0", "-S", `127.0.0.1:${port}`, SCRIPT], {
      env: { ...process.env, SECRET },
      stdio: ["ignore", "ignore", "pipe"],
    });
    try {
      await once(server.stderr, "data");
      const status = async (url: string): Promise<number> => (await send({ method: "GET", url })).status;
      for (let left = 100; left > 0; left--) {
        const wish = { ...randomEdgeWish(random), origin };
        const laravel = laravelSigner({ secret: SECRET }).sign({ url: wishedUrl(wish), expiresIn: 60 }).url;
        const symfony = symfonySigner({ secret: SECRET, encoding: "base64" }).sign({
          url: wishedUrl({ ...wish, path: `/symfony${wish.path}` }),
          withoutExpiry: "accept",
        }).url;
        for (const url of [laravel, symfony]) {
          expect([url, await status(url)]).toEqual([url, 200]);
          expect(await status(url.replace("?", "x?"))).toBe(403);
          expect(await status(`${url}&admin=1`)).toBe(403);
        }
        expect(await status(laravel.replace(/expires=./, "expires=9"))).toBe(403);
      }
      const late = { clock: () => new Date(Date.now() - 62_000) };
      expect(
        await status(laravelSigner({ secret: SECRET, ...late }).sign({ url: `${origin}/a`, expiresIn: 60 }).url),
      ).toBe(403);
    } finally {
      server.kill();
    }
  });
});
