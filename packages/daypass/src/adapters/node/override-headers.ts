import type { NodeResponse } from "./guard.ts";

/** What `writeHead` takes: an object, pairs, or names and values in turn. */
type GivenHeaders = Readonly<Record<string, unknown>> | readonly (readonly [string, unknown])[] | readonly unknown[];

type WriteHead = (status: number, ...rest: readonly unknown[]) => unknown;

/**
 * Sets headers of an answer at once, where what compresses or guesses a type sees them, and again as its head is
 * written, over what the handler has set: it is that late that Node calls `writeHead`, by itself, too. An error keeps
 * its own headers, as what was signed was said of the resource.
 */
export function overrideHeaders(res: NodeResponse, headers: Readonly<Record<string, string>>): void {
  const { writeHead, getHeader, removeHeader } = res as Written;
  const entries = Object.entries(headers);
  const set = (): void => {
    for (const [name, value] of entries) res.setHeader(name, value);
  };
  set();
  // A response of another make.
  if (writeHead === undefined) return;
  const names = new Set(entries.map(([name]) => name.toLowerCase()));
  const replaced: WriteHead = function (this: unknown, status, ...rest) {
    const isError = status >= 400;
    if (!isError) set();
    else for (const [name, value] of entries) if (getHeader?.call(res, name) === value) removeHeader?.call(res, name);
    const given = rest.map((part) => (isHeaders(part) ? without(part, isError ? NONE : names) : part));
    return writeHead.call(this, status, ...given);
  };
  Object.assign(res, { writeHead: replaced });
}

interface Written {
  readonly writeHead?: WriteHead;
  readonly getHeader?: (name: string) => unknown;
  readonly removeHeader?: (name: string) => unknown;
}

const NONE: ReadonlySet<string> = new Set();

// The other argument is the reason phrase.
function isHeaders(given: unknown): given is GivenHeaders {
  return typeof given === "object" && given !== null;
}

function without(given: GivenHeaders, names: ReadonlySet<string>): GivenHeaders {
  const keeps = (name: unknown): boolean => !names.has(String(name).toLowerCase());
  if (!Array.isArray(given)) return Object.fromEntries(Object.entries(given).filter(([name]) => keeps(name)));
  // Flat, as Node takes pairs only where no header was set before.
  if (Array.isArray(given[0])) return given.filter(([name]) => keeps(name)).flat();
  return given.filter((_, at) => keeps(given[at - (at % 2)]));
}
