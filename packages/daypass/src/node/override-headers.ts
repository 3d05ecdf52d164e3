import type { NodeResponse } from "./guard.ts";

/** What `writeHead` takes: an object, pairs, or names and values in turn. */
type GivenHeaders = Readonly<Record<string, unknown>> | readonly (readonly [string, unknown])[] | readonly unknown[];

type WriteHead = (status: number, ...rest: readonly unknown[]) => unknown;

/**
 * Sets headers of an answer as its head is written, over what the handler has set: it is that late that Node calls `writeHead`, by itself,
 * too. An error keeps its own headers, as what was signed was said of the resource.
 */
export function overrideHeaders(res: NodeResponse, headers: Readonly<Record<string, string>>): void {
  const { writeHead } = res as { writeHead?: WriteHead };
  const set = (): void => {
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  };
  if (writeHead === undefined) {
    // A response of another make.
    set();
    return;
  }
  const names = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const replaced: WriteHead = function (this: unknown, status, ...rest) {
    if (status >= 400) return writeHead.call(this, status, ...rest);
    set();
    return writeHead.call(this, status, ...rest.map((given) => (isHeaders(given) ? without(given, names) : given)));
  };
  Object.assign(res, { writeHead: replaced });
}

// The other argument is the reason phrase.
function isHeaders(given: unknown): given is GivenHeaders {
  return typeof given === "object" && given !== null;
}

function without(given: GivenHeaders, names: ReadonlySet<string>): GivenHeaders {
  const keeps = (name: unknown): boolean => !names.has(String(name).toLowerCase());
  if (!Array.isArray(given)) return Object.fromEntries(Object.entries(given).filter(([name]) => keeps(name)));
  if (Array.isArray(given[0])) return given.filter(([name]) => keeps(name));
  return given.filter((_, at) => keeps(given[at - (at % 2)]));
}
