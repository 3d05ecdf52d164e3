import { refusal } from "../../core/errors.ts";
import { percentDecode } from "../../wire/raw-target.ts";

/** The values of an expression's variables in one request. */
export interface NginxParts {
  readonly expires: string;
  /** The path as on the wire. */
  readonly path: string;
  readonly origin: string;
  readonly method: string;
  readonly remoteAddress: string;
  /** The raw value of a query parameter, found in any case; empty if absent. */
  arg(name: string): string;
  /** The value of a request header; empty if absent. */
  header(name: string): string;
}

/** A compiled `secure_link_md5`. */
export interface NginxExpression {
  /** Names without `$`. */
  readonly variables: readonly string[];
  /** Whether one text can come from two requests, because two variables have no separator. */
  readonly ambiguous: boolean;
  /** The text to hash, with `$secret` in place of the secret: a grant's id must not contain it. */
  stringToSign(parts: NginxParts): string;
}

/** The expression of nginx' own documentation, without the client's address and with separated fields. */
export const DEFAULT_EXPRESSION = "$secure_link_expires$uri $secret";

const PART = /\$(?:\{([a-z0-9_]+)\}|([a-z0-9_]+))|([^$]+)|\$/g;
const KNOWN =
  /^(?:secure_link_expires|uri|remote_addr|host|scheme|request_method|secret|arg_[a-z0-9_]+|http_[a-z0-9_]+)$/;

/**
 * Compiles the value of `secure_link_md5` as nginx.conf spells it, with `$secret` in place of the secret. A variable after
 * the secret is refused: MD5 continues from any digest, so a client could append to the text of its link (length extension,
 * as in Flickr's API in 2009).
 */
export function compileExpression(text: string): NginxExpression {
  const parts = [...text.matchAll(PART)].map(
    ([, braced, plain, literal]): Part => ({ variable: braced ?? plain, literal }),
  );
  const variables = parts.flatMap(({ variable }) => (variable === undefined ? [] : [variable]));
  const isUnknown = parts.some(({ variable, literal }) =>
    variable === undefined ? literal === undefined : !KNOWN.test(variable),
  );
  if (isUnknown || variables.length === 0 || variables.indexOf("secret") !== variables.length - 1) {
    throw refusal(
      "INVALID_INPUT",
      "expression cannot be used. Pass the one of nginx.conf, of $secure_link_expires $uri $remote_addr $host $scheme $request_method $arg_* $http_* and, last, $secret: behind it MD5 could be continued",
    );
  }
  return {
    variables,
    ambiguous: !isSeparated(parts),
    stringToSign: (request) =>
      parts
        .map(({ variable, literal = "" }) => (variable === undefined ? literal : variableText(variable, request)))
        .join(""),
  };
}

interface Part {
  readonly variable: string | undefined;
  readonly literal: string | undefined;
}

/** The characters of the variables that have few; the values of the others can contain any character. */
const ALPHABETS: Readonly<Record<string, RegExp>> = {
  secure_link_expires: /[0-9]/,
  remote_addr: /[0-9a-f:.]/,
  request_method: /[A-Z]/,
  scheme: /[a-z]/,
  host: /[a-z0-9.:[\]-]/,
};

/**
 * Whether a text can be cut into the same parts in one way only: at most one variable can contain any character, and every
 * other variable ends at a character that it cannot contain, towards that variable.
 */
function isSeparated(parts: readonly Part[]): boolean {
  const open = parts.findIndex(({ variable }) => variable !== undefined && ALPHABETS[variable] === undefined);
  return parts.every(({ variable }, i) => {
    if (variable === undefined || variable === "secret" || i === open) return true;
    const alphabet = ALPHABETS[variable];
    if (alphabet === undefined) return false;
    // Before the open variable the next part shows the end of a value; after it, the previous part shows the start.
    const { variable: near, literal } = parts[i < open || open < 0 ? i + 1 : i - 1] ?? {};
    const border = i < open || open < 0 ? (near === "uri" ? "/" : literal?.[0]) : literal?.at(-1);
    return near === "secret" || (border !== undefined && !alphabet.test(border));
  });
}

function variableText(variable: string, parts: NginxParts): string {
  const { expires, path, origin, method, remoteAddress, arg, header } = parts;
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
