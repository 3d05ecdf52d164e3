const UNRESERVED = /^[A-Za-z0-9\-._~]$/;

/** A URI in its normal form, split behind the path. */
export interface NormalUri {
  readonly origin: string;
  readonly path: string;
  /** With its `?`; empty where there is none. */
  readonly query: string;
}

/**
 * "Normalize the URI according to Section 4.2.3 of RFC 9110 and Sections 6.2.2 and 6.2.3 of RFC 3986": scheme and host in
 * lower case, no default port (as every origin here is), escapes in upper case and of unreserved characters undone, no dot
 * segments, `/` for an empty path. Then equivalent URIs are the same text.
 */
export function normalizeUri(origin: string, target: string): NormalUri {
  const mark = target.indexOf("?");
  const path = normalizeEscapes(mark < 0 ? target : target.slice(0, mark));
  return {
    origin,
    path: removeDotSegments(path === "" ? "/" : path),
    query: mark < 0 ? "" : normalizeEscapes(target.slice(mark)),
  };
}

export function joinUri({ origin, path, query }: NormalUri): string {
  return origin + path + query;
}

function normalizeEscapes(text: string): string {
  return text.replace(/%[0-9A-Fa-f]{2}/g, (triplet) => {
    const character = String.fromCharCode(Number.parseInt(triplet.slice(1), 16));
    return UNRESERVED.test(character) ? character : triplet.toUpperCase();
  });
}

/** RFC 3986 section 5.2.4, for a path that begins with `/`. */
function removeDotSegments(path: string): string {
  const output: string[] = [];
  const segments = path.split("/").slice(1);
  for (const [i, segment] of segments.entries()) {
    const isLast = i === segments.length - 1;
    if (segment === "..") output.pop();
    if (segment !== "." && segment !== "..") output.push(segment);
    else if (isLast) output.push("");
  }
  return `/${output.join("/")}`;
}
