import { refusal } from "../../core/errors.ts";
import { percentDecode } from "../../wire/raw-target.ts";

/** What the variables of an expression stand for in one request. */
export interface NginxParts {
  readonly expires: string;
  /** The path as it stands on the wire. */
  readonly path: string;
  readonly origin: string;
  readonly method: string;
  readonly remoteAddress: string;
  /** The raw value of a query parameter, found without regard to case; empty where it is missing. */
  arg(name: string): string;
  /** The value of a request header; empty where it is missing. */
  header(name: string): string;
}

/** A compiled `secure_link_md5`. */
export interface NginxExpression {
  /** Names without `$`. */
  readonly variables: readonly string[];
  /** Whether one text can come from two requests, as two variables stand side by side. */
  readonly ambiguous: boolean;
  /** The text that is hashed, and the same with `$secret` left as it is: a grant's id holds no secret. */
  texts(parts: NginxParts, secret: string): { readonly hashed: string; readonly stringToSign: string };
}

/** The expression of nginx' own documentation, with the address of the client left out and the fields separated. */
export const DEFAULT_EXPRESSION = "$secure_link_expires$uri $secret";

const PART = /\$(?:\{([a-z0-9_]+)\}|([a-z0-9_]+))|([^$]+)|\$/g;
const KNOWN =
  /^(?:secure_link_expires|uri|remote_addr|host|scheme|request_method|secret|arg_[a-z0-9_]+|http_[a-z0-9_]+)$/;

/**
 * Compiles the value of `secure_link_md5` as it stands in nginx.conf, with `$secret` where the secret stands there. A
 * variable after the secret is refused: MD5 continues from any digest, so whoever holds one URL could append to it
 * (length extension, as in Flickr's API in 2009).
 */
export function compileExpression(text: string): NginxExpression {
  const parts = [...text.matchAll(PART)].map(
    ([, braced, plain, literal]): Part => ({ variable: braced ?? plain, literal }),
  );
  const variables = parts.flatMap(({ variable }) => (variable === undefined ? [] : [variable]));
  const unknown = parts.find(({ variable, literal }) =>
    variable === undefined ? literal === undefined : !KNOWN.test(variable),
  );
  if (
    unknown !== undefined ||
    variables.filter((name) => name === "secret").length !== 1 ||
    variables.at(-1) !== "secret"
  ) {
    throw refusal(
      "INVALID_INPUT",
      "expression as in nginx.conf, of $secure_link_expires $uri $remote_addr $host $scheme $request_method $arg_* $http_* and, last, $secret: behind it MD5 could be continued",
    );
  }
  return {
    variables,
    ambiguous: !isSeparated(parts),
    texts(request, secret) {
      const values = parts.map(({ variable, literal = "" }) =>
        variable === undefined ? literal : variableText(variable, request),
      );
      const at = parts.findIndex(({ variable }) => variable === "secret");
      return { hashed: values.with(at, secret).join(""), stringToSign: values.join("") };
    },
  };
}

interface Part {
  readonly variable: string | undefined;
  readonly literal: string | undefined;
}

/** The characters of the variables that cannot hold any; the others can. */
const CLOSED: Readonly<Record<string, RegExp>> = {
  secure_link_expires: /[0-9]/,
  remote_addr: /[0-9a-f:.]/,
  request_method: /[A-Z]/,
  scheme: /[a-z]/,
  host: /[a-z0-9.:[\]-]/,
};

/**
 * Whether a text can be cut into the same parts in one way only: at most one variable can hold any character, and every
 * other one ends at a character that it cannot hold, towards that variable.
 */
function isSeparated(parts: readonly Part[]): boolean {
  const open = parts.findIndex(({ variable }) => variable !== undefined && CLOSED[variable] === undefined);
  return parts.every(({ variable }, i) => {
    if (variable === undefined || variable === "secret" || i === open) return true;
    const alphabet = CLOSED[variable];
    if (alphabet === undefined) return false;
    // In front of the open variable what follows tells the end, behind it what comes before tells the start.
    const { variable: near, literal } = parts[i < open || open < 0 ? i + 1 : i - 1] ?? {};
    const border = i < open || open < 0 ? (near === "uri" ? "/" : literal?.[0]) : literal?.at(-1);
    return near === "secret" || (border !== undefined && !alphabet.test(border));
  });
}

function variableText(
  variable: string,
  { expires, path, origin, method, remoteAddress, arg, header }: NginxParts,
): string {
  switch (variable) {
    case "secure_link_expires":
      return expires;
    case "uri":
      return percentDecode(path);
    case "remote_addr":
      return remoteAddress;
    case "host":
      return origin.replace(/^https?:\/\/|:[0-9]+$/g, "");
    case "scheme":
      return origin.slice(0, origin.indexOf(":"));
    case "request_method":
      return method;
    case "secret":
      return "$secret";
    default:
      return variable.startsWith("arg_") ? arg(variable.slice(4)) : header(variable.slice(5).replaceAll("_", "-"));
  }
}
