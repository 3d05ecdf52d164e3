import { createHook } from "node:async_hooks";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { createGateway, type Gateway, type GatewayLinks, type GatewayOptions, type Storage } from "../../src/index.ts";
import { createLink, type LinkRequest } from "../../src/links/create-link.ts";
import { type Links, openLinks } from "../../src/links/links.ts";
import { listen } from "../../src/node/index.ts";
import { sqliteState } from "../../src/state/sqlite/index.ts";
import { disk } from "../../src/storage/disk/index.ts";

export const URL_KEY = {
  kty: "oct",
  alg: "HS256",
  kid: "k1",
  k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
} as const;
/** What a browser asks for when it opens a link. */
export const BROWSER = { accept: "text/html,application/xhtml+xml,*/*;q=0.8", "user-agent": "Mozilla/5.0" };

/** A gateway with links over a folder, and a clock that the test sets. */
export interface LinkBench {
  now: number;
  /** Receives the milliseconds of each pause, which sets the clock. */
  onPause: ((ms: number) => void) | undefined;
  readonly clock: () => Date;
  readonly folder: string;
  readonly links: Links;
  readonly storage: Storage;
  readonly url: string;
  readonly gateway: Gateway;
  readonly log: string[];
  make(more?: Partial<LinkRequest>): ReturnType<typeof createLink>;
  get(path: string, init?: RequestInit): Promise<Response>;
  press(path: string, fields: Record<string, string>): Promise<Response>;
  /** Replaces an object of the bucket `media`. */
  write(key: string, content: string | Uint8Array): void;
}

interface BenchOptions {
  /** Also as a function of the served folder. */
  readonly handOver?: GatewayLinks["handOver"] | ((root: string) => GatewayLinks["handOver"]);
  /** In the place of the folder. */
  readonly openStorage?: () => Promise<Storage>;
  readonly sharedBy?: string;
}

/** Starts one for each test of the calling file. */
export function linkBench(
  keys: () => GatewayOptions["keys"] = () => ({ url: [URL_KEY] }),
  more: (origin: string) => Partial<GatewayOptions> = () => ({}),
  { handOver, openStorage, sharedBy }: BenchOptions = {},
): LinkBench {
  const bench = { now: 0 } as { -readonly [name in keyof LinkBench]: LinkBench[name] };
  let server: Awaited<ReturnType<typeof listen>>;
  beforeEach(async () => {
    bench.now = Date.parse("2026-12-01T12:00:00Z");
    bench.clock = () => new Date(bench.now);
    const folder = mkdtempSync(join(tmpdir(), "daypass-links-"));
    const { clock } = bench;
    mkdirSync(join(folder, "root/media/holiday/day 2"), { recursive: true });
    bench.write = (key, content) => {
      const path = join(folder, "root/media", key);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    };
    bench.write("film.mp4", "f".repeat(100_000));
    bench.write("holiday/<b>.txt", "bold");
    bench.write("holiday/day 2/b.txt", "second");
    const storage = (await openStorage?.()) ?? (await disk({ root: join(folder, "root") }));
    bench.onPause = undefined;
    const pause = async (ms: number): Promise<void> => {
      bench.onPause?.(ms);
      bench.now += ms;
    };
    const state = await sqliteState({ path: join(folder, "state.db"), clock });
    const links = await openLinks({ state, clock, pause });
    bench.log = [];
    const make = (port: number) =>
      createGateway({
        storage,
        origins: [`http://127.0.0.1:${port}`, `http://*.localhost:${port}`],
        keys: keys(),
        links: {
          links,
          sharedBy,
          handOver: typeof handOver === "function" ? handOver(join(folder, "root")) : handOver,
        },
        clock,
        accessLog: (event) => void bench.log.push(JSON.stringify(event)),
        ...more(`http://127.0.0.1:${port}`),
      });
    bench.gateway = make(1);
    server = await listen(
      {
        limits: bench.gateway.limits,
        handle: (...all) => bench.gateway.handle(...all),
        upgrades: (request) => bench.gateway.upgrades?.(request) === true,
        close: () => bench.gateway.close(),
      },
      { port: 0 },
    );
    bench.gateway = make(server.port);
    const { url } = server;
    const get: LinkBench["get"] = (path, init = {}) => fetch(url + path, { redirect: "manual", ...init });
    Object.assign(bench, { folder, storage, links, url, get });
    bench.make = (more = {}) =>
      createLink(
        { kind: "object", bucket: "media", key: "film.mp4", owner: "operator", ...more },
        {
          state: links.state,
          passwords: links.passwords,
          clock,
          head: (bucket, key) => storage.head({ bucket, key }),
          handsOver: () => handOver !== undefined,
        },
      );
    bench.press = (path, fields) => get(path, { method: "POST", headers: BROWSER, body: new URLSearchParams(fields) });
  });
  afterEach(async () => {
    await server.drain(0);
    await bench.links.state.close();
    rmSync(bench.folder, { recursive: true });
  });
  return bench;
}

/** Counts the passwords that Node hashes during the work, in whichever part of the gateway. */
export async function hashesDuring<T>(work: () => Promise<T>): Promise<readonly [hashes: number, result: T]> {
  let hashes = 0;
  const hook = createHook({
    init(_, type) {
      if (type === "SCRYPTREQUEST") hashes += 1;
    },
  }).enable();
  try {
    const result = await work();
    return [hashes, result];
  } finally {
    hook.disable();
  }
}

/** The claim key in the form of a page. */
export const claimKeyIn = (page: string): string => /name="claim" value="([\w-]+)"/.exec(page)?.[1] ?? "";
