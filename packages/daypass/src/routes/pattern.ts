import { invalidInput } from "../core/errors.ts";
import { uriEncode } from "../wire/encoding.ts";
import { percentDecode } from "../wire/raw-target.ts";

/** The names of the parameters of a path: `"id"` for `/invoices/:id`, `never` without parameters. */
export type RouteParamName<P extends string> = P extends `${infer Head}/${infer Rest}`
  ? RouteParamName<Head> | RouteParamName<Rest>
  : P extends `:${infer Name}`
    ? Name
    : never;

/** The parameters of a path, as a handler receives them: `{ id: string }` for `/invoices/:id`. */
export type RouteParams<P extends string> = RouteValues<P, string>;

/** The parameters of a path, as they are signed: an integer is written in decimal. */
export type RouteValues<P extends string, V = string | number> = string extends P
  ? Readonly<Record<string, V>>
  : [RouteParamName<P>] extends [never]
    ? Readonly<Record<string, never>>
    : { readonly [N in RouteParamName<P>]: V };

/** Reads and writes the paths of one route. */
export interface Pattern<P extends string> {
  /** Writes each value as one segment, with every byte other than A-Za-z0-9-._~ as %XX. Throws `INVALID_INPUT`. */
  build(values: RouteValues<P>): string;
  /** The parameters of a raw path, decoded once; `undefined` for the path of another route. */
  match(path: string): RouteParams<P> | undefined;
}

// Express 5, Fastify 5 and Hono read everything else in different ways: wildcards, optional parts, expressions, `:id.pdf`.
const PATH = /^(?:\/|(?:\/(?::[A-Za-z_]\w*|[\w\-.~]+))+\/?)$/;
const MOUNT = /^(?:\/[\w\-.~]+)*$/;
// Routers, proxies and file systems end a segment or a text there.
const SPLITS = /[/\\\p{Cc}]|^$/u;

/** The pattern of a route's path below its mount. Throws `INVALID_INPUT`. */
export function patternOf<P extends string>(path: P, mount: string): Pattern<P> {
  if (!PATH.test(path)) throw invalidInput("path", "fixed segments of A-Za-z0-9-._~ and whole segments :name", path);
  if (!MOUNT.test(mount)) throw invalidInput("mount", "a path of fixed segments without a / at its end", mount);
  const segments = `${mount}${path}`.split("/");
  const names = segments.flatMap((segment) => (segment.startsWith(":") ? [segment.slice(1)] : []));
  if (new Set(names).size < names.length) throw invalidInput("path", "each parameter once", path);
  const source = segments.map((segment) => (segment.startsWith(":") ? "([^/]+)" : segment.replaceAll(".", "\\.")));
  const expression = new RegExp(`^${source.join("/")}$`);

  return {
    build(values) {
      const given: Readonly<Record<string, unknown>> = { ...values };
      const unknown = Object.keys(given).find((name) => !names.includes(name));
      if (unknown !== undefined) throw invalidInput("params", `the parameters of ${path}`, unknown);
      return segments
        .map((segment) => (segment.startsWith(":") ? writeSegment(segment.slice(1), given[segment.slice(1)]) : segment))
        .join("/");
    },
    match(found) {
      const values = expression.exec(found)?.slice(1).map(percentDecode);
      return values && (Object.fromEntries(names.map((name, i) => [name, values[i]])) as RouteParams<P>);
    },
  };
}

function writeSegment(name: string, value: unknown): string {
  const text = typeof value === "string" || Number.isSafeInteger(value) ? String(value) : "";
  if (SPLITS.test(text)) throw invalidInput(`params.${name}`, "text without / \\ and controls, or an integer", value);
  return uriEncode(text);
}
