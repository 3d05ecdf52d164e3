/**
 * Routes to upstreams, for the option `routes` of a gateway: {@link openRoutes}.
 *
 * @module
 */

import { type LookupAddress, lookup as resolve } from "node:dns";
import type { LookupFunction } from "node:net";
import type { Readable } from "node:stream";
import { DaypassError } from "daypass";
import { Pool } from "undici";
import { expectForms, type FormsOf, flag, listOf, origin, required, text, timer } from "../http/validate-options.ts";
import { unchecked } from "../unchecked.ts";
import type { Route, RouteConfig, RouteRequirement, Routes, UpstreamTimeouts } from "./contract.ts";
import { isNeverForwarded } from "./headers.ts";
import { isPlainPath } from "./plain-path.ts";
import { pendingResponse } from "./response.ts";
import { routeTable } from "./route-table.ts";

export type {
  Route,
  RouteConfig,
  RouteRequirement,
  Routes,
  UpstreamRequest,
  UpstreamResponse,
  UpstreamTimeouts,
} from "./contract.ts";

const METHODS: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
const REQUIREMENTS: readonly RouteRequirement[] = ["body-length", "body-sha256", "exact", "uses"];
const FORMS: FormsOf<RouteConfig> = {
  origin: required(origin),
  prefix: required([(value) => typeof value === "string" && isPlainPath(value), "a plain path, which starts with /"]),
  upstream: required(origin),
  methods: listOf([(value) => METHODS.includes(String(value)), `one of ${METHODS.join(", ")}`], { least: 1 }),
  requires: listOf([
    (value) => (REQUIREMENTS as readonly unknown[]).includes(value),
    `one of ${REQUIREMENTS.join(", ")}`,
  ]),
  host: text,
  headers: listOf([
    (value) => typeof value === "string" && /^[a-z0-9-]+$/.test(value) && !isNeverForwarded(value),
    "a lower-case header that may be forwarded",
  ]),
  cookies: flag,
  upgrade: flag,
  subjects: flag,
  sharedCaches: flag,
  timeouts: { connectMs: timer, answerMs: timer, idleMs: timer } satisfies FormsOf<UpstreamTimeouts>,
};

/**
 * Opens routes: resolves no name and connects to nothing before the first request. Redirects of an upstream are never followed, and no
 * request is sent twice.
 *
 * Does not check that an upstream answers, nor that clients may reach it: the operator names it.
 *
 * @param configs the routes; two for the same origin and prefix are refused
 * @throws {DaypassError} `INVALID_INPUT`
 * @example
 * ```ts
 * import { openRoutes } from "@daypass/gateway/upstream";
 *
 * const routes = openRoutes([
 *   { origin: "https://api.example.com", prefix: "/invoices/", upstream: "http://127.0.0.1:3000" },
 * ]);
 * console.log(routes.find({ authority: "api.example.com", target: "/invoices/7.pdf" })?.upstream); // "http://127.0.0.1:3000"
 * await routes.close();
 * ```
 */
export function openRoutes(configs: readonly RouteConfig[]): Routes {
  const pools = new Map<string, Pool>();
  const list = configs.map((config, i): Route => {
    expectForms(config, FORMS, `routes[${i}]`);
    const methods = config.methods ?? ["GET"];
    const pool = poolOf(config);
    pools.set(`${pools.size} ${config.upstream}`, pool);
    return {
      origin: config.origin,
      prefix: config.prefix,
      upstream: config.upstream,
      methods: methods.includes("GET") ? [...methods, "HEAD"] : methods,
      requires: config.requires ?? [],
      host: config.host ?? new URL(config.upstream).host,
      headers: new Set(config.headers),
      cookies: config.cookies ?? false,
      upgrade: config.upgrade ?? false,
      subjects: config.subjects ?? false,
      sharedCaches: config.sharedCaches ?? false,
      send({ method, target, headers, body, upgrade, signal }) {
        const pending = pendingResponse(method, signal, config.timeouts?.answerMs ?? ANSWER_MS);
        const request = {
          method: method as "GET",
          path: target,
          headers: headers as string[],
          body: unchecked<Readable | null>(body === undefined ? null : pending.sending(body)),
        };
        pool.dispatch(upgrade === undefined ? request : { ...request, upgrade }, pending.handler);
        return pending.response;
      },
    };
  });
  const places = list.map((route) => `${route.origin}${route.prefix}`);
  const twice = places.find((place, i) => places.indexOf(place) !== i);
  if (twice !== undefined) throw new DaypassError("INVALID_INPUT", `two routes are for ${twice}: remove one`);
  return {
    list,
    find: routeTable(list),
    close: async () => void (await Promise.all([...pools.values()].map((pool) => pool.close()))),
  };
}

const ANSWER_MS = 60_000;

function poolOf({
  upstream,
  timeouts: { connectMs = 5000, answerMs = ANSWER_MS, idleMs = 60_000 } = {},
}: RouteConfig): Pool {
  return new Pool(upstream, {
    connect: { timeout: connectMs, lookup: pinned() },
    headersTimeout: answerMs,
    bodyTimeout: idleMs,
    keepAliveTimeout: 4000,
    pipelining: 1,
    allowH2: false,
  });
}

/** Resolves a name once. Its DNS zone cannot move the upstream to another network later. */
function pinned(): LookupFunction {
  let found: Promise<readonly LookupAddress[]> | undefined;
  return (name, options, done) => {
    found ??= new Promise((settle, reject) => {
      resolve(name, { all: true }, (error, addresses) => {
        if (error === null) settle(addresses);
        else reject(error);
      });
    });
    found.then(
      (addresses) => {
        const [first] = addresses;
        if (options.all === true) done(null, [...addresses]);
        else done(null, first?.address ?? "", first?.family);
      },
      (error: NodeJS.ErrnoException) => {
        // A resolver that was away is asked again.
        found = undefined;
        done(error, "");
      },
    );
  };
}
